"""Socket filters from tcpdump's expressions."""

from __future__ import annotations

import shutil
import struct
import subprocess

from osmia.errors import Unavailable, UsageError
from osmia.sim.pcap import ETHERNET

SNAPLEN = 262144
_EMPTY_PCAP = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, ETHERNET)


def compile_expression(expression: str) -> bytes:
    """The classic filter of an expression such as "udp port 53", as ``tcpdump -ddd`` prints it.

    tcpdump reads an empty capture, so it needs neither an interface nor root.  Raises Unavailable without tcpdump,
    UsageError with its words when it does not understand the expression.
    """
    tool = shutil.which("tcpdump")
    if tool is None:
        raise Unavailable("tcpdump is not installed; give what it says elsewhere (tcpdump -ddd EXPR) with --classic")
    args = [tool, "-r", "-", "-ddd", "--", expression]
    try:
        done = subprocess.run(args, input=_EMPTY_PCAP, capture_output=True, check=False, timeout=30)
    except (OSError, ValueError, subprocess.TimeoutExpired) as e:
        raise UsageError(f"tcpdump could not be asked: {e}") from None
    if done.returncode:
        raise UsageError(_complaint(done.stderr.decode(errors="replace")))
    return done.stdout


def _complaint(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("tcpdump:")]
    return lines[-1] if lines else text.strip() or "tcpdump failed and did not say why"
