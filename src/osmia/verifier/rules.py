"""The rules that kernels differ in, as one kernel has them.  Made by tools/gen_rules.py: do not edit.

The table is ``kernel/data/features.txt``: it says since when each holds, and what it means.
"""

from __future__ import annotations

from collections.abc import Collection


class Rules:
    """``env.rules``: one flag a feature."""

    def __init__(self, names: Collection[str]) -> None:
        self.data_symbols = "data-symbols" in names
        self.btf_float = "btf-float" in names
        self.btf_decl_tag = "btf-decl-tag" in names
        self.btf_type_tag = "btf-type-tag" in names
        self.btf_enum64 = "btf-enum64" in names
        self.arg_ctx_tag = "arg-ctx-tag" in names
