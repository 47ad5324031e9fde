"""How ``osmia verify --explain`` shows an explanation: in colours on a terminal, plainly elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osmia.explain import Explanation

STYLES = {
    "error": "bold red", "head": "bold", "code": "", "place": "cyan", "mark": "bold red", "good": "green", "dim": "dim",
}  # fmt: skip
NARROW, WIDE = 60, 110


def show(said: Explanation) -> None:
    """Print it on standard output."""
    from osmia.explain.render import lines_of, text_of

    if not sys.stdout.isatty():
        sys.stdout.write(text_of(said))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines_of(said, min(max(console.width - 1, NARROW), WIDE)):
        pieces = [(text, STYLES.get(style, "")) for text, style in line]
        console.print(Text.assemble(*pieces), soft_wrap=True)
