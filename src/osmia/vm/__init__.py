"""What does a program compute?  Machine, interpreter, contexts, and the host that helpers ask."""

from osmia.vm.context import Context, MemoryContext, Outcome
from osmia.vm.env import Env, HelperBody
from osmia.vm.host import BareHost, Host
from osmia.vm.machine import DEFAULT_BUDGET, Machine, Result
from osmia.vm.packet import SkbContext, XdpContext
from osmia.vm.ptregs import PtRegsContext

__all__ = [
    "DEFAULT_BUDGET",
    "BareHost",
    "Context",
    "Env",
    "HelperBody",
    "Host",
    "Machine",
    "MemoryContext",
    "Outcome",
    "PtRegsContext",
    "Result",
    "SkbContext",
    "XdpContext",
]
