"""Which stack slots each instruction may read and surely writes, worked out before the walk.

Pointers into the stack are followed along each function: which frame, which of at most four offsets.  A function that
gets such pointers is looked at for each call that hands it some.  Facts are kept by half slots of four bytes: bit 2n is
the upper half of slot n (nearer to the frame pointer), bit 2n + 1 the lower.  (``kernel/bpf/liveness.c``, Linux 7.1.)
"""

from __future__ import annotations

from errno import E2BIG, EINVAL

from osmia.isa import consts as c
from osmia.verifier import stack_tracks as t
from osmia.verifier.call_bytes import UNKNOWN_BYTES, call_bytes
from osmia.verifier.const_regs import SIZES
from osmia.verifier.env import Env
from osmia.verifier.flow import insn_successors, is_pseudo_call
from osmia.verifier.insn import VInsn
from osmia.verifier.lines import insn_text, verbose_insn
from osmia.verifier.live_stack import postorder
from osmia.verifier.stack_tracks import NONE, Track, is_fp, joined, show, single
from osmia.verifier.state import State
from osmia.verifier.summary import call_summary

ALL = (1 << 128) - 1
"""Every half slot of a frame."""
FRAMES, CALLS, GLOBAL = 8, 10000, 1
ARGUMENTS = range(1, 6)
CALL = c.BPF_JMP | c.BPF_CALL
CALLBACKS = {181: (2, 3, 2), 164: (2, 3, 4), 180: (3, 4, 3), 209: (2, 3, 2)}
"""By helper (loop, for_each_map_elem, find_vma, user_ringbuf_drain): the registers that hold the function and its
context, and the callback's register that gets the context."""


class Use:
    """A function at a depth, called from ``callsite`` (its own start when nobody did): facts per frame and instruction.

    ``reads``, ``writes``, ``live`` are by frame: a list with a mask for each instruction, or None.
    """

    def __init__(self, callsite: int, depth: int, number: int, start: int, size: int) -> None:
        self.callsite, self.depth, self.number, self.start, self.size = callsite, depth, number, start, size
        self.reads: list[list[int] | None] = [None] * (depth + 1)
        self.writes: list[list[int] | None] = [None] * (depth + 1)
        self.live: list[list[int] | None] = [None] * (depth + 1)
        self.settled = False

    def _need(self, frame: int) -> None:
        if self.reads[frame] is None:
            self.reads[frame], self.writes[frame] = [0] * self.size, [0] * self.size
            self.live[frame] = [0] * self.size

    def read(self, frame: int, idx: int, mask: int) -> None:
        """The instruction may read these half slots."""
        self._need(frame)
        self.reads[frame][idx - self.start] |= mask  # type: ignore[index]

    def write(self, frame: int, idx: int, mask: int) -> None:
        """The instruction surely writes these."""
        self._need(frame)
        self.writes[frame][idx - self.start] |= mask  # type: ignore[index]

    def live_before(self, idx: int, frame: int) -> int:
        """What may be read from the instruction on."""
        live = self.live[frame]
        return live[idx - self.start] if live is not None else 0

    def merge(self, other: Use) -> None:
        """The same function for another call: read on any of the ways, written on all of them."""
        for frame in range(self.depth + 1):
            reads, writes = other.reads[frame], other.writes[frame]
            mine, own = self.reads[frame], self.writes[frame]
            if reads is None or writes is None or mine is None or own is None:
                if mine is None and reads is not None:
                    self.reads[frame], self.live[frame] = reads, other.live[frame]
                self.writes[frame] = None if self.reads[frame] is None else [0] * self.size
                continue
            for i in range(self.size):
                mine[i] |= reads[i]
                own[i] &= writes[i]


class StackUse:
    """``env.room["stack_use"]``: every ``Use`` by call site and depth, and what stood in the stack at calls."""

    def __init__(self) -> None:
        self.uses: dict[tuple[int, int], Use] = {}
        self.stacks: dict[int, list[Track]] = {}
        self.analyzed: set[int] = set()
        self.calls = 0

    def at(self, env: Env, callsite: int, depth: int, number: int) -> Use:
        """The facts of a function at a depth, empty ones if there are none yet."""
        start = env.subprogs[number].start
        key = (callsite if depth else start, depth)
        if key not in self.uses:
            self.uses[key] = Use(key[0], depth, number, start, env.subprog_end(number) - start)
        return self.uses[key]


