"""A small world to call helper bodies in: memory of named buffers, maps, a context, a host."""

from __future__ import annotations

import ctypes

from osmia.errors import OsmiaError
from osmia.helpers import table
from osmia.kernel.helpers import helper_by_name
from osmia.memory import Memory, Region
from osmia.raw import Buffer
from osmia.vm.context import Context
from osmia.vm.env import Env, FastBody
from osmia.vm.faults import error_of
from osmia.vm.host import BareHost
from osmia.vm.hostwords import words_address
from osmia.vm.run import Run
from osmia.vm.runwords import FAULTS

SEVEN = ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * 7)


class Machine:
    """Callbacks are Python functions, found by the number that stands for the pointer."""

    def __init__(self):
        self.callbacks = {}

    def call(self, callback, r1=0, r2=0, r3=0, r4=0, r5=0):
        return self.callbacks[callback](r1, r2, r3, r4, r5) & 0xFFFFFFFFFFFFFFFF

    def describe(self, address):
        return f"{address:#x}"


class Bench:
    def __init__(self, *maps, ctx=None, host=None):
        self.memory = Memory()
        self.keep = []
        for m in maps:
            for region in m.regions():
                self.list(region)
            m.watch(self.list)
        self.ctx = ctx or Context(bytes(64))
        self.ctx.attach(self.memory)
        self.host = host or BareHost()
        self.machine = Machine()
        self.env = Env(self.memory, maps, self.host, self.machine, None, self.ctx)
        self.table = table()
        self.run = Run(self.memory, True)
        self.env.run = self.run.address
        self.kept = None
        self.hooks = SEVEN(self.python), SEVEN(self.callback)
        for name, hook in zip(("python", "call"), self.hooks, strict=True):
            self.run.put(name, ctypes.cast(hook, ctypes.c_void_p).value)
        self.prepare()

    def prepare(self):
        """What an engine writes into the run's words before a program runs."""
        for name, value in (
            ("fault", 0), ("cpu", self.host.cpu), ("ctx", self.ctx.address), ("host", words_address(self.host)),
            ("packet", self.ctx.packet_words),
        ):  # fmt: skip
            self.run.put(name, value)
        self.run.close_windows()

    def python(self, run, number, *regs):
        """What a native body hands on."""
        try:
            return self.table[number].python(self.env, *regs)
        except OsmiaError as error:
            self.kept = error
            self.run.put("fault", FAULTS.index("python"))
            return 0

    def callback(self, run, callback, *regs):
        """What a native body calls back."""
        return self.machine.call(callback, *regs)

    def list(self, region):
        if self.memory.find(region.address) is not region:
            self.memory.add(region)

    def room(self, data, name="buffer", writable=True):
        """Memory that the program may touch; ``data`` is bytes or a size."""
        made = Buffer.of(data) if isinstance(data, bytes) else Buffer(data)
        self.keep.append(made)
        self.memory.add(Region(name, made.address, made.size, writable))
        return made

    def call(self, name, *args):
        """The helper's raw R0 as a signed number."""
        regs = [a & 0xFFFFFFFFFFFFFFFF for a in args] + [0] * (5 - len(args))
        body = self.table[helper_by_name(name).id]
        self.prepare()
        r0 = body(self.env, *regs)
        if isinstance(body, FastBody) and self.run.get("fault"):
            raise self.kept if self.run.get("fault") == FAULTS.index("python") else error_of(self.run, self.memory, 0)
        assert 0 <= r0 <= 0xFFFFFFFFFFFFFFFF
        return r0 - (1 << 64) if r0 >> 63 else r0
