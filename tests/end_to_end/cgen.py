"""Random C programs that the kernel's verifier takes: bounded loops, masked indices, checked packet pointers.

One seed makes one program: its type, instruction set, compiler, maps, functions and packets.  Everything that it
computes goes into one 64-bit hash, folded into the 32 bits that it returns.  Each program uses a few kinds of
statements only (a "swarm"), which finds more than a bit of everything in each.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import count

from end_to_end.nodes import Node, block, expr, node, stmt

PROG_TYPES = ("xdp", "sched_cls", "socket_filter")
SECTIONS = {"xdp": "xdp", "sched_cls": "tc", "socket_filter": "socket"}
CONTEXTS = {"xdp": "struct xdp_md", "sched_cls": "struct __sk_buff", "socket_filter": "struct __sk_buff"}
INTS = ("u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64")
NUMBERS = (
    *("0", "1", "2", "7", "0x7f", "0x80", "0xff", "-1", "0x7fff", "0x8000", "0xffff", "0x7fffffff", "0x80000000u"),
    *("0xffffffffu", "0x100000000ULL", "0x7fffffffffffffffLL", "0x8000000000000000ULL", "0xdeadbeefcafef00dULL"),
)
HEAD = """\
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

typedef __u8 u8; typedef __u16 u16; typedef __u32 u32; typedef __u64 u64;
typedef __s8 s8; typedef __s16 s16; typedef __s32 s32; typedef __s64 s64;
struct bpf_map;
struct pair { u32 a; u16 b; u16 c; };
struct wide { u64 a; s32 b; u16 c; s8 d; u8 e; };
struct bits { u32 a : 5; s32 b : 11; u32 c : 16; u64 d : 33; s64 e : 31; };
#define field(f) ({ u64 x_; asm volatile("%0 = *(u32 *)(%1 + %2)" \\
	: "=r"(x_) : "r"(ctx), "i"(__builtin_offsetof(typeof(*ctx), f))); (u32)x_; })
#define by_insn(t, r, op, a, b) ({ t x_ = (a), y_ = (b); asm volatile("%0 " op " %1" : "+" r(x_) : r(y_)); x_; })
#define rol(t, v, n) ((t)((t)(v) << ((n) & (8 * sizeof(t) - 1)) | (t)(v) >> (-(n) & (8 * sizeof(t) - 1))))

static __always_inline u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

