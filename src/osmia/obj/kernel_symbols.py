"""Which number or address does the target give to a kernel function or variable that a program wants?

Without a target nothing is known and nothing fails: the program carries the names (``Program.externs``).  A target
that lists types alone (a compact table, for the layout of objects) is none here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osmia.btf import Btf, Func, Var
from osmia.btf.core_match import Shapes
from osmia.btf.core_spec import essential_name
from osmia.errors import LinkError
from osmia.obj.externs import Wanted


class Resolution:
    """Answers for the externs of one object, against a target's BTF and its kallsyms where they are given."""

    def __init__(
        self, externs: Sequence[Wanted], local: Btf | None, target: Btf | None, kallsyms: Mapping[str, int] | None
    ) -> None:
        self.target = target if externs and target and target.ids(Func, Var) else None
        self.kallsyms = kallsyms
        self._shapes = Shapes(local, self.target) if local and self.target else None
        self._positions = {extern.symbol: i for i, extern in enumerate(externs)}
        self._numbers: dict[int, int | None] = {}

    @property
    def known(self) -> bool:
        """Is there a target to ask?"""
        return self.target is not None

    def position(self, extern: Wanted) -> int:
        """The extern's place in libbpf's order."""
        return self._positions[extern.symbol]

    def number_of(self, extern: Wanted) -> int | None:
        """Its BTF id in the target; None without a target, or where a weak one is missing or has another type.

        Raises LinkError when a strong one is.
        """
        if self.target is None or self._shapes is None or not extern.type_id:
            return None
        if extern.symbol not in self._numbers:
            self._numbers[extern.symbol] = self._find(extern, self.target, self._shapes)
        return self._numbers[extern.symbol]

    def _find(self, extern: Wanted, target: Btf, shapes: Shapes) -> int | None:
        name = essential_name(extern.name) if extern.is_func else extern.name
        number = target.find(name, Func if extern.is_func else Var)
        if number is None:
            if extern.weak:
                return None
            what = "function" if extern.is_func else "variable"
            reason = f"the target has no kernel {what} {name!r} (declared __weak it may be missing)"
            raise LinkError(reason, section=".ksyms")
        found = target.type(number)
        assert isinstance(found, Func | Var)
        if shapes.compatible(extern.type_id, found.type_id):
            return number
        if extern.weak and extern.is_func:
            return None
        raise LinkError(f"{extern.name!r} has another type in the target than in the program", section=".ksyms")

    def address_of(self, extern: Wanted) -> int:
        """The address of an untyped kernel symbol, 0 where it is not known.

        Raises LinkError for a strong one that ``kallsyms`` was given and does not have.
        """
        if extern.type_id or self.kallsyms is None:
            return 0
        if extern.name not in self.kallsyms and not extern.weak:
            raise LinkError(f"kallsyms has no {extern.name!r} (declared __weak it may be missing)", section=".ksyms")
        return self.kallsyms.get(extern.name, 0)