def compute_stack_use(env: Env) -> None:
    """Look at every function, callers before what they call.  Raises Rejected when there is too much to look at."""
    found = env.room["stack_use"] = StackUse()
    for number in reversed(env.room["topo_order"]):
        if number not in found.analyzed or env.subprogs[number].linkage == GLOBAL:
            _analyze(env, found, found.at(env, 0, 0, number), None, [0] * FRAMES)
    if env.log.level2:
        for key in sorted(found.uses):
            _print_use(env, found.uses[key])


def _analyze(env: Env, found: StackUse, known: Use, entry: list[Track] | None, callsites: list[int]) -> None:
    """A function with these arguments, and what it calls with pointers into the stack."""
    found.calls += 1
    if found.calls > CALLS:
        text = f"liveness analysis exceeded complexity limit ({found.calls} calls)\n"
        raise env.reject(E2BIG, "stack-use-complexity", text)
    use = Use(known.callsite, known.depth, known.number, known.start, known.size) if known.settled else known
    found.analyzed.add(use.number)
    tracks = _follow(env, found, use, entry, callsites)
    for idx in postorder(env, use.number):
        _analyze_call(env, found, use, tracks[idx - use.start], idx, callsites)
    if use is not known:
        known.merge(use)
    _settle(env, known)


def _analyze_call(
    env: Env, found: StackUse, use: Use, regs: list[Track] | None, idx: int, callsites: list[int]
) -> None:  # fmt: skip
    insn = env.insns[idx]
    passed = [NONE] * t.REGISTERS
    if regs is None:
        return
    if is_pseudo_call(insn):
        callee = env.find_subprog(idx + insn.imm + 1)
        for r in ARGUMENTS:
            passed[r] = regs[r]
    elif insn.calls_callback and insn.src == 0 and insn.imm in CALLBACKS:
        function, context, becomes = CALLBACKS[insn.imm]
        known = env.room["const_regs"][idx][function]
        if known[0] != "function":
            if regs[context] != NONE:
                for frame in range(use.depth + 1):
                    use.read(frame, idx, ALL)
            return
        callee, passed[becomes] = known[1], regs[context]
    else:
        return
    if callee < 0 or not any(is_fp(passed[r]) for r in ARGUMENTS):
        return
    if use.depth == FRAMES - 1:
        raise env.reject(EINVAL, "call-depth", "")
    callsites[use.depth] = idx
    called = found.at(env, idx, use.depth + 1, callee)
    _analyze(env, found, called, passed, callsites)
    for frame in range(called.depth):
        if called.live[frame] is not None:
            use.read(frame, idx, called.live_before(called.start, frame))


def _follow(
    env: Env, found: StackUse, use: Use, entry: list[Track] | None, callsites: list[int]
) -> list[list[Track] | None]:  # fmt: skip
    """What the registers are before each instruction of a function; notes what it reads and writes on the way."""
    end = use.start + use.size
    regs_in: list[list[Track] | None] = [None] * use.size
    slots_in: list[list[Track]] = [[] for _ in range(use.size)]
    first = [NONE] * t.REGISTERS if entry is None else list(entry)
    first[10] = single(use.depth, 0)
    regs_in[0] = first
    slots_in[0] = [NONE] * t.SLOTS
    if env.log.level2:
        env.say(f"subprog#{use.number}: analyzing (depth {use.depth})...\n")
    order = list(reversed(postorder(env, use.number)))
    flow = t.Flow(env, use.depth, found.stacks, callsites)
    changed = True
    while changed:
        changed = False
        for idx in order:
            at = idx - use.start
            before = regs_in[at]
            if before is None:
                continue
            regs, slots = list(before), list(slots_in[at])
            flow.step(env.insns[idx], regs, slots)
            if env.log.level2:
                _log_step(env, idx, before, slots_in[at], regs, slots)
            for target in insn_successors(env, idx):
                if use.start <= target < end and _arrive(env, idx, target, use.start, regs_in, slots_in, regs, slots):
                    changed = True
    for idx in order:
        reached = regs_in[idx - use.start]
        insn = env.insns[idx]
        if reached is not None:
            _note_access(use, insn, reached)
            if insn.code == CALL and not is_pseudo_call(insn):
                _note_call(env, use, insn, reached)
        if is_pseudo_call(insn) or insn.calls_callback:
            found.stacks[idx] = slots_in[idx - use.start]
    if env.log.level2:
        _print_tracks(env, use, regs_in, slots_in)
    return regs_in


def _arrive(
    env: Env, idx: int, target: int, start: int, regs_in: list[list[Track] | None], slots_in: list[list[Track]],
    regs: list[Track], slots: list[Track],
) -> bool:  # fmt: skip
    """One more way leads to ``target``; did that change what is known there?"""
    known = regs_in[target - start]
    if known is None:
        regs_in[target - start], slots_in[target - start] = list(regs), list(slots)
        return True
    changed = False
    if known != regs:
        changed = _join(env, idx, target, known, regs, True)
    if slots_in[target - start] != slots:
        changed = _join(env, idx, target, slots_in[target - start], slots, False) or changed
    return changed


