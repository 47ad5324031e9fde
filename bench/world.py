"""How fast packets and events reach programs: python bench/world.py.

Packets a second through the XDP example (context made, program run, result read), and probe events a second, in CPU
time: other work on the machine does not count.
"""

from __future__ import annotations

import time
from pathlib import Path

import osmia
from osmia.sim import packet

EXAMPLES = Path(__file__).parent.parent / "examples"
PACKETS, EVENTS = 20_000, 5_000


def rate(count: int, begin: float) -> str:
    """Per second, and the time of one."""
    took = time.process_time() - begin
    return f"{count / took:10,.0f} a second, {took / count * 1e6:6.1f} µs each"


def main() -> None:
    """Print the table."""
    program = osmia.open(EXAMPLES / "xdp_filter.bpf.c").load()
    frames = packet.samples()
    begin = time.process_time()
    for n in range(PACKETS):
        program.run(data=frames[n % len(frames)])
    print(f"XDP filter, packets           {rate(PACKETS, begin)}")

    frame = frames[0]
    begin = time.process_time()
    program.run(data=frame, repeat=PACKETS)
    print(f"XDP filter, same packet       {rate(PACKETS, begin)}")

    world = osmia.World()
    osmia.open(EXAMPLES / "unlink.bpf.c", btf=world.btf).attach(world)
    name = world.new("struct filename", name="file")
    begin = time.process_time()
    for _ in range(EVENTS):
        world.fire("kprobe/do_unlinkat", args=[-100, name])
    print(f"kprobe events                 {rate(EVENTS, begin)}")

    begin = time.process_time()
    for _ in range(EVENTS // 10):
        world.do("touch a; rm a")
    print(f"acts (touch and rm)           {rate(EVENTS // 5, begin)}")


if __name__ == "__main__":
    main()
