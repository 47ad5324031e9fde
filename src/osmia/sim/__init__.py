"""What world does it run in?  Tasks, clock, devices, packets, kernel objects, hooks, and the trace pipe."""

from osmia.sim.device import NetDevice
from osmia.sim.executable import Executable
from osmia.sim.hooks import Hook
from osmia.sim.kobject import KArray, KObject
from osmia.sim.mapset import MapSet
from osmia.sim.network import Reception
from osmia.sim.pipe import TraceLine, TracePipe
from osmia.sim.result import Result
from osmia.sim.task import Task
from osmia.sim.world import World

__all__ = [
    "Executable",
    "Hook",
    "KArray",
    "KObject",
    "MapSet",
    "NetDevice",
    "Reception",
    "Result",
    "Task",
    "TraceLine",
    "TracePipe",
    "World",
]
