"""Which stack slots may still be read: what the walk has seen of reads and writes, carried backwards along the program.

Facts are kept per function and the calls that led to it, for every instruction and every frame that it can touch: slots
that may be read there, slots that every walk so far has written there.  When a path ends, both are carried back to
where they matter: live before an instruction is what it may read, and what is live behind it and not written by it; and
what a function surely writes, or may read, of its callers' frames becomes a fact of the call.  Reads only grow and
writes only shrink, so this may be done again and again.  (``kernel/bpf/liveness.c``, Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.live_marks import mark_slots_read, mark_slots_written
from osmia.verifier.text import fmt_stack_mask

if not cython.compiled:
    from osmia.verifier.consts import U32_MAX
    from osmia.verifier.env import Env
    from osmia.verifier.flow import insn_successors
    from osmia.verifier.live_masks import InsnMasks, Instance, LiveStack
    from osmia.verifier.state import State

    WROTE_NOTHING = 1  # in Instance.seen: on every walk so far the instruction wrote nothing


def stack_liveness_init(env: Env) -> None:
    """Before the walk: nothing is known.  Kernels that mark on states what is read have none of this."""
    env.live_stack = LiveStack() if env.rules.live_stack_static else None


def reset_live_stack_callchain(env: Env) -> None:
    """The current state is in another function now."""
    live = env.live_stack
    if live is not None:
        live.current = None


def mark_stack_read(env: Env, frameno: int, insn_idx: int, mask: int) -> None:
    """The current path may read these slots of a frame at ``insn_idx``."""
    if env.live_stack is None:
        mark_slots_read(env, frameno, mask)
    else:
        add_read(env, current_instance(env), frameno, insn_idx, mask)


def mark_stack_write(env: Env, frameno: int, mask: int) -> None:
    """The current instruction surely writes these slots of a frame."""
    live = env.live_stack
    if live is None:
        mark_slots_written(env, frameno, mask)
    else:
        live.add_write(frameno, mask)


def reset_stack_write_marks(env: Env, insn_idx: int) -> None:
    """An instruction begins."""
    live = env.live_stack
    if live is not None:
        if live.current is None:
            current_instance(env)
        if live.wrote:
            live.reset_writes(insn_idx)
        else:
            live.write_insn_idx = insn_idx


def commit_stack_write_marks(env: Env) -> None:
    """An instruction is done: what it wrote on this path counts if it wrote it on all others."""
    live = env.live_stack
    instance = live.current if live is not None else None
    if instance is not None and (live.wrote or instance.seen[live.write_insn_idx - instance.start] != WROTE_NOTHING):
        commit_writes(env, live, instance)


def commit_writes(env: Env, live: LiveStack, instance: Instance) -> None:
    """Enter what was gathered into an instance: kept as it is the first time, cut down to it later.

    Linux 6.18 holds the earlier writes in 32 bits while it compares: slots from fp-264 on stay as they were first seen,
    unless one of the slots above changes.
    """
    at = live.write_insn_idx - instance.start
    known = instance.seen[at]
    if known < 2 and (known or not live.wrote):
        instance.seen[at] = 1
        return
    for frameno in range(instance.curframe + 1):
        mask = live.write_masks[frameno]
        if mask == 0 and (known == 0 or instance.frames[frameno] is None):
            continue
        masks = masks_at(env, instance, frameno, live.write_insn_idx)
        old = masks.must_write & U32_MAX
        if known:
            mask &= old
        if old != mask:
            masks.must_write = mask
            instance.updated = True
        if old & ~mask:
            instance.must_write_dropped = True
    instance.seen[at] = 2


def add_read(env: Env, instance: Instance, frameno: int, insn_idx: int, mask: int) -> None:
    """Enter a read into an instance."""
    masks = masks_at(env, instance, frameno, insn_idx)
    known = masks.may_read
    mask |= known
    if mask != known and mask & ~masks.live:
        instance.updated = True
    masks.may_read = mask


def masks_at(env: Env, instance: Instance, frameno: int, insn_idx: int) -> InsnMasks:
    """The masks of one instruction, which are made if need be."""
    frame = instance.frames[frameno]
    if frame is None:
        frame = new_masks(env, instance, frameno)
    return frame[insn_idx - instance.start]


def new_masks(env: Env, instance: Instance, frameno: int) -> list[InsnMasks]:
    """Empty masks for every instruction of the instance's function, linked as control flows."""
    start = instance.start
    frame = []
    for at in range(len(instance.seen)):
        insn = env.insns[start + at]
        frame.append(InsnMasks(start + at, at == 0 or insn.prune_point))
    for at in range(len(frame)):
        masks = frame[at]
        first, second = insn_successors(env, start + at)
        if first >= 0 and first - start < len(frame):
            masks.next = frame[first - start]
        if second >= 0:
            masks.branch = frame[second - start]
    instance.frames[frameno] = frame
    instance.orders[frameno] = [frame[idx - start] for idx in postorder(env, instance.number)]
    return frame


def postorder(env: Env, number: int) -> list[int]:
    """The slots of a function in postorder."""
    subprog = env.subprogs[number]
    first = subprog.postorder_start
    if number + 1 == len(env.subprogs):
        return env.insn_postorder[first:]
    subprog = env.subprogs[number + 1]
    return env.insn_postorder[first : subprog.postorder_start]


def current_instance(env: Env) -> Instance:
    """The instance that the current state is in."""
    live = env.live_stack
    found: Instance | None = live.current
    if found is None:
        found = live.current = lookup_instance(env, env.state, env.state.curframe)
    return found


