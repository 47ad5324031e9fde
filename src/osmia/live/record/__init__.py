"""Write down what a kernel offers: a profile, recorded by asking the kernel itself.

Every row is the answer of bpf(2) to a small program.  Whoever answers is an ``Asker``: the running kernel, or another
one that takes batches of programs.  Nothing is attached, and nothing stays loaded.
"""

from __future__ import annotations

from osmia.live.record.asker import Answer, Asker, LiveAsker, Question, gather
from osmia.live.record.profile import record

__all__ = ["Answer", "Asker", "LiveAsker", "Question", "gather", "record"]
