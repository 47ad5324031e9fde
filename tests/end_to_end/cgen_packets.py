"""Statements on packets and contexts, and the other helpers; then whole programs."""

from __future__ import annotations

from end_to_end.cgen import CONTEXTS, HEAD, SECTIONS, Scope, declaration
from end_to_end.cgen_more import MoreStatements
from end_to_end.nodes import Node, block, expr, node, stmt

FORMATS = ("%d %u", "%x-%llx", "%08llx|%5d", "%lld%%%c", "%i %X", "%-6u%03d", "%pI4 %u", "%lu %c")
NUMERALS = ("123", "-77x", "0x1fG", "  42", "", "0777", "99999999999999999999", "+8")
ANY = ("assign", "fold", "if", "switch", "loop", "local", "memory", "struct")
MAPS = ("lookup", "lookup", "update", "update", "delete", "queue", "inner", "each", "bpf_loop", "ring")
OTHERS = ("packet", "packet", "rewrite", "bytes", "strings", "snprintf", "copy", "global", "global", "fields", "csum",
          "by_pointer", "by_pointer", "by_ctx", "classic", "checksum", "dynptr", "perf", "trie", "order")  # fmt: skip


class Programs(MoreStatements):
    """Whole programs: ``tree()`` once."""

    # -- packets -------------------------------------------------------------------------------------------------------

    def pointers(self) -> str:
        return "u8 *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;\n"

    def make_packet(self, scope: Scope) -> Node:
        """Reads and writes behind a check, at a fixed or a variable place."""
        if not scope.ctx:
            return self.make_fold(scope)
        if self.prog_type == "socket_filter":
            return self.make_bytes(scope)
        size = self.random.choice((14, 20, 34, 42, 64))
        inner = scope.deeper(packet=size)
        body = self.statements(inner, 2)
        for _ in range(self.random.randint(0, 2)):
            body.append(self.packet_store(inner))
        start, move, outside = "", node("text", ""), scope.deeper(packet=0)
        if self.chance(30):
            start, move = (
                'data += off & 63;\nasm volatile("" : "+r"(data));\n',
                stmt("u64 off = @;\n", self.expression(outside, 2)),
            )
        return stmt("{\n@@@if (data + @ <= data_end) {\n@} else {\n@}\n}\n", self.pointers(), move, start, size,
                    block(body), block([self.make_fold(outside)]))  # fmt: skip

    def packet_store(self, scope: Scope) -> Node:
        kind, size = self.random.choice((("u8", 1), ("u16", 2), ("u32", 4), ("u64", 8)))
        at = self.random.randrange(scope.packet - size + 1)
        return stmt("*(@ *)(data + @) @= @;\n", kind, at, self.random.choice(("", "+", "^")), self.expression(scope, 2))

    def make_rewrite(self, scope: Scope) -> Node:
        """Helpers that move the packet's ends."""
        if not (scope.ctx and scope.main) or scope.packet or self.prog_type == "socket_filter":
            return self.make_fold(scope)
        if self.prog_type == "xdp":
            part = self.random.choice(("head", "tail", "meta"))
            by = {"head": "(s32)(@ & 31) - 16", "tail": "(s32)(@ & 127) - 64", "meta": "-(s32)(@ & 12)"}[part]
            return self.fold(scope, expr(f"(u32)bpf_xdp_adjust_{part}(ctx, {by})", self.expression(scope, 1)))
        calls = (
            "bpf_skb_change_tail(ctx, ctx->len + (@ & 31) - 16, 0)", "bpf_skb_change_head(ctx, @ & 31, 0)",
            "bpf_skb_pull_data(ctx, @ & 127)",
        )  # fmt: skip
        return self.fold(scope, expr(f"(u32){self.random.choice(calls)}", self.expression(scope, 1)))

    def make_bytes(self, scope: Scope) -> Node:
        """Copies in and out of the packet through helpers."""
        if not scope.ctx:
            return self.make_fold(scope)
        name, size = self.name("b"), self.random.choice((1, 2, 4, 6, 8, 16))
        kinds = {"xdp": ("xdp_load", "xdp_store"), "sched_cls": ("skb_load", "skb_store", "skb_load")}
        call = self.random.choice(kinds.get(self.prog_type, ("skb_load",)))
        if scope.packet:
            call = call.replace("skb_store", "skb_load")  # which would invalidate the pointers
        flags = f", {self.random.choice((0, 0, 1, 2, 8))}" if call == "skb_store" else ""
        result = expr(f"(u32)bpf_{call}_bytes(ctx, @ & 127, {name}, {size}{flags})", self.expression(scope, 1))
        first = [self.fold(scope, expr(f"{name}[{i}]")) for i in sorted({0, size - 1})]
        made = "{\nu8 @[@] = {@, 2};\n@@}\n" if size > 1 else "{\nu8 @[@] = {@};\n@@}\n"
        return stmt(made, name, size, self.expression(scope, 1), self.fold(scope, result), block(first))

    def make_fields(self, scope: Scope) -> Node:
        """Fields of the context."""
        if not scope.ctx:
            return self.make_fold(scope)
        if self.prog_type == "xdp":
            return self.fold(scope, expr("bpf_xdp_get_buff_len(ctx) + @", self.context_load()))
        field = self.random.choice(("mark", "priority", "cb[0]", "cb[4]", "tc_index", "queue_mapping")
                                   if self.prog_type == "sched_cls" else ("cb[1]", "cb[3]"))  # fmt: skip
        value = expr("@ & 0xff", self.expression(scope, 1)) if field == "queue_mapping" else self.expression(scope, 1)
        return stmt("ctx->@ = @;\n@", field, value, self.fold(scope, self.context_load()))

    def make_csum(self, scope: Scope) -> Node:
        if self.prog_type == "socket_filter":
            return self.make_fold(scope)
        a, b = self.name("x"), self.name("x")
        sizes = [self.random.choice((0, 4, 8, 16)) for _ in range(2)]
        result = expr(f"bpf_csum_diff({a}, {sizes[0]}, {b}, {sizes[1]}, @)", self.expression(scope, 1))
        texts = [
            stmt("u32 @[4] = {@, @, 3, 4};\n", n, self.expression(scope, 1), self.expression(scope, 0)) for n in (a, b)
        ]
        return stmt("{\n@@@}\n", *texts, self.fold(scope, result))

    # -- others --------------------------------------------------------------------------------------------------------

    def make_strings(self, scope: Scope) -> Node:
        text, n = self.random.choice(NUMERALS), self.name("n")
        kind, call = self.random.choice((("long", "strtol"), ("unsigned long", "strtoul")))
        if self.chance(25):
            return stmt(
                "{\nchar @[8] = @;\n@}\n",
                n,
                f'"{text[:6]}"',
                self.fold(scope, expr(f'(u32)bpf_strncmp({n}, 8, "{self.random.choice(NUMERALS)}")')),
            )
        buf = self.name("b")
        result = expr(f"(u32)bpf_{call}({buf}, {len(text) + 1}, @, &{n})", self.random.choice((0, 10, 16, 8, 7)))
        return stmt(
            "{\nchar @[] = @;\n@ @ = 5;\n@@}\n",
            buf,
            f'"{text}"',
            kind,
            n,
            self.fold(scope, result),
            self.fold(scope, expr(n)),
        )

    def make_snprintf(self, scope: Scope) -> Node:
        if scope.commutes:
            return self.make_fold(scope)
        text, out, args = self.random.choice(FORMATS), self.name("o"), self.name("x")
        size = self.random.choice((4, 16, 24))
        value = [f"(u64)&{args}[2]" if "%pI4" in text else self.expression(scope, 1), self.expression(scope, 1)]
        call = f'({{ static const char f[] = "{text}"; (u32)bpf_snprintf({out}, {size}, f, {args}, 16); }})'
        folded = [
            self.fold(scope, expr(call)),
            *(self.fold(scope, expr(f"*(u64 *)({out} + {at})")) for at in range(0, size - 7, 8)),
        ]
        return stmt("{\nu64 @[3] = {0, 0, 0x0100007fULL};\n@[0] = @;\n@[1] = @;\n"
                    "char @[@] __attribute__((aligned(8))) = {};\n@}\n",
                    args, args, value[0], args, value[1], out, size, block(folded))  # fmt: skip

    def make_copy(self, scope: Scope) -> Node:
        """Structs and arrays by memcpy, memset, assignment, and bpf_probe_read_kernel."""
        a, b = self.name("w"), self.name("w")
        first = stmt(
            "struct wide @ = {@, @, 1, 2, 3}, @;\n", a, self.expression(scope, 2), self.expression(scope, 1), b
        )
        copies = (
            f"{b} = {a};\n", f"__builtin_memcpy(&{b}, &{a}, sizeof({b}));\n",
            f"{b} = (struct wide){{}};\n__builtin_memcpy((u8 *)&{b} + 3, (u8 *)&{a} + 1, 9);\n",
            f"__builtin_memset(&{b}, 0xa5, sizeof({b}));\n{b}.c = {a}.b;\n",
            f"{b} = {a};\nh += (u32)bpf_probe_read_kernel(&{b}, 12, (u8 *)&{a} + 2);\n",
        )  # fmt: skip
        copy = node("text", self.random.choice(copies[:4] if scope.commutes else copies))
        folded = [self.fold(scope, expr(f"{b}.{f}")) for f in "abce"]
        return stmt("{\n@@@}\n", first, copy, block(folded))

    def make_global(self, scope: Scope) -> Node:
        if scope.commutes:
            return self.make_fold(scope)
        which = self.random.randrange(4)
        if which == 0:
            return stmt("g0 += @;\n@", self.expression(scope, 1), self.fold(scope, expr("g0")))
        if which == 1:
            return stmt("garray[@ & 7] ^= @;\n", self.expression(scope, 1), self.expression(scope, 1))
        if which == 2:
            return stmt(
                "gwide.@ = @;\n@",
                self.random.choice("abcde"),
                self.expression(scope, 1),
                self.fold(scope, expr("gwide.a + knob")),
            )
        return self.atomic(scope, "u64", "&g0")

    # -- whole programs ------------------------------------------------------------------------------------------------

    def table(self) -> Node:
        name, size = self.name("T"), self.random.choice((4, 8, 16, 32))
        values = ", ".join(hex(self.random.getrandbits(32)) for _ in range(size))
        self.tables.append((name, size))
        return declaration(
            f"static const {self.random.choice(('u8', 'u32', 'u64', 's16'))} {name}[{size}] = {{{values}}};\n"
        )

    def function(self) -> Node:
        """A function of integers: static, or global and verified on its own."""
        name, count = self.name("f"), self.random.randint(1, 4)
        kinds = [self.random.choice(("u8", "u16", "u32", "u64", "s32", "s64")) for _ in range(count)]
        scope = Scope(reads=[f"p{i}" for i in range(count)], writes=[f"p{i}" for i in range(count)], level=2,
                      callback=self.chance(80))  # fmt: skip
        start = self.expression(scope, 1)
        body = block(self.statements(scope, self.random.randint(1, 4)))
        static = self.chance(60)
        prefix = "static " if static else "__weak "  # weak: the compiler must pass all arguments
        result = self.random.choice(("u32", "u64", "s32", "s64", "u16" if static else "u32"))
        parameters = ", ".join(f"{kind} p{i}" for i, kind in enumerate(kinds))
        head = f"{prefix}__noinline {result} {name}({parameters})\n"
        made = declaration(head + "{\nu64 h = @;\n@return h;\n}\n\n", start, body)
        self.functions.append((name, count))
        return made

    def entry(self, name: str, tail: str = "") -> Node:
        scope = Scope(reads=["h"], writes=[], ctx=True, main=True)
        body = self.statements(scope, self.random.randint(4, 10))
        if tail:
            at = self.random.randint(0, len(body))
            slot = self.expression(Scope(reads=["h"], ctx=True), 1)
            body.insert(at, stmt(f"bpf_tail_call(ctx, &jumps, @ & {self.random.choice((1, 3, 3))});\n", slot))
        head = f'SEC("{SECTIONS[self.prog_type]}") int {name}({CONTEXTS[self.prog_type]} *ctx)\n'
        return declaration(
            head + "{\nu64 h = @;\n@return h ^ h >> 32;\n}\n\n", hex(self.random.getrandbits(30)), block(body)
        )

    def tree(self) -> Node:
        self.kinds = (*self.random.sample(ANY, 5), *self.random.sample(MAPS, 4), *self.random.sample(OTHERS, 5))
        parts: list[Node | str] = [HEAD]
        globals_ = (
            "u64 g0 = 5;",
            "u32 garray[8];",
            "struct wide gwide = {1, -2, 3, -4, 5};",
            "const volatile u32 knob = 77;",
        )
        parts += [declaration(text + "\n") for text in globals_]
        self.tails = self.chance(20)
        jumps = self.jump_table() if self.tails else []
        tables = [self.table() for _ in range(self.random.randint(0, 2))]
        functions = [self.function() for _ in range(self.random.randint(0, 3))]
        functions += [self.pointer_function()] if "by_pointer" in self.kinds else []
        functions += [self.ctx_function()] if "by_ctx" in self.kinds else []
        main = self.entries()
        return Node("text", [*parts, *tables, *jumps, *self.declared, *self._ordered(functions), *main,
                             'char LICENSE[] SEC("license") = "GPL";\n'])  # fmt: skip

    def _ordered(self, functions: list[Node]) -> list[Node]:
        """Prototypes first: callbacks call functions and functions name callbacks."""
        heads = [str(f).split("\n{", 1)[0] + ";\n" for f in (*functions, *self.callbacks)]
        return [*(declaration(h) for h in heads), *functions, *self.callbacks]

    def entries(self) -> list[Node]:
        """The program ``test``; sometimes with others that it tail-calls."""
        if not self.tails:
            return [self.entry("test")]
        others = [self.entry("other0"), self.entry("other1", "tail" if self.chance(50) else "")]
        return [*others, self.entry("test", "tail")]

    def jump_table(self) -> list[Node]:
        heads = [declaration(f"int {n}({CONTEXTS[self.prog_type]} *ctx);\n") for n in ("other0", "other1")]
        table = declaration(
            "struct {\n\t__uint(type, BPF_MAP_TYPE_PROG_ARRAY);\n\t__uint(max_entries, 3);\n\t__uint(key_size, 4);\n"
            f"\t__array(values, int({CONTEXTS[self.prog_type]} *));\n}} jumps SEC(\".maps\") = "
            "{ .values = { [0] = (void *)&other0, [1] = (void *)&other1 } };\n\n"
        )  # fmt: skip
        return [*heads, table]

    def packet(self) -> bytes:
        """An Ethernet frame: often IP with UDP, always room for the headers."""
        body = bytearray(self.random.randbytes(self.random.choice((46, 50, 60, 86, 128, 300, 1400))))
        mac = self.random.choice((bytes(6), self.random.randbytes(6)))
        kind = self.random.choice((b"\x08\x00", b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x00\x2e"))
        if kind == b"\x08\x00":
            body[0], body[9] = 0x45, self.random.choice((6, 17, 1))
        return mac + b"\x02\0\0\0\0\x01" + kind + bytes(body)
