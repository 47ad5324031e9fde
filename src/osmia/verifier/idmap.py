"""Which ids of a remembered state stand for which ids of the current one, while the two are compared.

Ids (of scalars, packet pointers, references …) tell what belongs together; their numbers mean nothing.  So two states
may be equal under other numbers, if one id always stands for the same other one.  (``struct bpf_idmap``, ``check_ids``
and ``check_scalar_ids`` in kernel/bpf/verifier.c, Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

if not cython.compiled:
    from osmia.verifier.consts import BPF_ADD_CONST32

ID_MAP_SIZE = (11 + 64) * 8
"""As many pairs as a state can have registers and stack slots: BPF_ID_MAP_SIZE."""


class IdMap:
    """The pairs so far: ``old_ids[i]`` stands for ``cur_ids[i]``.  ``tmp_id_gen`` makes ids that nobody has."""

    old_ids: list[int]
    cur_ids: list[int]

    def __init__(self) -> None:
        self.count = self.tmp_id_gen = 0
        self.size = ID_MAP_SIZE
        if not cython.compiled:
            self.old_ids = [0] * ID_MAP_SIZE
            self.cur_ids = [0] * ID_MAP_SIZE

    def reset(self, id_gen: int) -> None:
        """Forget every pair; new ids come after ``id_gen``."""
        self.count = 0
        self.tmp_id_gen = id_gen

    def check_ids(self, old_id: int, cur_id: int) -> bool:
        """May the one stand for the other?  Zero, no id, only for zero."""
        if old_id == 0 or cur_id == 0:
            return old_id == cur_id
        for i in range(self.count):
            if self.old_ids[i] == old_id:
                return self.cur_ids[i] == cur_id
            if self.cur_ids[i] == cur_id:
                return False
        i = self.count
        if i >= self.size:
            return False
        self.old_ids[i] = old_id
        self.cur_ids[i] = cur_id
        self.count = i + 1
        return True

    def check_scalar_ids(self, old_id: int, cur_id: int) -> bool:
        """The same for scalars: an old one without id was linked to nothing, and links don't hurt; a new one is alone.

        The id of a register at a distance from the others carries a flag; what it is counted from must fit, too.
        """
        if old_id == 0:
            return True
        if cur_id == 0:
            self.tmp_id_gen += 1
            cur_id = self.tmp_id_gen
        if not self.check_ids(old_id, cur_id):
            return False
        if old_id < BPF_ADD_CONST32:
            return True
        return self.check_ids(old_id & (BPF_ADD_CONST32 - 1), cur_id & (BPF_ADD_CONST32 - 1))