def _join(env: Env, idx: int, target: int, known: list[Track], new: list[Track], are_regs: bool) -> bool:
    changed = False
    for r, (old, other) in enumerate(zip(known, new, strict=True)):
        if old == other:
            continue
        both = joined(old, other)
        if both == old:
            continue
        known[r] = both
        changed = True
        if env.log.level2:
            where = f"r{r}" if are_regs else f"fp{-(r + 1) * 8:+d}"
            env.say(f"arg JOIN insn {idx} -> {target} {where}: {show(old)} + {show(other)} => {show(both)}\n")
    return changed


# -- what an instruction reads and writes


def _note_access(use: Use, insn: VInsn, regs: list[Track]) -> None:
    kind, size = insn.code & 7, SIZES[insn.code & 0x18]
    atomic = kind == c.BPF_STX and insn.code & 0xE0 == c.BPF_ATOMIC
    if kind == c.BPF_LDX or (atomic and insn.imm == c.BPF_LOAD_ACQ):
        pointer = regs[insn.src]
    elif kind in (c.BPF_ST, c.BPF_STX):
        pointer = regs[insn.dst]
        if not atomic or insn.imm == c.BPF_STORE_REL:
            size = -size
    else:
        return
    _note(use, t.moved(pointer, insn.off), size, insn.idx)


def _note_call(env: Env, use: Use, insn: VInsn, regs: list[Track]) -> None:
    """What a helper or a kernel function does with pointers into the stack."""
    summary = call_summary(env, insn)
    for r in range(1, 1 + min(5, summary.params if summary is not None else 5)):
        if is_fp(regs[r]):
            size = call_bytes(env, insn, r - 1)
            if size:
                _note(use, regs[r], size, insn.idx)


def _note(use: Use, pointer: Track, size: int, idx: int) -> None:
    """``size`` bytes are read behind a pointer, or (negative) written, or nobody knows how many."""
    frame, offsets = pointer
    if frame == t.IMPRECISE:
        for bit in range(use.depth + 1):
            if offsets[0] >> bit & 1:
                use.read(bit, idx, ALL)
    elif 0 <= frame <= use.depth:
        reads = size == UNKNOWN_BYTES or size > 0
        if not offsets and reads:
            use.read(frame, idx, ALL)
        if reads or len(offsets) == 1:
            for off in offsets:
                _note_off(use, frame, off, size, idx)


