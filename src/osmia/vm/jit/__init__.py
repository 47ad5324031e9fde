"""Native code: eBPF to LLVM IR (``emit``), LLVM and linking (``llvm``, ``engine``), objects kept on disk (``cache``)."""
