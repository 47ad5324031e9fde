"""Write down what a kernel offers: a profile, recorded by asking the kernel itself.

Every row is the answer of bpf(2) to a small program.  Whoever answers is an ``Asker``: the running kernel, or another
one that takes batches of programs.  Nothing is attached, and nothing stays loaded.
"""
