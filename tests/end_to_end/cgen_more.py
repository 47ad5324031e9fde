"""More statements: calls with pointers, dynptrs, checksums, classic loads, tries, acquire and release."""

from __future__ import annotations

from end_to_end.cgen import CONTEXTS, Scope, declaration
from end_to_end.cgen_maps import RING, MapStatements
from end_to_end.nodes import Node, block, expr, stmt

CLASSIC = """\
u64 load_byte(void *skb, u64 off) asm("llvm.bpf.load.byte");
u64 load_half(void *skb, u64 off) asm("llvm.bpf.load.half");
u64 load_word(void *skb, u64 off) asm("llvm.bpf.load.word");

"""
PERF = """\
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

"""
TRIE = """\
struct prefix { u32 length; u8 data[4]; };
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4);
	__uint(map_flags, 1);
	__type(key, struct prefix);
	__type(value, u64);
} trie SEC(".maps");

"""


class MoreStatements(MapStatements):
    """``by_pointer`` and ``by_ctx`` name functions that take a struct or the context."""

    compiler = ""
    tails = False

    def __init__(self, seed: int, cpu: str | None = None, prog_type: str | None = None) -> None:
        super().__init__(seed, cpu, prog_type)
        self.by_pointer: list[str] = []
        self.by_ctx: list[str] = []

    # -- functions -----------------------------------------------------------------------------------------------------

    def pointer_function(self) -> Node:
        """A function that changes the caller's struct; a global one has to look for null."""
        name, static = self.name("f"), self.chance(60)
        fields = [f"p->{letter}" for letter in "abcde"]
        scope = Scope(reads=["x", *fields], writes=fields, level=2, callback=True)
        body = block(self.statements(scope, self.random.randint(1, 3)))
        prefix, check = ("static ", "") if static else ("__weak ", "if (!p)\nreturn 3;\n")
        head = f"{prefix}__noinline u64 {name}(struct wide *p, u64 x)\n"
        self.by_pointer.append(name)
        return declaration(head + "{\n@u64 h = x;\n@return h;\n}\n\n", check, body)

    def ctx_function(self) -> Node:
        """A function that works on the context and the packet."""
        name = self.name("f")
        scope = Scope(reads=["x"], ctx=True, level=1, callback=True)
        statements = self.statements(scope, self.random.randint(1, 3))
        if self.tails and self.chance(60):
            statements.append(stmt("bpf_tail_call(ctx, &jumps, x & 1);\n"))
        body = block(statements)
        self.by_ctx.append(name)
        head = f"static __noinline u64 {name}({CONTEXTS[self.prog_type]} *ctx, u64 x)\n"
        return declaration(head + "{\nu64 h = x;\n@return h;\n}\n\n", body)

    def make_by_pointer(self, scope: Scope) -> Node:
        if not self.by_pointer or scope.commutes or scope.level > 2:
            return self.make_fold(scope)
        w, name = self.name("w"), self.random.choice(self.by_pointer)
        made = stmt("struct wide @ = {@, 2, 3, 4, 5};\n", w, self.expression(scope, 1))
        result = self.fold(scope, expr(f"{name}(&{w}, @)", self.expression(scope, 1)))
        return stmt("{\n@@@}\n", made, result, block([self.fold(scope, expr(f"{w}.{f}")) for f in "abd"]))

    def make_by_ctx(self, scope: Scope) -> Node:
        if not self.by_ctx or not scope.main or scope.packet or scope.level > 2:
            return self.make_fold(scope)
        return self.fold(scope, expr(f"{self.random.choice(self.by_ctx)}(ctx, @)", self.expression(scope, 1)))

    # -- helpers -------------------------------------------------------------------------------------------------------

    def make_classic(self, scope: Scope) -> Node:
        """BPF_LD_ABS and BPF_LD_IND: where there is no such byte, the program ends and returns 0."""
        if self.prog_type == "xdp" or not scope.main:
            return self.make_fold(scope)
        self.declare(CLASSIC)
        places = (expr("@ & 31", self.expression(scope, 1)), expr("@", self.random.randrange(56)))
        far = expr("@ + @", self.random.choice((-0x100000, -0x200000)), self.random.randrange(20))
        known = self.prog_type == "sched_cls"  # where the kernel thinks a filter's headers are: see LiveExecutable.run
        place = far if known and self.chance(20) else self.random.choice(places)
        return self.fold(scope, expr("load_@(ctx, @)", self.random.choice(("byte", "half", "word")), place))

    def make_checksum(self, scope: Scope) -> Node:
        """Checksums and marks of an skb."""
        if self.prog_type != "sched_cls" or not scope.ctx or scope.packet or scope.commutes:
            return self.make_fold(scope)
        size, flags = self.random.choice((0, 2, 4, 4, 1)), self.random.choice((0, 0, 0x10, 0x20, 0x40, 0x50))
        calls = (
            f"bpf_l3_csum_replace(ctx, @ & 63, @, @, {size})",
            f"bpf_l4_csum_replace(ctx, @ & 63, @, @, {size | flags})",
            "bpf_skb_change_type(ctx, @ & 7) + @ + @", "bpf_csum_level(ctx, @ & 3) + @ + @",
            "bpf_redirect(@ & 1, @ & 1) + @", "bpf_csum_update(ctx, @) + @ + @",
        )  # fmt: skip
        values = [self.expression(scope, 1) for _ in range(3)]
        return self.fold(scope, expr(f"(u32)({self.random.choice(calls)})", *values))

    def make_dynptr(self, scope: Scope) -> Node:
        if scope.commutes:
            return self.make_fold(scope)
        d, x, p = self.name("d"), self.name("x"), self.name("p")
        places = [self.expression(scope, 1) for _ in range(3)]
        inside = [
            self.fold(scope, expr(f"(u32)bpf_dynptr_write(&{d}, @ & 63, &{x}, 8, 0)", places[0])),
            self.fold(scope, expr(f"(u32)bpf_dynptr_read(&{x}, 8, &{d}, @ & 63, 0)", places[1])),
            self.fold(scope, expr(x)),
            stmt("u32 *@ = bpf_dynptr_data(&@, @, 4);\nif (@) {\n@}\n", p, d, self.random.choice((0, 4, 27, 29)), p,
                 block([self.fold(scope, expr(f"*{p}"))])),
        ]  # fmt: skip
        if self.chance(60):
            made = (
                f"bpf_dynptr_from_mem(garray, {self.random.choice((8, 31, 32))}, {self.random.choice((0, 0, 1))}, &{d})"
            )
            end = ""
        else:
            self.ring = self.ring or "ring"
            self.declare(RING)
            made = f"bpf_ringbuf_reserve_dynptr(&ring, {self.random.choice((8, 32, 33, 5000))}, 0, &{d})"
            end = f"bpf_ringbuf_{self.random.choice(('submit', 'discard'))}_dynptr(&{d}, 0);\n"
        first = self.fold(scope, expr(f"(u32){made}"))
        head = stmt("u64 @ = @;\nstruct bpf_dynptr @;\n@", x, places[2], d, first)
        return stmt("{\n@@@}\n", head, block(inside), end)

    def make_perf(self, scope: Scope) -> Node:
        """Nobody opened the events: -ENOENT, or -E2BIG for a CPU that is not there."""
        if not scope.ctx or scope.commutes:
            return self.make_fold(scope)
        self.declare(PERF)
        v, made = self.variable("u64", scope)
        flags = self.random.choice(("BPF_F_CURRENT_CPU", "0", "1", "77", "1ULL << 40"))
        call = expr(f"(u32)bpf_perf_event_output(ctx, &events, @, &{v}, 8)", expr(flags))
        return stmt("{\n@@}\n", made, self.fold(scope, call))

    def make_trie(self, scope: Scope) -> Node:
        if scope.commutes:
            return self.make_fold(scope)
        self.declare(TRIE)
        k, p, (v, value) = self.name("k"), self.name("p"), self.variable("u64", scope)
        key = stmt("struct prefix @ = {@, {@, @, 3, 4}};\n", k, expr("@ & 35", self.expression(scope, 1)),
                   expr("@ & 3", self.expression(scope, 1)), expr("@ & 1", self.expression(scope, 1)))  # fmt: skip
        flags = self.random.choice((0, 0, 0, 1, 2, 4))
        steps = [
            self.fold(scope, expr(f"(u32)bpf_map_update_elem(&trie, &{k}, &{v}, {flags})")),
            stmt("u64 *@ = bpf_map_lookup_elem(&trie, &@);\nif (@) {\n@}\n", p, k, p, self.with_value(scope, "u64", p)),
            self.fold(scope, expr(f"(u32)bpf_map_delete_elem(&trie, &{k})")),
        ]
        kept = [step for step in steps if self.chance(60)]
        return stmt("{\n@@@}\n", value, key, block(kept))

    def make_order(self, scope: Scope) -> Node:
        """Load-acquire and store-release, where the compiler knows them."""
        if self.cpu != "v4" or self.compiler != "ziglang" or scope.commutes:
            return self.make_fold(scope)
        size = self.random.choice(
            (("u64", "&g0"), ("u32", "&garray[3]"), ("u8", "(u8 *)&garray[1]"), ("u16", "(u16 *)&g0"))
        )
        store = stmt("__atomic_store_n(@, @, __ATOMIC_RELEASE);\n", size[1], self.expression(scope, 1))
        return stmt("@@", store, self.fold(scope, expr("__atomic_load_n(@, __ATOMIC_ACQUIRE)", size[1])))