def _note_off(use: Use, frame: int, off: int, size: int, idx: int) -> None:
    if off >= 0:
        return
    if size == UNKNOWN_BYTES:
        use.read(frame, idx, bits(0, (-off - 1) // 4))
    elif size > 0:
        use.read(frame, idx, bits(max((-off - size) // 4, 0), (-off - 1) // 4))
    else:
        low, high = max((-off + size + 3) // 4, 0), -off // 4 - 1
        if low <= high:
            use.write(frame, idx, bits(low, high))


def bits(low: int, high: int) -> int:
    """The half slots from ``low`` to ``high``."""
    return ((2 << high) - (1 << low)) & ALL


def _settle(env: Env, use: Use) -> None:
    """Carry what is read backwards until nothing changes."""
    use.settled = True
    order = list(postorder(env, use.number))
    changed = True
    while changed:
        changed = False
        for frame in range(use.depth + 1):
            reads, writes, live = use.reads[frame], use.writes[frame], use.live[frame]
            if reads is None or writes is None or live is None:
                continue
            for idx in order:
                at = idx - use.start
                first, second = insn_successors(env, idx)
                if first < 0:
                    continue
                after = live[first - use.start] | (live[second - use.start] if second >= 0 else 0)
                new = after & ~writes[at] | reads[at]
                if new != live[at]:
                    live[at] = new
                    changed = True


# -- what the walk asks


def live_halves(env: Env, state: State) -> list[int]:
    """For each frame of a state, the half slots that it, or its callers once it returns, may still read."""
    uses = [_use_of(env, state, frame) for frame in range(state.curframe + 1)]
    return [_live_half(env, state, uses, frame) for frame in range(state.curframe + 1)]


def _use_of(env: Env, state: State, frameno: int) -> Use | None:
    frame = state.frames[frameno]
    start = env.subprogs[frame.subprogno].start
    uses: dict[tuple[int, int], Use] = env.room["stack_use"].uses
    for depth in range(frameno, 0, -1):
        if (frame.callsite, depth) in uses:
            return uses[frame.callsite, depth]
    return uses.get((start, 0))


def _live_half(env: Env, state: State, uses: list[Use | None], frameno: int) -> int:
    innermost = uses[state.curframe]
    if innermost is None:
        return ALL
    mask, at = 0, frameno + innermost.depth - state.curframe
    if 0 <= at <= innermost.depth:
        mask = innermost.live_before(state.insn_idx, at)
    for i in range(frameno, state.curframe):
        use = uses[i]
        at = frameno + use.depth - i if use is not None else -1
        if use is None or at > use.depth or at < 0:
            return ALL
        callsite = state.frames[i + 1].callsite
        mask |= use.live_before(callsite if env.insns[callsite].calls_callback else callsite + 1, at)
    return mask


# -- the log


def _log_step(
    env: Env, idx: int, regs_in: list[Track], slots_in: list[Track], regs: list[Track], slots: list[Track]
) -> None:  # fmt: skip
    parts = [f"\tr{i}: {show(a)} -> {show(b)}" for i, (a, b) in enumerate(zip(regs_in, regs, strict=True)) if a != b]
    parts += [
        f"\tfp{-(i + 1) * 8:+d}: {show(a)} -> {show(b)}"
        for i, (a, b) in enumerate(zip(slots_in, slots, strict=True)) if a != b
    ]  # fmt: skip
    if parts:
        env.say(f"{idx:3d}: {insn_text(env, env.insns[idx])[:-1]}" + "".join(parts) + "\n")


def _title(env: Env, number: int) -> str:
    name = env.subprogs[number].name
    return f"subprog#{number} {name}" if name else f"subprog#{number}"


def _slots_of(env: Env, use: Use) -> list[int]:
    """The instructions of a function, without the second halves of 64-bit loads."""
    found, idx = [], use.start
    while idx < use.start + use.size:
        found.append(idx)
        idx += 2 if env.insns[idx].code == c.LD_IMM64 else 1
    return found


def _print_tracks(env: Env, use: Use, regs_in: list[list[Track] | None], slots_in: list[list[Track]]) -> None:
    env.say(f"{_title(env, use.number)}:\n")
    for idx in _slots_of(env, use):
        insn, regs, slots = env.insns[idx], regs_in[idx - use.start], slots_in[idx - use.start]
        extra = ""
        if insn.code & 7 in (c.BPF_LDX, c.BPF_STX) or insn.code == CALL:
            extra = "".join(f" r{r}={show(x)}" for r, x in enumerate(regs[:10]) if is_fp(x)) if regs else ""
            extra += "".join(f" fp{-(r + 1) * 8:+d}={show(x)}" for r, x in enumerate(slots) if is_fp(x))
        env.say(f"{idx:3d}: {insn_text(env, insn)[:-1]}" + (f" //{extra}" if extra else "") + "\n")


def _print_use(env: Env, use: Use) -> None:
    from osmia.verifier.printing import alignment

    env.say(f"stack use/def {_title(env, use.number)} (d{use.depth},cs{use.callsite}):\n")
    for idx in _slots_of(env, use):
        parts = []
        for name, table in ((" use: ", use.reads), (" def: ", use.writes)):
            masks = [(f, row[idx - use.start]) for f in range(use.depth, -1, -1) if (row := table[f]) is not None]
            shown = [text for frame, mask in masks for text in _halves_text(frame, mask)]
            if shown:
                parts.append(name + " ".join(shown))
        if not parts:
            env.say(f"{idx:3d}: ")
            verbose_insn(env, env.insns[idx])
            continue
        line = f"{idx:3d}: {insn_text(env, env.insns[idx])[:-1]}"
        env.say(line + " " * alignment(len(line)) + ";" + "".join(parts) + "\n")


def _halves_text(frame: int, mask: int) -> list[str]:
    """``fp0-8`` for a whole slot, ``fp0-4h`` for half of one, ``fp0-8..-24`` for three and more in a row."""
    found, spi = [], 0
    while spi < 64:
        halves = mask >> 2 * spi & 3
        if halves == 3 and mask >> 2 * spi & 63 == 63:
            first = spi
            while spi + 1 < 64 and mask >> 2 * (spi + 1) & 3 == 3:
                spi += 1
            found.append(f"fp{frame}{-8 * (first + 1)}..{-8 * (spi + 1)}")
        elif halves == 3:
            found.append(f"fp{frame}{-8 * (spi + 1)}")
        elif halves:
            found.append(f"fp{frame}{-8 * (spi + 1) + (4 if halves & 1 else 0)}h")
        spi += 1
    return found
