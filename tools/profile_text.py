"""The text of a profile file (``osmia.kernel.profile`` reads it): runs of offsets, names of register types, sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from osmia.kernel.helpers import helper_by_id

BASES = {
    "scalar": "SCALAR_VALUE",
    "ctx": "PTR_TO_CTX",
    "pkt": "PTR_TO_PACKET",
    "pkt_meta": "PTR_TO_PACKET_META",
    "pkt_end": "PTR_TO_PACKET_END",
    "flow_keys": "PTR_TO_FLOW_KEYS",
    "sock": "PTR_TO_SOCKET",
    "sock_common": "PTR_TO_SOCK_COMMON",
    "tcp_sock": "PTR_TO_TCP_SOCK",
    "tp_buffer": "PTR_TO_TP_BUFFER",
    "buf": "PTR_TO_BUF",
    "mem": "PTR_TO_MEM",
}
FLAGS = {"trusted_": "PTR_TRUSTED", "untrusted_": "PTR_UNTRUSTED", "rcu_": "MEM_RCU", "rdonly_": "MEM_RDONLY"}
WIDTH = 120


class Row(NamedTuple):
    """One run of offsets of a context table."""

    kind: str
    size: int
    first: int
    last: int
    step: int
    type: str

    def __str__(self) -> str:
        places = f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"
        step = f"+{self.step}" if self.first != self.last and self.step != 1 else ""
        return f"{self.kind} {self.size} {places}{step} {self.type}".rstrip()


def type_name(printed: str) -> str:
    """The kernel's name of a register type that its log prints as ``trusted_ptr_or_null_task_struct``."""
    flags, rest = [], printed
    for prefix, flag in FLAGS.items():
        if rest.startswith(prefix):
            flags.append(flag)
            rest = rest.removeprefix(prefix)
    if rest.startswith("ptr_"):
        btf = rest.removeprefix("ptr_")
        null = btf.startswith("or_null_")
        flags += ["PTR_MAYBE_NULL"] if null else []
        return f"{'|'.join(['PTR_TO_BTF_ID', *flags])} {btf.removeprefix('or_null_')}"
    if rest.endswith("_or_null"):
        flags.append("PTR_MAYBE_NULL")
        rest = rest.removesuffix("_or_null")
    return "|".join([BASES["scalar" if rest.lstrip("-").isdigit() else rest], *flags])


def runs(cells: dict[tuple[str, int, str], list[int]]) -> tuple[Row, ...]:
    """Offsets of equal meaning as arithmetic runs, by kind, size and offset."""
    made = [Row(kind, size, *run, text) for (kind, size, text), offsets in cells.items() for run in _steps(offsets)]
    return tuple(sorted(made))


def _steps(offsets: list[int]) -> Iterable[tuple[int, int, int]]:
    left = sorted(set(offsets))
    while left:
        step = left[1] - left[0] if len(left) > 1 else 1
        count = next((i for i in range(1, len(left)) if left[i] - left[i - 1] != step), len(left))
        if count == 2 and step > 8:
            count = 1
        yield left[0], left[count - 1], step
        left = left[count:]


def helper_name(number: int) -> str:
    """A helper's name without its prefix."""
    return helper_by_id(number).name.removeprefix("bpf_")


def wrapped(sign: str, names: Iterable[str]) -> list[str]:
    """Lines ``+ name name …``, in the order of the helpers' names."""
    lines, line = [], sign
    for name in sorted(names):
        if len(line) + 1 + len(name) > WIDTH:
            lines.append(line)
            line = sign
        line += f" {name}"
    return [*lines, line] if line != sign else lines


def helper_section(name: str, names: frozenset[str], earlier: dict[str, frozenset[str]]) -> list[str]:
    """A set as its difference from the nearest earlier one."""
    like = min(earlier, key=lambda other: len(names ^ earlier[other]), default="")
    known = earlier[like] if like and len(names ^ earlier[like]) < len(names) else frozenset()
    lines = [f"[helpers {name}]", *([f"like {like}"] if known else [])]
    gone = {n.removeprefix("!") for n in known} - {n.removeprefix("!") for n in names}
    new = names - known
    lines += wrapped("-", gone)
    lines += wrapped("+", (n for n in new if not n.startswith("!")))
    return [*lines, *wrapped("!", (n[1:] for n in new if n.startswith("!"))), ""]


class Tables:
    """Tables by name: an equal one keeps the name that it got first."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def name(self, label: str, content: Any) -> str:
        """The name of a table with this content: the program type's, or all that the label says."""
        for name, known in self.named.items():
            if known == content:
                return name
        words = [word for word in label.split() if word != "*"]
        name = words[0] if words[0] not in self.named else ".".join(words)
        self.named[name] = content
        return name
