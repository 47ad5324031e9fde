"""Answers of a real kernel (Linux 6.18) as readable text; ``python -m helpers.golden`` in tests/ records them again.

Each line is a call and what it gave, ``name(arguments) -> R0 [buffers]`` or a format with its text.
"""

from __future__ import annotations

import sys
from pathlib import Path

from helpers import both
from helpers.both import CTX, Buf

FOLDER = Path(__file__).parent / "golden"
PACKET = bytes(12) + b"\x08\x00\x45\0\0\x32" + bytes((i * 37) & 0xFF for i in range(46))

FORMATS: list[tuple[str, tuple[int | str, ...]]] = [
    *[(f"[%{flags}{width}{kind}]", (value,)) for kind, value in (("d", -5), ("u", 5), ("x", 255), ("X", 255))
      for flags in ("", "0", "-", "+", " ") for width in ("", "6")],
    *[(f"[%{length}{kind}]", (value,)) for length in ("", "l", "ll") for kind in "diux"
      for value in (0x1_8000_0000, (1 << 64) - 1)],
    *[(f"[%{flags}{width}s]", ("text",)) for flags in ("", "-", "0") for width in ("", "2", "8")],
    *[(f"[%{kind}]", ("text",)) for kind in ("pks", "10pks", "pi4", "pI4", "pi6", "pI6", "pI6c", "20pI4")],
    *[(f"[%{kind}]", (0x1234,)) for kind in ("px", "20px", "-20px", "020px", "pS", "ps", "pB", "12ps")],
    ("[%c%5c%-5c]", (65, 66, 67)), ("[%p %pK]", (0, (1 << 64) - 14)), ("100%% %%d", ()), ("é %d", (1,)),
    ("%d %d", (1,)), ("%s", ()), ("%", ()), ("%z", (1,)), ("%lc", (1,)), ("%#x", (1,)), ("%.3d", (1,)), ("%hd", (1,)),
    ("%pz", (1,)), ("%pI5", ("text",)), ("%ss", ("text",)), ("%s1", ("text",)), ("%pks1", ("text",)), ("%lll", (1,)),
    ("%5%", ()), ("%*d", (1, 2)), ("\x01", ()), ("%é", (1,)), ("%n", (1,)), ("%o", (8,)),
]  # fmt: skip
STRINGS = [b"0", b"17", b" \t\n42x", b"-42", b"--1", b"+1", b"0x1F", b"0x", b"0xg", b"017", b"08", b"-", b"", b"abc",
           b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809",
           b"18446744073709551615", b"18446744073709551616", b"1" * 70, b"0" * 62 + b"17"]  # fmt: skip


def calls():
    """The helper calls that are recorded, by file."""
    numbers = [(f"bpf_strto{kind}", [Buf(s or b"\0"), len(s) or 1, base, Buf(bytes(8))], "socket_filter")
               for s in STRINGS for kind in ("l", "ul") for base in (0, 8, 10, 16)]  # fmt: skip
    numbers += [("bpf_strtol", [Buf(b"1"), 1, base, Buf(bytes(8))], "socket_filter") for base in (2, 32, 1 << 40)]
    data = [b"", bytes(4), b"\xff" * 4, b"abc", b"abcdefgh"]
    sums = [("bpf_csum_diff", [Buf(a) if a else 0, len(a), Buf(b) if b else 0, len(b), seed], "sched_cls")
            for a in data for b in data for seed in (0, 0xFFFFFFFF)]  # fmt: skip
    sums += [(name, [CTX, offset, before, 0x1234, flags], "sched_cls")
             for name in ("bpf_l3_csum_replace", "bpf_l4_csum_replace") for offset in (24, 25, 63)
             for before in (0, 0xABCD) for flags in (0, 2, 4, 3, 16, 34, 98, 256)]  # fmt: skip
    frames = [(f"bpf_xdp_adjust_{which}", [CTX, delta], "xdp") for which in ("head", "tail", "meta")
              for delta in (0, 4, -4, 3, 50, 51, -50, -51, -216, -217, -252, -256, 3456, 3457)]  # fmt: skip
    frames += [("bpf_skb_load_bytes", [CTX, offset, Buf(b"\xaa" * size), size], "sched_cls")
               for offset in (0, 60, 64, 0xFFFF, 1 << 31) for size in (1, 4, 5)]  # fmt: skip
    return {"numbers": numbers, "checksums": sums, "packets": frames}


def shown(arg) -> str:
    return "ctx" if arg is CTX else repr(arg.data) if isinstance(arg, Buf) else str(arg)


def line(ask, name, args, prog_type) -> str:
    """A call and its answer."""
    got = ask(name, args, prog_type, PACKET)
    head = f"{prog_type} {name}({', '.join(map(shown, args))})"
    if got is None:
        return f"{head} -> refused"
    r0, buffers, packet = got
    moved = prog_type != "socket_filter" and packet != PACKET
    tail = [repr(b) for b in buffers] + ([f"packet {packet.hex()}"] if moved else [])
    return " ".join([f"{head} -> {r0}", *tail])


def printed(ask, fmt, args) -> str:
    """A format and its text."""
    return f"{fmt!r} {args!r} -> {ask(fmt, args)!r}"


def kernel_print(fmt, args):
    """Return value and text; "refused" by the verifier is the helper's -EINVAL."""
    from helpers.test_live_printk import STRINGS as MEMORY
    from helpers.test_live_printk import ask_kernel

    assert MEMORY[64:68] == b"xxxx"
    values = [1 if a == "text" else a for a in args]
    got = ask_kernel(fmt.encode(), values, ["s" if a == "text" else "d" for a in args], 64)
    return (-22, "") if got is None else (got[0], got[1].split(b"\0")[0].decode())


def our_print(fmt, args):
    """The same from our printer."""
    from helpers.test_live_printk import ours

    text, kinds = [1 if a == "text" else a for a in args], ["s" if a == "text" else "d" for a in args]
    got, out = ours(fmt.encode(), text, kinds, 64)
    return (got, "" if got < 0 else out.split(b"\0")[0].decode())


def lines(ask, ask_print) -> dict[str, list[str]]:
    """Every file's lines."""
    files = {name: [line(ask, *call) for call in group] for name, group in calls().items()}
    return files | {"printk": [printed(ask_print, fmt, args) for fmt, args in FORMATS]}


def main() -> None:
    """Record."""
    for name, text in lines(both.on_kernel, kernel_print).items():
        (FOLDER / f"{name}.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
        print(name, len(text), file=sys.stderr)


if __name__ == "__main__":
    main()
