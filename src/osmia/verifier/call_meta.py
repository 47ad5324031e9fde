"""What the arguments of one call tell about it (``struct bpf_call_arg_meta``, kernel/bpf/verifier.c; Linux 6.18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osmia.verifier.maps import VMap


class CallMeta:
    """One helper call, filled in argument by argument.

    ``raw_mode``: the memory argument is only written, so it need not be initialised; who checks it notes in ``regno``
    and ``access_size`` which ``access_size`` bytes behind which register the helper will write.
    ``map`` and ``map_uid``: the map argument; ``const_map_key``: the constant key, -1 if there is none.
    ``mem_size``: bytes of memory that the helper returns; ``msize_max_value``: the greatest value of a size argument.
    ``release_regno``: the argument that the helper lets go of, 0 for none; ``ref_obj_id``: the reference it was given.
    ``btf_id``: the type that a pointer argument must lead to, where it is known by number.
    ``percpu_object``: the per-CPU argument is an object that a program allocated.
    ``dynptr_id``: the dynptr whose memory the helper returns; ``changes_data``: the call moves the packet's data.
    """

    map: VMap | None

    def __init__(self, func_id: int) -> None:
        self.func_id = func_id
        self.map = None
        self.map_uid = 0
        self.raw_mode = self.pkt_access = self.changes_data = self.percpu_object = False
        self.release_regno = 0
        self.regno = -1
        self.access_size = self.mem_size = self.msize_max_value = 0
        self.ref_obj_id = self.dynptr_id = 0
        self.const_map_key = -1
        self.btf: Any = None
        self.btf_id = 0
        self.ret_btf: Any = None
        self.ret_btf_id = self.subprogno = 0
        self.kptr_field: Any = None
