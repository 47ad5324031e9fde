"""``osmia inspect``: everything in an object file on one screen, or all of it as JSON."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click

from osmia.cli.common import examples, print_json, read_input

ROWS = 24
"""Rows of a table before the rest is counted only; --all and --json show everything."""

EXAMPLES = examples(
    "osmia inspect prog.bpf.o", "osmia inspect --btf /sys/kernel/btf/vmlinux prog.bpf.c",
    "osmia inspect --json prog.bpf.o | jq '.programs[].insns'",
)  # fmt: skip


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="FILE")
@click.option("--btf", metavar="TARGET", help="BTF of the kernel to fit to: /sys/kernel/btf/vmlinux, say.")
@click.option("--kconfig", metavar="FILE", help="The kernel's configuration, for __kconfig variables.")
@click.option("--all", "everything", is_flag=True, help="Debug sections and long tables in full.")
@click.option("--json", "as_json", is_flag=True, help="All of it, for scripts.")
def command(path: str, btf: str | None, kconfig: str | None, everything: bool, as_json: bool) -> int:
    """Show header, sections, symbols, relocations, programs, maps and BTF of FILE (- is standard input).

    FILE is an object, C, assembly, or records (what osmia emit writes).  The exit status is 2 when it can't be
    linked; the last lines say why.
    """
    found = _survey(path, btf, kconfig)
    if as_json:
        print_json(found)
    else:
        Screen(everything).show(found)
    return 2 if found["problems"] else 0


def _survey(path: str, btf: str | None, kconfig: str | None) -> dict[str, Any]:
    from osmia import inputs
    from osmia.obj.kconfig import parse_config
    from osmia.obj.survey import survey, survey_records

    given = read_input(path)
    if given.kind == "records":
        return survey_records(given.data, given.name)
    data, name = inputs.object_of(given, section="socket"), given.name
    target = inputs.load_btf(btf) if btf else None
    config = parse_config(inputs.read_file(kconfig), file=kconfig) if kconfig else None
    return survey(data, name, target_btf=target, kconfig=config)


class Screen:
    """Tables on a terminal that is wide enough, plain columns elsewhere."""

    def __init__(self, everything: bool) -> None:
        self.everything = everything
        self.fancy = sys.stdout.isatty()

    def show(self, found: dict[str, Any]) -> None:
        """The whole survey."""
        self.head(found)
        wanted = [s for s in found["sections"] if self.everything or not _debug(s["name"])]
        self.table("Sections", ("nr", "name", "type", "flags", "offset", "size", "means"), map(_section, wanted))
        symbols = [s for s in found["symbols"] if self.everything or not _dull(s)]
        self.table("Symbols", ("name", "section", "value", "size", "bind", "type", "visibility"), map(_symbol, symbols))
        relocs = [r for r in found["relocations"] if self.everything or not _debug(r["section"])]
        self.table("Relocations", ("section", "offset", "type", "symbol"), map(_reloc, relocs))
        self.table("Programs", ("name", "section", "type", "attach", "insns", "maps", "needs"),
                   map(_program, found["programs"]))  # fmt: skip
        self.table("Maps", ("name", "type", "key", "value", "entries", "flags", "more"), map(_map, found["maps"]))
        self.foot(found)

    def head(self, found: dict[str, Any]) -> None:
        """What the file is, in two lines."""
        h = found["header"]
        kind = f"ELF{h['class']} {h['type']}" if "class" in h else h["type"]
        size, name = f"{found['size']:,} bytes", found["file"] or "<stdin>"
        print(f"{name}: {size}, {kind} for {h['machine']}, {h['byteorder']}-endian")
        version = f", version {found['version']:#x}" if found["version"] else ""
        print(f"license {found['license'] or 'none'}{version}; {_btf(found['btf'])}")

    def foot(self, found: dict[str, Any]) -> None:
        """What is wrong with it."""
        for program in found["programs"]:
            for at, why in program["poisoned"].items():
                print(f"{program['name']}: insn {at} must not be reached: {why}")
        for problem in found["problems"]:
            place = [f"section {problem['section']}"] if "section" in problem else []
            place += [f"offset {problem['offset']:#x}"] if "offset" in problem else []
            print(f"problem: {', '.join(place)}{': ' if place else ''}{problem['message']}")

    def table(self, title: str, heads: tuple[str, ...], rows: Any) -> None:
        """One table; nothing at all when it has no rows."""
        listed = [tuple(map(str, row)) for row in rows]
        shown = listed if self.everything else listed[:ROWS]
        if not listed:
            return
        more = f"… and {len(listed) - len(shown)} more (--all shows them)" if len(listed) > len(shown) else ""
        wide = self.fancy and shutil.get_terminal_size().columns >= sum(_widths(heads, shown)) + 3 * len(heads)
        (self._rich if wide else self._plain)(f"{title} ({len(listed)})", heads, shown, more)

    def _plain(self, title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]], more: str) -> None:
        widths = _widths(heads, rows)
        print(f"\n{title}")
        for row in [heads, *rows]:
            print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if more:
            print("  " + more)

    def _rich(self, title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]], more: str) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*heads, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        table.caption = more or None
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)


def _widths(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[int]:
    """What each column takes."""
    return [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]


def _debug(section: str) -> bool:
    name = section.removeprefix(".rel")
    return name.startswith((".debug", ".BTF", ".llvm_addrsig", ".strtab", ".symtab", ".shstrtab"))


def _dull(symbol: dict[str, Any]) -> bool:
    local = symbol["type"] in ("section", "file") or symbol["name"].startswith((".L", "LBB"))
    return local or _debug(symbol["section"])


def _section(s: dict[str, Any]) -> tuple[Any, ...]:
    return s["number"], s["name"], s["type"], s["flags"], hex(s["offset"]), s["size"], s.get("prog_type", "")


def _symbol(s: dict[str, Any]) -> tuple[Any, ...]:
    return s["name"], s["section"], hex(s["value"]), s["size"], s["bind"], s["type"], s["visibility"]


def _reloc(r: dict[str, Any]) -> tuple[Any, ...]:
    return r["section"], hex(r["offset"]), r["type"], r["symbol"]


def _program(p: dict[str, Any]) -> tuple[Any, ...]:
    attach = " ".join(filter(None, (p["expected_attach_type"], p["attach_target"])))
    needs = [x["name"] for x in p["externs"]] + [_helper(n) for n in p["helpers"]]
    section = p["section"] if p["autoload"] else "?" + p["section"]
    return p["name"], section, p["prog_type"], attach, p["insns"], _short(p["maps"]), _short(needs)


def _helper(number: int) -> str:
    from osmia.errors import UsageError
    from osmia.kernel.helpers import helper_by_id

    try:
        return helper_by_id(number).name.removeprefix("bpf_")
    except (UsageError, KeyError):
        return f"helper {number}"


def _short(names: list[str], most: int = 4) -> str:
    rest = f" +{len(names) - most}" if len(names) > most else ""
    return ", ".join(dict.fromkeys(names[:most])) + rest


def _map(m: dict[str, Any]) -> tuple[Any, ...]:
    more = [f"pinned {m['pinning']}"] if m["pinning"] else []
    more += [f"extra {m['map_extra']:#x}"] if m["map_extra"] else []
    more += [f"inner {m['inner']['type']}"] if m["inner"] else []
    more += [f"values {_short(list(m['values'].values()))}"] if m["values"] else []
    more += [word for word in ("frozen", "mmapable") if m[word]] + ([] if m["autocreate"] else ["not created"])
    return m["name"], m["type"], m["key_size"], m["value_size"], m["max_entries"], hex(m["flags"]), ", ".join(more)


def _btf(btf: dict[str, Any] | None) -> str:
    if btf is None:
        return "no BTF"
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(btf["kinds"].items(), key=lambda kv: -kv[1])[:5])
    rows = ", ".join(f"{btf[name]} {name}" for name in ("func_info", "line_info", "core_relos") if btf[name])
    return f"BTF {btf['types']} types ({kinds})" + (f"; {rows}" if rows else "")
