"""One function's text: SSA values of the registers, joins, and the ways out of it.

Registers are values, never variables: within a block the writer knows what each holds, as ``i64``, as ``ptr`` or as
both, and where blocks meet it writes a ``phi`` in the form that ``types`` says.  So LLVM gets no memory to promote,
and code that no pass has touched is small as well.  Two more values travel like registers: ``FUEL`` in checked code,
and ``LOOPS``, what may_goto has left in this frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from osmia.vm.decode import ROW
from osmia.vm.jit import blocks as b
from osmia.vm.jit import frames
from osmia.vm.jit.scopes import RUN_ACCESS, UNLIKELY
from osmia.vm.ops import IMM, MAY_GOTO_LOOPS
from osmia.vm.runwords import OFFSETS

if TYPE_CHECKING:
    from osmia.vm.decode import Row
    from osmia.vm.jit.blocks import Block, Function
    from osmia.vm.jit.module import Module

FUEL, LOOPS, VALUES = 11, 12, 13
Values = list[str | None]


class Writer:
    """Writes one function.  ``slot`` and ``row`` are those being written, ``state`` the kinds before them."""

    def __init__(self, module: Module, function: Function) -> None:
        self.module, self.function = module, function
        self.source, self.types, self.checked = module.source, module.types, module.checked
        self.rows: Sequence[Row] = module.source.code.rows
        self.lines: list[str] = []
        self.nums: Values = [None] * VALUES
        self.ptrs: Values = [None] * VALUES
        self.label = "entry"
        self.block = function.first
        self.slot, self.rest = function.entry, 0
        self.row: Row = self.rows[function.entry]
        self.state = list(module.types.at[function.entry][function.entry])
        self.carried = [FUEL] if self.checked else []
        if any(self.rows[s].op == b.MAY_GOTO for block in function.blocks.values() for s in block.slots):
            self.carried.append(LOOPS)
        self.wants_packet = False
        self.packet_words: set[str] = set()
        self.is_leaf = not any(self.rows[s].op in b.CALLS for block in function.blocks.values() for s in block.slots)
        self._names = 0
        self._outs: dict[int, tuple[str, Values, Values]] = {}
        self._joins: list[tuple[int, Block]] = []
        self._failures: list[tuple[str, str]] = []

    # -- lines -------------------------------------------------------------------------------------------------

    def let(self, text: str) -> str:
        """Write an instruction; returns its result's name."""
        self._names += 1
        name = f"%t{self._names}"
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Write an instruction without a result."""
        self.lines.append("  " + text)

    def fresh(self, what: str) -> str:
        """A new label."""
        self._names += 1
        return f"{what}{self._names}"

    def at(self, label: str) -> None:
        """Begin an LLVM block."""
        self.lines.append(f"{label}:")
        self.label = label

    def unless(self, bad: str, target: str) -> None:
        """Go to ``target`` in the unlikely case that ``bad`` (an i1) is true."""
        go = self.fresh("go")
        self.do(f"br i1 {bad}, label %{target}, label %{go}{UNLIKELY}")
        self.at(go)

    # -- values of registers -----------------------------------------------------------------------------------

    def num(self, register: int) -> str:
        """The register as i64."""
        value = self.nums[register]
        if value is None:
            pointer = self.ptrs[register]
            value = "0" if pointer in (None, "null") else self.let(f"ptrtoint ptr {pointer} to i64")
            self.nums[register] = value
        return value

    def ptr(self, register: int) -> str:
        """The register as ptr."""
        value = self.ptrs[register]
        if value is None:
            number = self.nums[register]
            value = "null" if number in (None, "0") else self.let(f"inttoptr i64 {number} to ptr")
            self.ptrs[register] = value
        return value

    def set_num(self, register: int, value: str) -> None:
        """Give it a new value."""
        self.nums[register], self.ptrs[register] = value, None

    def set_ptr(self, register: int, value: str) -> None:
        """Give it a new value that is a pointer."""
        self.nums[register], self.ptrs[register] = None, value

    def copy(self, target: int, register: int) -> None:
        """Give it another register's value, in all forms known."""
        self.nums[target], self.ptrs[target] = self.nums[register], self.ptrs[register]

    def operand(self) -> str:
        """The row's second operand as i64."""
        row = self.row
        return str(signed(row.imm)) if row.src == IMM else self.num(row.src)

    # -- the run's words ---------------------------------------------------------------------------------------

    def word(self, name: str) -> str:
        """The address of a word of the run."""
        offset = OFFSETS[name]
        return self.let(f"getelementptr i8, ptr %run, i64 {offset}") if offset else "%run"

    def load_word(self, name: str, type: str = "i64") -> str:
        """A word of the run."""
        return self.let(f"load {type}, ptr {self.word(name)}, align 8{RUN_ACCESS}")

    def store_word(self, name: str, value: str) -> None:
        """Set a word of the run."""
        self.do(f"store i64 {value}, ptr {self.word(name)}, align 8{RUN_ACCESS}")

    def row_address(self) -> str:
        """The address of the decoder's row being written."""
        return code_address(self.module.code(), self.slot)

    def packet(self) -> str:
        """The state of the packet; of one without a byte where there is none."""
        self.wants_packet = True
        return "%packet"

    # -- ways out ----------------------------------------------------------------------------------------------

    def refund(self) -> str:
        """The fuel without what the rest of the block would have cost."""
        fuel = self.nums[FUEL] or "0"
        return fuel if not self.checked or not self.rest else self.let(f"add i64 {fuel}, {self.rest}")

    def failing(self, refund: str | None = None) -> str:
        """The label of the block that leaves the function after a fault; call it where the branch is written."""
        fuel = self.refund() if refund is None else refund
        self._failures.append((fuel, self.label))
        return "out"

    def leave(self, value: str, fuel: str) -> None:
        """Return from the function."""
        if self.checked:
            self.store_word("fuel", fuel)
        if self.module.frames[self.function.entry].in_run:
            self.store_word("room", "%room")
        self.do(f"ret i64 {value}")

    def check_fault(self) -> None:
        """After something was called that may have failed: leave if it did."""
        refund = self.refund()
        bad = self.let(f"icmp ne i64 {self.load_word('fault')}, 0")
        self.unless(bad, self.failing(refund))

    def sync(self) -> None:
        """Before something outside is called: write the fuel where it is seen."""
        if self.checked:
            self.store_word("fuel", self.nums[FUEL] or "0")

    def resync(self) -> None:
        """After it: read the fuel again."""
        if self.checked:
            self.nums[FUEL] = self.load_word("fuel")

    # -- blocks ------------------------------------------------------------------------------------------------

    def open(self, block: Block) -> None:
        """Begin a block: its registers are those of its only predecessor, or joined."""
        self.block, self.label = block, f"b{block.start}"
        self.lines.append(f"{self.label}:")
        self.state = list(self.types.at[self.function.entry][block.start])
        if len(block.preds) == 1:
            _, nums, ptrs = self._outs[block.preds[0]]
            self.nums, self.ptrs = list(nums), list(ptrs)
            return
        self._joins.append((len(self.lines), block))
        self.lines.append("")
        self.nums, self.ptrs = [None] * VALUES, [None] * VALUES
        self.set_ptr(10, "%fp")
        for number, form, name in self._joined(block):
            (self.ptrs if form == "ptr" else self.nums)[number] = name

    def _joined(self, block: Block) -> list[tuple[int, str, str]]:
        """Number, type and name of each value that is joined at the start of a block."""
        state = self.types.at[self.function.entry][block.start]
        found = [(n, "i64", f"%v{n}.{block.start}") for n in self.carried]
        for number in b.registers(block.live & 0x3FF):
            kind = state[number]
            pointer = kind is not None and kind.is_pointer
            found.append((number, "ptr" if pointer else "i64", f"%{'p' if pointer else 'r'}{number}.{block.start}"))
        return found

    def close(self, start: int, after: Sequence[int]) -> None:
        """Before a block's last instruction: have all values in the form in which its successors join them."""
        for target in after:
            block = self.function.blocks[target]
            if len(block.preds) > 1:
                for number, form, _ in self._joined(block):
                    self.ptr(number) if form == "ptr" else self.num(number)
        self._outs[start] = self.label, list(self.nums), list(self.ptrs)

    def goto(self, target: int) -> None:
        """End the block with a jump."""
        self.close(self.block.start, (target,))
        self.do(f"br label %b{target}")

    def fork(self, condition: str, taken: int, other: int) -> None:
        """End the block with a choice."""
        if taken == other:
            self.goto(taken)
            return
        self.close(self.block.start, (taken, other))
        self.do(f"br i1 {condition}, label %b{taken}, label %b{other}")

    def finish(self) -> str:
        """The function's body: fill in the joins, add the way out."""
        self.lines[0] = frames.prologue(self)
        for line, block in self._joins:
            self.lines[line] = "\n".join(self._phi(block, *value) for value in self._joined(block))
        if self._failures:
            self._write_out()
        return "\n".join(line for line in self.lines if line)

    def _phi(self, block: Block, number: int, form: str, name: str) -> str:
        parts = []
        for pred in block.preds:
            label, nums, ptrs = self._outs[pred]
            parts.append(f"[ {(ptrs if form == 'ptr' else nums)[number]}, %{label} ]")
        return f"  {name} = phi {form} {', '.join(parts)}"

    def _write_out(self) -> None:
        self.at("out")
        fuel = "0"
        if self.checked:
            fuel = self.let("phi i64 " + ", ".join(f"[ {fuel}, %{label} ]" for fuel, label in self._failures))
            self.store_word("fuel", fuel)
        self.do("ret i64 0")

    def begin(self) -> None:
        """The values with which the function starts."""
        state = self.types.at[self.function.entry][self.function.entry]
        for number in self.function.wanted:
            kind = state[number]
            if kind is not None and kind.is_pointer:
                self.ptrs[number] = f"%a{number}"
            else:
                self.nums[number] = f"%a{number}"
        self.set_ptr(10, "%fp")
        self.lines.append("")  # the prologue, once it is known what it has to do
        self.nums[LOOPS] = str(MAY_GOTO_LOOPS)
        if self.checked:
            self.nums[FUEL] = self.load_word("fuel")
        self.close(b.ENTRY, (self.function.entry,))
        self.do(f"br label %b{self.function.entry}")


def signed(value: int) -> int:
    """A u64 as LLVM prints it."""
    return (value ^ (1 << 63)) - (1 << 63)


def code_address(code: str, slot: int) -> str:
    """The constant that is the address of a row, and the callback pointer of its function."""
    return f"ptrtoint (ptr getelementptr (i8, ptr {code}, i64 {ROW.size * slot}) to i64)"