"""


@dataclass
class Scope:
    """What a piece of code may name."""

    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    arrays: list[tuple[str, int]] = field(default_factory=list)
    packet: int = 0
    """So many bytes from ``data`` on are known to be there; 0 where the packet may not be touched."""
    ctx: bool = False
    main: bool = False
    level: int = 0
    loops: int = 0
    callback: bool = False
    """Whether this runs in a callback, or may: the verifier gets lost in callbacks that call back."""
    commutes: bool = False
    """Whether the order of calls is not known, so that only sums may come out."""

    def deeper(self, **changes: object) -> Scope:
        copied = {"reads": list(self.reads), "writes": list(self.writes), "arrays": list(self.arrays)}
        return replace(self, **{**copied, "level": self.level + 1, **changes})


class Expressions:
    """Integer expressions of every width and sign."""

    def __init__(self, seed: int, cpu: str | None = None, prog_type: str | None = None) -> None:
        self.random = random.Random(seed)
        self.prog_type = prog_type or self.random.choice(PROG_TYPES)
        self.cpu = cpu or self.random.choice(("v1", "v2", "v3", "v4"))
        self.fresh = count()
        self.tables: list[tuple[str, int]] = []
        self.functions: list[tuple[str, int]] = []

    def name(self, letter: str) -> str:
        return f"{letter}{next(self.fresh)}"

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def number(self) -> Node:
        if self.chance(60):
            return expr(self.random.choice(NUMBERS))
        return expr("@", self.random.choice((self.random.randrange(256), hex(self.random.getrandbits(32)) + "u")))

    def leaf(self, scope: Scope) -> Node:
        choices = ["number", "read", "read", "read", "array", "table", "packet", "ctx"]
        what = self.random.choice(choices)
        if what == "read" and scope.reads:
            return expr("@", self.random.choice(scope.reads))
        if what in ("array", "table"):
            arrays = scope.arrays if what == "array" else self.tables
            if arrays:
                name, size = self.random.choice(arrays)
                index = (
                    self.random.choice(scope.reads) if scope.reads and self.chance(60) else self.random.randrange(99)
                )
                return expr("@[(@) & @]", name, expr("@", index), size - 1)
        if what == "packet" and scope.packet:
            return self.packet_load(scope)
        if what == "ctx" and scope.ctx:
            return self.context_load()
        return self.number()

    def packet_load(self, scope: Scope) -> Node:
        kind, size = self.random.choice(
            (("u8", 1), ("u16", 2), ("u32", 4), ("u64", 8), ("s8", 1), ("s16", 2), ("s32", 4))
        )
        if scope.packet < size:
            return self.number()
        return expr("*(@ *)(data + @)", kind, self.random.randrange(scope.packet - size + 1))

    def context_load(self) -> Node:
        if self.prog_type == "xdp":
            fields = ["ingress_ifindex", "rx_queue_index"]
        else:
            fields = ["len", "protocol", "pkt_type", "mark", "priority", "cb[1]", "queue_mapping", "vlan_present"]
            fields += ["ifindex"]
        return expr("field(@)", self.random.choice(fields))

    def expression(self, scope: Scope, depth: int = 3) -> Node:
        if depth <= 0 or self.chance(15):
            return self.leaf(scope)
        made = [self.arithmetic, self.arithmetic, self.arithmetic, self.shift, self.divide, self.compare]
        made += [self.unary, self.choose, self.trick, self.called]
        return self.random.choice(made)(scope, depth - 1)

    def arithmetic(self, scope: Scope, depth: int) -> Node:
        kind, op = self.random.choice(INTS[2:]), self.random.choice(("+", "-", "*", "&", "|", "^", "+", "-"))
        if self.chance(50):
            return expr("(@ @ @)", self.expression(scope, depth), op, self.expression(scope, depth))
        return expr("((@)@ @ (@)@)", kind, self.expression(scope, depth), op, kind, self.expression(scope, depth))

    def shift(self, scope: Scope, depth: int) -> Node:
        kind, op = self.random.choice(INTS[2:]), self.random.choice(("<<", ">>", ">>"))
        width = 63 if kind in ("u64", "s64") else 31
        by = self.expression(scope, depth - 1) if self.chance(50) else expr("@", self.random.randrange(width + 1))
        return expr("((@)@ @ (@ & @))", kind, self.expression(scope, depth), op, by, width)

    def divide(self, scope: Scope, depth: int) -> Node:
        """Divisors are never zero, as C wants it; or the instruction itself, which has an answer for zero."""
        op, kinds = self.random.choice("/%"), ["u8", "u16", "u32", "u64"]
        if self.chance(40):
            signed = ["s32", "s64", "s16"] if self.cpu == "v4" else []
            by = expr("@", self.random.choice((1, 2, 3, 7, 10, 16, 100, 255, 1000, 65537, 0x7FFFFFFF)))
            return expr("((@)@ @ @u)" if not signed else "((@)@ @ @)", self.random.choice(kinds + signed),
                        self.expression(scope, depth), op, by)  # fmt: skip
        first, second = self.expression(scope, depth), self.expression(scope, depth - 1)
        if self.chance(50):
            return expr("((u32)(@)@ @ ((u32)@ | 1))", self.random.choice(kinds), first, op, second)
        sign = "s" if self.cpu == "v4" and self.chance(50) else ""
        if self.cpu in ("v3", "v4") and self.chance(50):
            return expr('by_insn(u32, "w", "@@=", @, @)', sign, op.replace("%", "%%"), first, second)
        return expr('by_insn(u64, "r", "@@=", @, @)', sign, op.replace("%", "%%"), first, second)

    def compare(self, scope: Scope, depth: int) -> Node:
        kind, op = self.random.choice(INTS[2:]), self.random.choice(("==", "!=", "<", ">", "<=", ">=", "&", "&&", "||"))
        return expr("((@)@ @ (@)@)", kind, self.expression(scope, depth), op, kind, self.expression(scope, depth))

    def unary(self, scope: Scope, depth: int) -> Node:
        if self.chance(60):
            return expr("(@)@", self.random.choice(INTS), self.expression(scope, depth))
        return expr("(@ @)", self.random.choice("-~!"), self.expression(scope, depth))

    def choose(self, scope: Scope, depth: int) -> Node:
        parts = (self.condition(scope, depth), self.expression(scope, depth), self.expression(scope, depth))
        return expr("(@ ? @ : @)", *parts)

    def condition(self, scope: Scope, depth: int = 2) -> Node:
        return self.compare(scope, depth) if self.chance(80) else self.expression(scope, depth)

    def trick(self, scope: Scope, depth: int) -> Node:
        inner = self.expression(scope, depth)
        which = self.random.randrange(7)
        if which == 0:
            return expr(
                "rol(@, @, @)", self.random.choice(("u32", "u64", "u16", "u8")), inner, self.expression(scope, 0)
            )
        if which == 1:
            return expr("__builtin_bswap@(@)", self.random.choice((16, 32, 64)), inner)
        if which == 2:
            return expr("__builtin_popcount@(@)", self.random.choice(("", "ll")), inner)
        if which == 3:
            long = self.random.choice(("", "ll"))
            return expr("__builtin_c@z@(@ | 1)", self.random.choice("lt"), long, inner)
        if which == 4:
            value = self.name("t")
            return expr("({ u64 @ = @; @ & -@; })", value, inner, value, value)
        if which == 5:
            value = self.name("t")
            return expr("({ u64 @ = @; @ & (@ - 1); })", value, inner, value, value)
        value = self.name("t")
        return expr("({ s64 @ = @; @ < 0 ? -@ : @; })", value, inner, value, value, value)

    def called(self, scope: Scope, depth: int) -> Node:
        if not self.functions or scope.level > 4 or scope.commutes:
            return self.arithmetic(scope, depth)
        name, arguments = self.random.choice(self.functions)
        values = [self.expression(scope, min(depth, 1)) for _ in range(arguments)]
        return expr(f"{name}({', '.join('@' * arguments)})", *values)


class Statements(Expressions):
    """Assignments, branches, loops; the rest is in ``ops``."""

    kinds: tuple[str, ...] = ("assign", "assign", "fold", "if", "switch", "loop", "local", "memory", "struct")

    def statements(self, scope: Scope, count: int) -> list[Node]:
        return [self.statement(scope) for _ in range(count)]

    def statement(self, scope: Scope) -> Node:
        kinds = self.kinds if scope.level < 3 else ("assign", "fold", "local")
        if scope.commutes:  # nothing that another element's turn could see
            kinds = ("fold", "fold", "if", "loop", "local") if scope.level < 4 else ("fold",)
        return getattr(self, f"make_{self.random.choice(kinds)}")(scope)

    def fold(self, scope: Scope, value: Node | str) -> Node:
        if scope.commutes:
            return stmt("h += (u32)@ * 0x9e3779b1ULL;\n", value)
        return stmt("h = mix(h, @);\n", value)

    def make_assign(self, scope: Scope) -> Node:
        if not scope.writes or scope.commutes:
            return self.make_fold(scope)
        op = self.random.choice(("=", "=", "+=", "-=", "^=", "|=", "&=", "*="))
        return stmt("@ @ @;\n", self.random.choice(scope.writes), op, self.expression(scope))

    def make_fold(self, scope: Scope) -> Node:
        return self.fold(scope, self.expression(scope))

    def make_if(self, scope: Scope) -> Node:
        inner = [block(self.statements(scope.deeper(), self.random.randint(1, 3))) for _ in range(2)]
        if self.chance(50):
            return stmt("if (@) {\n@}\n", self.condition(scope), inner[0])
        return stmt("if (@) {\n@} else {\n@}\n", self.condition(scope), *inner)

    def make_switch(self, scope: Scope) -> Node:
        mask = self.random.choice((3, 7, 15))
        cases = []
        for value in sorted(self.random.sample(range(mask + 1), self.random.randint(2, min(6, mask + 1)))):
            end = "" if self.chance(25) else "break;\n"
            cases.append(stmt("case @: {\n@}\n@", value, block(self.statements(scope.deeper(), 1)), stmt(end)))
        cases.append(stmt("default: {\n@}\nbreak;\n", block(self.statements(scope.deeper(), 1))))
        return stmt("switch ((@) & @) {\n@}\n", self.expression(scope, 2), mask, block(cases))

    def make_loop(self, scope: Scope) -> Node:
        if scope.loops >= 2:
            return self.make_fold(scope)
        i = self.name("i")
        inner = scope.deeper(loops=scope.loops + 1)
        inner.reads.append(i)
        body = self.statements(inner, self.random.randint(1, 3))
        if self.chance(30):
            body.append(stmt("if (@) @;\n", self.condition(inner), self.random.choice(("break", "continue"))))
            body += self.statements(inner, 1)
        pragma = "#pragma clang loop unroll(disable)\n" if self.chance(60) else ""
        limit: Node = expr("@", self.random.choice((2, 3, 5, 8)))
        if self.chance(30):
            limit = expr("(@ & 7)", self.expression(scope, 1))
        if self.chance(12):
            limit = expr("@ && can_loop", limit)
        return stmt(f"{pragma}for (u32 @ = 0; @ < @; @++) {{\n@}}\n", i, i, limit, i, block(body))

    def make_local(self, scope: Scope) -> Node:
        name = self.name("v")
        made = stmt("@ @ = @;\n", self.random.choice(INTS), name, self.expression(scope))
        scope.reads.append(name)
        scope.writes.append(name)
        return made

    def make_memory(self, scope: Scope) -> Node:
        if not scope.arrays:
            return self.make_array(scope)
        name, size = self.random.choice(scope.arrays)
        return stmt("@[(@) & @] @= @;\n", name, self.expression(scope, 1), size - 1,
                    self.random.choice(("", "+", "^")), self.expression(scope, 2))  # fmt: skip

    def make_array(self, scope: Scope) -> Node:
        name, kind, size = self.name("a"), self.random.choice(INTS), self.random.choice((2, 4, 8))
        if sum(s for _, s in scope.arrays) > 12:
            return self.make_fold(scope)
        made = stmt("@ @[@] = {@, @};\n", kind, name, size + 1, self.expression(scope, 1), self.expression(scope, 1))
        scope.arrays.append((name, size))
        return made

    def make_struct(self, scope: Scope) -> Node:
        name, kind = self.name("w"), self.random.choice(("pair", "wide", "bits"))
        fields = [f"{name}.{letter}" for letter in ("abc" if kind == "pair" else "abcde")]
        if sum(w.startswith("w") for w in scope.writes) > 12:
            return self.make_fold(scope)
        made = stmt(
            "struct @ @ = {.a = @, .c = @};\n", kind, name, self.expression(scope, 1), self.expression(scope, 1)
        )
        scope.reads += fields
        scope.writes += fields
        return made


def declaration(template: str, *values: Node | str | int) -> Node:
    return node("decl", template, *values)
