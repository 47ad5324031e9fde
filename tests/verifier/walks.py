"""Random programs whose walks meet again: branches, bounded loops, spills, calls, may_goto."""

from osmia.isa import Insn

CMP = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xA0, 0xB0, 0xC0, 0xD0]
SIZES = {1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18}
RANDOM = Insn(0x85, 0, 0, 0, 7)


class Walk:
    """One function being written: instructions, registers and slots that are known."""

    def __init__(self, rng, regs=(), slots=()):
        self.rng = rng
        self.insns = []
        self.regs = set(regs)
        self.slots = set(slots)

    def here(self):
        return len(self.insns)

    def jump_to(self, at, target):
        self.insns[at] = self.insns[at]._replace(off=target - at - 1)

    def block(self, depth, length, in_loop=False, callees=()):
        for _ in range(self.rng.randint(1, length)):
            roll = self.rng.random()
            if roll < 0.6 or not self.regs:
                self.simple()
            elif roll < 0.82 and depth:
                self.branch(depth, length, in_loop, callees)
            elif roll < 0.9 and depth and not in_loop:
                self.loop(depth, length, callees)
            elif callees:
                self.call(self.rng.choice(callees))

    def simple(self):
        rng, roll = self.rng, self.rng.random()
        dst, src = rng.choice([0, 6, 7, 8, 9]), rng.choice(sorted(self.regs)) if self.regs else None
        slot = -8 * rng.choice([1, 1, 2, 3, 4, 33, 64])
        if roll < 0.25 or src is None:
            self.insns.append(Insn(0xB7, dst, 0, 0, rng.choice([0, 1, 2, 7, -1, 100])))
        elif roll < 0.38:
            self.insns.append(Insn(0xBF, dst, src))
        elif roll < 0.58:
            kind, op = rng.choice([7, 7, 4]), rng.choice([0, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xA0])
            self.insns.append(
                Insn(kind | op, src, 0, 0, rng.choice([1, 2, 3, 15]))
                if rng.random() < 0.6
                else Insn(kind | op | 8, src, rng.choice(sorted(self.regs)))
            )
            return
        elif roll < 0.7:
            dst = 0
            self.insns.append(RANDOM)
        elif roll < 0.85 or not self.slots:
            size = rng.choice([8, 8, 8, 4, 2, 1])
            if rng.random() < 0.7:
                self.insns.append(Insn(0x63 | SIZES[size], 10, src, slot))
            else:
                self.insns.append(Insn(0x62 | SIZES[size], 10, 0, slot, rng.choice([0, 5])))
            self.slots.add(slot)
            return
        else:
            self.insns.append(Insn(0x61 | SIZES[rng.choice([8, 8, 4, 1])], dst, 10, rng.choice(sorted(self.slots))))
        self.regs.add(dst)

    def condition(self):
        rng, regs = self.rng, sorted(self.regs)
        kind = rng.choice([5, 5, 6]) | rng.choice(CMP)
        if rng.random() < 0.75:
            self.insns.append(Insn(kind, rng.choice(regs), 0, 0, rng.choice([0, 1, 2, 5, 100])))
        else:
            self.insns.append(Insn(kind | 8, rng.choice(regs), rng.choice(regs)))
        return self.here() - 1

    def branch(self, depth, length, in_loop, callees):
        at = self.condition()
        regs, slots = set(self.regs), set(self.slots)
        self.block(depth - 1, length, in_loop, callees)
        if self.rng.random() < 0.5:
            self.insns.append(Insn(0x05))
            over = self.here() - 1
            self.jump_to(at, self.here())
            self.regs, regs, self.slots, slots = regs, self.regs, slots, self.slots
            self.block(depth - 1, length, in_loop, callees)
            self.jump_to(over, self.here())
        else:
            self.jump_to(at, self.here())
        self.regs &= regs
        self.slots &= slots

    def loop(self, depth, length, callees):
        if self.rng.random() < 0.3:
            top = self.here()
            self.insns.append(Insn(0xE5))
            regs, slots = set(self.regs), set(self.slots)
            self.block(depth - 1, length, True, callees)
            self.insns.append(Insn(0x05))
            self.jump_to(self.here() - 1, top)
            self.jump_to(top, self.here())
            self.regs, self.slots = regs, slots
            return
        self.insns.append(Insn(0xB7, 9))
        self.regs.add(9)
        top = self.here()
        self.block(depth - 1, length, True, callees)
        self.insns.append(Insn(0x07, 9, 0, 0, self.rng.choice([1, 1, 2])))
        self.insns.append(Insn(self.rng.choice([0xA5, 0xC5, 0x55]), 9, 0, 0, self.rng.choice([2, 3, 8, 40])))
        self.jump_to(self.here() - 1, top)

    def call(self, callee):
        for regno in (1, 2):
            if self.rng.random() < 0.6:
                self.insns.append(Insn(0xBF, regno, self.rng.choice(sorted(self.regs))))
            else:
                self.insns += [Insn(0xBF, regno, 10), Insn(0x07, regno, 0, 0, -8)]
        self.insns.append(Insn(0x85, 0, 1, 0, -1 - callee))
        self.regs.add(0)


def program(rng, depth=3, length=5):
    """A main function and up to two others that it may call, slots in order."""
    count = rng.choice([1, 1, 2, 3])
    bodies = []
    for number in range(count):
        walk = Walk(rng)
        if number == 0:
            for regno in (6, 7, 8):
                walk.insns += [RANDOM, Insn(0xBF, regno, 0)]
            walk.regs = {0, 6, 7, 8}
        else:
            walk.insns = [Insn(0xBF, 6, 1), Insn(0xBF, 7, 2), Insn(0xB7, 0), Insn(0xB7, 8, 0, 0, 1)]
            walk.regs = {0, 6, 7, 8}
        walk.block(depth, length, callees=range(number + 1, count))
        walk.insns += [Insn(0xB7, 0, 0, 0, rng.choice([0, 1])), Insn(0x95)]
        bodies.append(walk.insns)
    starts = [sum(map(len, bodies[:number])) for number in range(count)]
    insns = [insn for body in bodies for insn in body]
    for at, insn in enumerate(insns):
        if insn.code == 0x85 and insn.src_reg == 1:
            insns[at] = insn._replace(imm=starts[-1 - insn.imm] - at - 1)
    return insns
