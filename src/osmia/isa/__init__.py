"""What is an instruction?  The one table, the instruction itself, and constructors with the kernel's macro names."""

from osmia.isa.classify import Known, Reserved, Unknown, classify, find
from osmia.isa.insn import Insn, decode, encode
from osmia.isa.table import OPS, Kind, Op

__all__ = ["OPS", "Insn", "Kind", "Known", "Op", "Reserved", "Unknown", "classify", "decode", "encode", "find"]
