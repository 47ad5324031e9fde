"""Native code for programs, through LLVM: what the engine ``"jit"`` runs.

``unit`` and its neighbours write a program as LLVM IR; ``llvm`` makes object code of that, ``cache`` keeps it,
``loader`` puts it into memory with the addresses that ``symbols`` knows; ``engine`` runs it as ``interp`` runs
rows; ``tiers`` decides which of the two runs.
"""
