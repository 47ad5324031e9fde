"""Statements on maps: every type that programs reach through helpers, atomics on values, callbacks over elements."""

from __future__ import annotations

from end_to_end.cgen import Scope, Statements, declaration
from end_to_end.nodes import Node, block, expr, stmt

ARRAYS, HASHES, QUEUES = (
    ("array", "percpu_array"),
    ("hash", "lru_hash", "percpu_hash", "lru_percpu_hash"),
    ("queue", "stack"),
)
INNER = """\
struct inner {
	__uint(type, BPF_MAP_TYPE_@);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, @);
} inner0 SEC(".maps"), inner1 SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_@_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [0] = &inner0, [2] = &inner1 } };

"""
RING = """\
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

"""


class MapStatements(Statements):
    """``maps`` holds (name, type, key type, value type, entries)."""

    def __init__(self, seed: int, cpu: str | None = None, prog_type: str | None = None) -> None:
        super().__init__(seed, cpu, prog_type)
        self.maps: list[tuple[str, str, str, str, int]] = []
        self.declared: list[Node] = []
        self.callbacks: list[Node] = []
        self.outer: str | None = None
        self.ring: str | None = None
        self.once: set[str] = set()

    def map(self, types: tuple[str, ...]) -> tuple[str, str, str, str, int]:
        """A map of one of the types: one that is there, or a new one."""
        there = [m for m in self.maps if m[1] in types]
        if there and (self.chance(65) or len(there) > 2):
            return self.random.choice(there)
        name, kind = self.name("m"), self.random.choice(types)
        key = "u32" if kind in ARRAYS else self.random.choice(("u32", "u64", "struct pair", "u16"))
        value = self.random.choice(("u64", "u64", "u32", "struct wide", "u8", "s16"))
        entries = self.random.choice((1, 2, 4, 5, 8, 16))
        keyed = f"\t__type(key, {key});\n" if kind not in QUEUES else ""
        pre = "\t__uint(map_flags, 1);\n" if kind in ("hash", "percpu_hash") and self.chance(30) else ""
        self.declared.append(declaration(
            f"struct {{\n\t__uint(type, BPF_MAP_TYPE_{kind.upper()});\n\t__uint(max_entries, {entries});\n"
            f"{keyed}{pre}\t__type(value, {value});\n}} {name} SEC(\".maps\");\n\n"
        ))  # fmt: skip
        self.maps.append((name, kind, key, value, entries))
        return self.maps[-1]

    def variable(self, kind: str, scope: Scope, limit: int = 0) -> tuple[str, Node]:
        """A key or value on the stack with every byte set, and the statement that makes it."""
        name = self.name("k")
        value = self.expression(scope, 2)
        if limit:
            mask = max(1, 1 << (limit - 1).bit_length()) * (2 if self.chance(20) else 1) - 1
            value = expr("(@ & @)", value, mask)
        if kind == "struct pair":
            return name, stmt(
                "struct pair @ = {.a = @, .b = @, .c = 1};\n", name, value, expr("@", self.random.randrange(3))
            )
        if kind == "struct wide":
            return name, stmt("struct wide @ = {@, @, 3, 4, 5};\n", name, value, self.expression(scope, 1))
        return name, stmt("@ @ = @;\n", kind, name, value)

    def seen(self, kind: str, pointer: str) -> list[str]:
        """What can be read and written through a pointer to a value."""
        if kind == "struct wide":
            return [f"{pointer}->{letter}" for letter in "abcde"]
        return [f"(*{pointer})"]

    def with_value(self, scope: Scope, kind: str, pointer: str) -> Node:
        """Statements where a pointer to a map's value is good."""
        inner = scope.deeper()
        fields = self.seen(kind, pointer)
        inner.reads += fields
        body = [self.fold(scope, expr(f)) for f in fields[:2]]
        if not scope.commutes:
            inner.writes += fields
        for _ in range(self.random.randint(1, 2)):
            if self.chance(45) and kind in ("u64", "u32", "struct wide") and not scope.commutes:
                body.append(self.atomic(inner, "u32" if kind == "u32" else "u64", f"&{fields[0]}"))
            else:
                body.append(self.statement(inner))
        return block(body)

    def atomic(self, scope: Scope, kind: str, pointer: str) -> Node:
        """An atomic operation; its result is used where the instruction set has that."""
        rich = self.cpu in ("v3", "v4")
        value = self.expression(scope, 2)
        if not rich:
            return stmt("__sync_fetch_and_add(@, @ | 1);\n", pointer if kind == "u64" else f"(u32 *){pointer}", value)
        op = self.random.choice(("add", "sub", "or", "and", "xor", "swap", "cas", "add"))
        if op == "swap":
            return self.fold(scope, expr("__sync_lock_test_and_set(@, @)", pointer, value))
        if op == "cas":
            old = expr("(@ & 3)", self.expression(scope, 1)) if self.chance(50) else expr("*(@)", pointer)
            return self.fold(scope, expr("__sync_val_compare_and_swap(@, @, @)", pointer, old, value))
        call = expr("__sync_fetch_and_@(@, (@)@)", op, pointer, kind, value)
        return self.fold(scope, call) if self.chance(70) else stmt("@;\n", call)

    def declare(self, text: str) -> None:
        """Put a declaration before the functions, once."""
        if text not in self.once:
            self.once.add(text)
            self.declared.append(declaration(text))

    # -- statements ----------------------------------------------------------------------------------------------------

    def make_lookup(self, scope: Scope) -> Node:
        name, kind, key, value, entries = self.map(ARRAYS + HASHES)
        k, made = self.variable(key, scope, entries)
        pointer = self.name("p")
        call = f"bpf_map_lookup_elem(&{name}, &{k})"
        if "percpu" in kind and self.chance(20):
            call = f"bpf_map_lookup_percpu_elem(&{name}, &{k}, {self.random.choice((0, 0, 1, 77))})"
        there, absent = self.with_value(scope, value, pointer), block([self.fold(scope, expr("99"))])
        found = stmt("if (@) {\n@} else {\n@}\n", pointer, there, absent)
        return stmt("{\n@@ *@ = @;\n@}\n", made, value, pointer, call, found)

    def make_update(self, scope: Scope) -> Node:
        name, _, key, value, entries = self.map(ARRAYS + HASHES)
        (k, key_made), (v, value_made) = self.variable(key, scope, entries), self.variable(value, scope)
        flags = self.random.choice((0, 0, 0, 1, 2, 3, 4, 8))
        call = expr("(u32)bpf_map_update_elem(&@, &@, &@, @)", name, k, v, expr("@", flags))
        return stmt("{\n@@@}\n", key_made, value_made, self.fold(scope, call))

    def make_delete(self, scope: Scope) -> Node:
        name, _, key, _, entries = self.map(HASHES if self.chance(80) else ARRAYS)
        k, made = self.variable(key, scope, entries)
        return stmt("{\n@@}\n", made, self.fold(scope, expr("(u32)bpf_map_delete_elem(&@, &@)", name, k)))

    def make_queue(self, scope: Scope) -> Node:
        name, _, _, value, _ = self.map(QUEUES)
        v, made = self.variable(value, scope)
        what = self.random.choice(("push", "push", "pop", "peek"))
        flags = f", {self.random.choice((0, 0, 2, 1))}" if what == "push" else ""
        call = self.fold(scope, expr(f"(u32)bpf_map_{what}_elem(&{name}, &{v}{flags})"))
        after = [self.fold(scope, expr(f)) for f in self.seen(value, f"(&{v})")[:3]]
        return stmt("{\n@@@}\n", made, call, block(after))

    def make_inner(self, scope: Scope) -> Node:
        if self.outer is None:
            kind = self.random.choice(("u64", "u32", "struct wide"))
            self.declared.append(declaration(
                INNER, self.random.choice(("ARRAY", "HASH")), kind, self.random.choice(("ARRAY", "HASH"))
            ))  # fmt: skip
            self.outer = kind
        slot, k, p, m = (self.name(letter) for letter in "kkpm")
        value, (v, made) = self.outer, self.variable(self.outer, scope)
        update = self.fold(scope, expr(f"(u32)bpf_map_update_elem({m}, &{k}, &{v}, @)", self.random.choice((0, 1, 2))))
        return stmt(
            "{\nu32 @ = @ & 3, @ = @ & 7;\nvoid *@ = bpf_map_lookup_elem(&outer, &@);\nif (@) {\n@@@ *@ = "
            "bpf_map_lookup_elem(@, &@);\nif (@) {\n@}\n} else {\n@}\n}\n",
            slot, self.expression(scope, 1), k, self.expression(scope, 1), m, slot, m, made, update, value, p, m, k, p,
            self.with_value(scope, value, p), block([self.fold(scope, expr("55"))]),
        )  # fmt: skip

    def make_each(self, scope: Scope) -> Node:
        """bpf_for_each_map_elem: what comes out does not depend on the order of a hash's elements."""
        if scope.level > 2 or scope.callback:
            return self.make_fold(scope)
        name, kind, key, value, _ = self.map(ARRAYS[:1] + HASHES[:2] + ("percpu_array",))
        callback, total = self.name("each"), self.name("w")
        inner = Scope(reads=[f"s->{f}" for f in "bc"], level=2, callback=True, commutes=True)
        inner.reads += self.seen(value, "value") + (
            [f"key->{f}" for f in "abc"] if key == "struct pair" else ["(*key)"]
        )
        body = block(self.statements(inner, self.random.randint(1, 3)))
        write = ""
        if self.chance(40):
            write = f"{self.seen(value, 'value')[0]} += 3;\n"
        if kind in HASHES and self.chance(20):
            write = f"bpf_map_delete_elem(&{name}, key);\n"
        stop = "h % 3 == 0" if kind in ARRAYS and self.chance(30) else "0"
        self.callbacks.append(declaration(
            f"static long {callback}(struct bpf_map *map, {key} *key, {value} *value, struct wide *s)\n"
            "{\nu64 h = s->a;\n@@s->a = h;\nreturn @;\n}\n\n", body, stmt(write), expr(stop)
        ))  # fmt: skip
        result = expr(f"(u32)bpf_for_each_map_elem(&{name}, {callback}, &{total}, 0)")
        made = "{\nstruct wide @ = {@, @, 7, 8, 9};\n@@}\n"
        call = stmt("@", self.fold(scope, result))
        return stmt(made, total, expr("1"), self.expression(scope, 1), call, self.fold(scope, expr(f"{total}.a")))

    def make_bpf_loop(self, scope: Scope) -> Node:
        if scope.level > 2 or scope.callback:
            return self.make_fold(scope)
        callback, state = self.name("turn"), self.name("w")
        fields = [f"s->{f}" for f in "abcde"]
        inner = Scope(reads=["i", *fields], writes=fields, level=2, callback=True)
        body = block(self.statements(inner, self.random.randint(1, 3)))
        end = expr("@", self.random.choice(("0", "h % 7 == 0", "i == 5")))
        head = f"static long {callback}(u32 i, struct wide *s)\n"
        self.callbacks.append(declaration(head + "{\nu64 h = s->a;\n@s->a = h;\nreturn @;\n}\n\n", body, end))
        turns = self.expression(scope, 1)
        result = expr(
            f"(u32)bpf_loop((@ & @) + 1, {callback}, &{state}, @)",
            turns,
            self.random.choice((3, 15, 63)),
            expr(self.random.choice("0001")),
        )
        made = "{\nstruct wide @ = {@, 5, 7, 8, 9};\n@@}\n"
        return stmt(
            made,
            state,
            self.expression(scope, 1),
            self.fold(scope, result),
            self.fold(scope, expr(f"{state}.a + {state}.b")),
        )

    def make_ring(self, scope: Scope) -> Node:
        if self.ring is None:
            self.ring = "ring"
            self.declare(RING)
        which = self.random.randrange(4)
        if which == 0:
            v, made = self.variable("struct wide", scope)
            size = self.random.choice((1, 7, 8, 16))
            return stmt(
                "{\n@@}\n",
                made,
                self.fold(
                    scope, expr(f"(u32)bpf_ringbuf_output(&ring, &{v}, {size}, @)", self.random.choice((0, 0, 1, 2, 4)))
                ),
            )
        if which == 1:
            return self.fold(scope, expr("bpf_ringbuf_query(&ring, @)", self.random.choice((0, 1, 2, 3, 9))))
        r = self.name("r")
        size = self.random.choice((16, 17, 24, 100, 1000))
        end = self.random.choice(("submit", "submit", "discard"))
        inner = scope.deeper(level=3)
        inner.reads, inner.writes = [*inner.reads, f"{r}->a", f"{r}->b"], [*inner.writes, f"{r}->a", f"{r}->b"]
        body = self.statements(inner, 2)
        return stmt(
            "{\nstruct wide *@ = bpf_ringbuf_reserve(&ring, @, 0);\nif (@) {\n__builtin_memset(@, 0x5a, @);\n"
            "*@ = (struct wide){@, 2, 3, 4, 5};\n@bpf_ringbuf_@(@, 0);\n} else {\n@}\n}\n",
            r, size, r, r, size, r, self.expression(scope, 1), block(body), end, r, self.fold(scope, expr("11")),
        )  # fmt: skip
