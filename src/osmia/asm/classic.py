"""Classic BPF: bpf_asm's text ⇄ ``struct sock_filter``, tcpdump's dumps, the kernel's check, and conversion to eBPF.

::

    >>> from osmia.asm import classic
    >>> ip = classic.parse("ldh [12]; jne #0x800, no; ret #-1; no: ret #0".replace(";", "\\n"))
    >>> classic.check(ip)
    >>> len(classic.to_ebpf(ip))
    9

``parse`` tells the forms apart by their looks: assembly, ``tcpdump -d``, ``-dd``, ``-ddd``, and the one line that
bpf_asm prints.
"""

from __future__ import annotations

from collections.abc import Iterable

from osmia.asm import classic_dump as dump
from osmia.asm.classic_check import Flavour, check
from osmia.asm.classic_convert import to_ebpf
from osmia.asm.classic_insn import SockFilter, decode, encode
from osmia.asm.classic_parse import Parser, tokens
from osmia.asm.classic_print import assembly, c_array, numbers, one_line
from osmia.errors import AsmError

__all__ = ["Flavour", "SockFilter", "check", "decode", "encode", "format", "format_c", "format_numbers",
           "format_one_line", "parse", "to_ebpf"]  # fmt: skip


def format(filters: Iterable[SockFilter]) -> str:
    """A filter as bpf_asm's assembly.  What has no words there comes out as ``.slot code, jt, jf, k``.

    Raises AsmError for eBPF instructions: there is no way back from eBPF to classic BPF.
    """
    program = list(filters)
    if not all(isinstance(insn, SockFilter) for insn in program):
        raise AsmError("eBPF instructions can't be written as classic BPF", insn=0)
    return assembly(program)


def format_numbers(filters: Iterable[SockFilter]) -> str:
    """A filter as ``tcpdump -ddd`` prints it."""
    return numbers(list(filters))


def format_c(filters: Iterable[SockFilter]) -> str:
    """A filter as ``tcpdump -dd`` prints it."""
    return c_array(filters)


def format_one_line(filters: Iterable[SockFilter]) -> str:
    """A filter as bpf_asm prints it and iptables' bpf match takes it."""
    return one_line(list(filters))


def parse(text: str, *, file: str | None = None) -> list[SockFilter]:
    """A filter in any of the forms.  Raises AsmError with line and column.

    It is read, not judged: ``check`` says whether the kernel would take it.
    """
    if dump.is_listing(text):
        return dump.parse_listing(text, file)
    if dump.is_array(text):
        return dump.parse_array(text, file)
    if dump.is_numbers(text):
        return dump.parse_numbers(text, file)
    return Parser(tokens(text, file)).parse()