def lookup_instance(env: Env, state: State, frameno: int) -> Instance:
    """The instance of one of a state's frames."""
    frame = state.frames[frameno]
    subprog = env.subprogs[frame.subprogno]
    callsites = []
    for i in range(1, frameno + 1):
        callee = state.frames[i]
        callsites.append(callee.callsite)
    callsites.append(subprog.start)
    return find_instance(env, tuple(callsites), frame.subprogno)


def find_instance(env: Env, callsites: tuple[int, ...], number: int) -> Instance:
    """The instance of function ``number`` reached through ``callsites``, made if need be."""
    live = env.live_stack
    found: Instance | None = live.instances.get(callsites)
    if found is None:
        start = callsites[len(callsites) - 1]
        found = Instance(callsites, number, start, env.subprog_end(number) - start)
        live.instances[callsites] = found
    return found


def update_live_stack(env: Env) -> None:
    """The current path or function ends: bring the instances that it went through up to date, innermost first."""
    live = env.live_stack
    state = env.state
    frameno = state.curframe if live is not None and not env.rules.stack_use_static else -1
    reset_live_stack_callchain(env)
    while frameno >= 0:
        instance = lookup_instance(env, state, frameno)
        if instance.updated:
            update_instance(env, state, instance)
            instance.updated = instance.must_write_dropped = False
        frameno -= 1


def update_instance(env: Env, state: State, instance: Instance) -> None:
    """Carry the facts of an instance backwards until nothing changes, then to the call that made it."""
    if instance.must_write_dropped:
        for frame in instance.frames:
            if frame is not None:
                forget_written(frame)
    turns = 0
    changed = True
    while changed:
        turns += 1
        changed = False
        for frameno in range(instance.curframe + 1):
            order = instance.orders[frameno]
            if order is not None and update_frame(env, instance, frameno, order):
                changed = True
    if env.log.level2:
        env.log.write(f"{chain_text(instance)} live stack update done in {turns} iterations\n")
    if instance.curframe > 0:
        propagate_to_caller(env, state, instance)


def forget_written(frame: list[InsnMasks]) -> None:
    """Writes have become fewer: what follows from them is to be found anew."""
    for i in range(len(frame)):
        masks = frame[i]
        masks.written = 0


def update_frame(env: Env, instance: Instance, frameno: int, order: list[InsnMasks]) -> bool:
    """One turn over a function for one frame; did anything change?"""
    log = env.log.level2
    changed = False
    for i in range(len(order)):
        masks = order[i]
        follower = masks.next
        if follower is None:
            continue
        live = follower.live
        written = follower.written
        follower = masks.branch
        if follower is not None:
            live |= follower.live
            written &= follower.written
        written |= masks.must_write
        live = (live & ~masks.must_write) | masks.may_read
        if live == masks.live and written == masks.written:
            continue
        changed = True
        if log and (masks.logged or masks.may_read or masks.must_write):
            log_change(env, instance, frameno, masks.idx, "live", masks.live, live)
            log_change(env, instance, frameno, masks.idx, "written", masks.written, written)
        masks.live = live
        masks.written = written
    return changed


def propagate_to_caller(env: Env, state: State, instance: Instance) -> None:
    """What the function does to its callers' frames becomes a fact of the call."""
    live = env.live_stack
    depth = instance.curframe - 1
    frame = state.frames[depth]
    subprog = env.subprogs[frame.subprogno]
    caller = find_instance(env, (*instance.callsites[:depth], subprog.start), frame.subprogno)
    callsite = instance.callsites[depth]
    live.reset_writes(callsite)
    for frameno in range(depth + 1):
        masks_list = instance.frames[frameno]
        if masks_list is not None:
            masks = masks_list[0]
            live.add_write(frameno, masks.written)
            add_read(env, caller, frameno, callsite, masks.live)
    commit_writes(env, live, caller)


def chain_text(instance: Instance) -> str:
    """The calls that lead to an instance and its first slot: ``(3,17)``."""
    return "(" + ",".join([str(site) for site in instance.callsites]) + ")"


def log_change(env: Env, instance: Instance, frameno: int, idx: int, what: str, old: int, new: int) -> None:
    """Say which slots have become live or written, or no longer are."""
    if old == new:
        return
    gone = old & ~new
    come = new & ~old
    text = f"{chain_text(instance)} frame {frameno} insn {idx} "
    if come:
        text += f"+{what} {fmt_stack_mask(come)} "
    if gone:
        text += f"-{what} {fmt_stack_mask(gone)}"
    env.log.write(text + "\n")


def live_stack_query_init(env: Env, state: State) -> None:
    """Prepare to ask about a state's frames."""
    live = env.live_stack
    live.query = [lookup_instance(env, state, frameno) for frameno in range(state.curframe + 1)]
    live.query_idx = state.insn_idx


def live_slots(env: Env, frameno: int) -> int:
    """The slots of a frame that the state asked about, or its callers once it returns, may still read."""
    live = env.live_stack
    query = live.query
    curframe = len(query) - 1
    innermost = query[curframe]
    mask = live_before(innermost, live.query_idx, frameno)
    for i in range(frameno, curframe):
        callsite = innermost.callsites[i]
        insn = env.insns[callsite]
        instance = query[i]
        mask |= live_before(instance, callsite if insn.calls_callback else callsite + 1, frameno)
    return mask


def live_before(instance: Instance, insn_idx: int, frameno: int) -> int:
    """The slots of a frame that are live before an instruction of an instance."""
    frame = instance.frames[frameno]
    if frame is None:
        return 0
    masks = frame[insn_idx - instance.start]
    return masks.live
