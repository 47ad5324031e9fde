"""A whole profile: asks everything, in a few rounds, and puts the answers into sections of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from osmia.kernel.profile_file import Sections
from osmia.kernel.uapi import PROG_TYPES
from osmia.live.record import caps, maps, text
from osmia.live.record.asker import Asker, Progress, gather
from osmia.live.record.facts import Facts, Row, in_full, last_helper, outline, probe_context, runs, sign_extension
from osmia.live.record.kfuncs import record_kfuncs
from osmia.live.record.shapes import Shape, shapes

Found = list[tuple[Shape, Facts]]
BY_RULE = ("tracing trace_raw_tp *", "tracing trace_f", "tracing modify_return *", "lsm ")
"""Labels of shapes whose context depends on the target, of which there are more than a table can hold."""
BY_TARGET = ("tracing trace_f", "tracing modify_return *", "lsm ")
"""Labels of shapes of which the target decides whether they sleep, and of LSM hooks what they return."""
LIMITS = {
    "max_insns": 1_000_000,
    "max_insns_unprivileged": 4096,
    "max_used_maps": 64,
    "max_used_btfs": 64,
    "max_subprogs": 256,
    "max_cpus": 256,
    "helpers": 211,
}
# What fentry, fexit, fmod_ret and LSM programs have where policy keeps them from being asked about: the helpers of raw
# tracepoints with BTF and those of trampolines (kernel/trace/bpf_trace.c, kernel/bpf/bpf_lsm.c of Linux 6.18).
BELIEVED = {
    "shapes": [
        "tracing trace_fentry * ctx=btf helpers=trampoline returns=0..0 sleepable=may believed",
        "tracing trace_fexit * ctx=btf helpers=trampoline returns=0..0 sleepable=may believed",
        "tracing modify_return * ctx=btf helpers=modify_return sleepable=may believed",
        "lsm lsm_mac * ctx=btf helpers=lsm returns=rule sleepable=may believed",
        "lsm lsm_cgroup * ctx=btf helpers=lsm_cgroup returns=rule sleepable=no believed",
    ],
    "helpers trampoline": ["like tracing", "+ get_func_arg get_func_arg_cnt get_func_ret"],
    "helpers modify_return": ["like trampoline", "! sk_storage_delete sk_storage_get"],
    "helpers lsm": [
        "like trampoline",
        "+ bprm_opts_set d_path ima_file_hash ima_inode_hash inode_storage_delete inode_storage_get",
    ],
    "helpers lsm_cgroup": [
        "like lsm",
        "- get_attach_cookie get_func_arg get_func_arg_cnt get_func_ret",
        "+ get_local_storage get_retval set_retval",
    ],
}


def record(
    asker: Asker,
    progress: Callable[[str], Progress | None] | None = None,
    keep: Callable[[Sections], object] | None = None,
) -> Sections:
    """Ask a kernel everything.  ``progress`` is told what is being asked; ``keep`` gets what is known before the end.

    Raises what the asker raises.
    """

    def on(what: str) -> Progress | None:
        return progress(what) if progress else None

    found = probed(asker, on("program types"))
    rows = gathered(found)
    asked = [(shape, facts) for label, shape, facts in rows if not facts.errno and not label.startswith(BY_RULE)]
    (extends,) = gather(asker, [sign_extension(asked[0][0], asked[0][1].value)])
    contexts = gather(asker, (probe_context(s, f.value, extends) for s, f in asked), on("contexts"))
    for (_, facts), ctx in zip(asked, contexts, strict=True):
        facts.ctx = ctx
    guarded = [(s, f) for s, f in asked if s.type in caps.UNPRIVILEGED]
    kept = gather(asker, (caps.fields(s, f, f.ctx) for s, f in guarded), on("fields"))
    for (_, facts), places in zip(guarded, kept, strict=True):
        facts.ctx = marked(facts.ctx, places)
    sections = {"limits": [f"{name} {number}" for name, number in limits(asker, found).items()]}
    sections |= caps_sections(asker, found, on("capabilities"))
    sections |= {"maps": map_types(asker, on("map types"))} | tables(rows)
    if keep:
        keep(sections)
    functions = record_kfuncs(asker, rows, on("kernel functions"))
    return sections | ({"kfuncs": functions} if functions else {})


def limits(asker: Asker, found: Found) -> dict[str, int]:
    """The kernel's numbers: those that differ are asked for."""
    first = next((shape, facts) for shape, facts in found if not facts.errno)
    helpers, cpus = gather(asker, [last_helper(first[0], first[1].value), maps.max_cpus()])
    return LIMITS | {"max_cpus": cpus, "helpers": helpers}


def map_types(asker: Asker, progress: Progress | None) -> list[str]:
    """The rows of the map types that the kernel has; struct_ops where its BTF has a struct of operations."""
    found = [row for row in gather(asker, map(maps.probe_map, maps.known()), progress) if row]
    has_ops = any(name.startswith("bpf_struct_ops_") for name in asker.btf.names())
    return [*found, *(["struct_ops flags=link"] if has_ops else [])]


def probed(asker: Asker, progress: Progress | None) -> Found:
    """The facts of every shape.

    All is asked about the first shape that loads of each sort; of the others a part, and the rest only where no shape
    of the type answers the part alike.
    """
    outlined = gather(asker, (outline(shape) for shape in shapes(asker.btf)), progress)
    sorts: dict[tuple[object, ...], list[tuple[Shape, Facts]]] = {}
    for shape, facts, sample in outlined:
        if not facts.errno:
            sorts.setdefault((shape.type, bool(shape.btf_id), *sample), []).append((shape, facts))
    gather(asker, (in_full(*alike[0]) for alike in sorts.values()), progress)
    for (_, first), *others in sorts.values():
        for _, facts in others:
            facts.helpers, facts.outline = first.helpers, first.outline
    return [(shape, facts) for shape, facts, _ in outlined]


def marked(rows: tuple[Row, ...], places: set[tuple[str, int, int]]) -> tuple[Row, ...]:
    """The rows with ``cap=bpf`` at these places."""
    if not places:
        return rows
    cells: dict[tuple[str, int, str], list[int]] = {}
    for row in rows:
        for off in range(row.first, row.last + 1, row.step):
            cap = "cap=bpf" if (row.kind, row.size, off) in places else ""
            cells.setdefault((row.kind, row.size, f"{row.type} {cap}".strip()), []).append(off)
    return runs(cells)


def caps_sections(asker: Asker, found: Found, progress: Progress | None) -> Sections:
    """What loading each type takes, and which helpers are kept from whom."""
    first = {shape.type: (shape, facts) for shape, facts in reversed(found) if not facts.errno}
    kinds = sorted(first)
    needs = dict(
        zip(kinds, gather(asker, (caps.needed(s, f.value) for s, f in (first[k] for k in kinds))), strict=True)
    )
    needs = caps.POLICY | needs
    open_to = [k for k in kinds if "perfmon" not in needs[k]]
    gone = gather(asker, (caps.without_perfmon(*first[k]) for k in open_to), progress)
    lost: dict[str, set[str]] = dict(zip(open_to, gone, strict=True))
    lines = []
    for name in sorted(set().union(*lost.values())):
        kept = [kind for kind, names in lost.items() if name in first[kind][1].helpers and name not in names]
        lines.append(" ".join([name.removeprefix("!"), "perfmon", *kept]))
    plain = [k for k in caps.UNPRIVILEGED if k in first]
    closed = [x for x in gather(asker, (caps.without_any(*first[k]) for k in plain)) if x is not None]
    secret = set().union(*closed) if closed else set(caps.BELIEVED)
    secret -= set().union(*lost.values())
    lines += [f"{name} bpf" for name in sorted(secret)]
    return {"caps": [f"{kind} {' '.join(words)}" for kind, words in sorted(needs.items())], "helper caps": lines}


def gathered(found: Found) -> list[tuple[str, Shape, Facts]]:
    """One row per fact: the attach types of a type that change nothing become ``*``."""
    rows = []
    for kind in PROG_TYPES:
        mine = [(s, f) for s, f in found if s.type == kind and not s.btf_id]
        loads = [(s, f) for s, f in mine if not f.errno]
        usual = max(loads, key=lambda row: [f for _, f in loads].count(row[1]), default=None)
        if usual and len(loads) == len(mine):
            rows.append((f"{kind} * *", *usual))
            loads = [(s, f) for s, f in loads if f != usual[1]]
        rows += [(s.label, s, f) for s, f in loads]
        rows += [(s.label, s, f) for s, f in found if s.type == kind and s.btf_id and (not f.errno or f.message)]
    return rows


def tables(rows: Iterable[tuple[str, Shape, Facts]]) -> Sections:
    """The shapes, and the tables that they name."""
    contexts, helpers = text.Tables(), text.Tables()
    lines = [shape_row(label, facts, contexts, helpers) for label, _, facts in rows]
    sections = {"shapes": lines}
    sections |= {f"ctx {name}": [str(row) for row in table] for name, table in contexts.named.items()}
    earlier: dict[str, frozenset[str]] = {}
    for name, names in helpers.named.items():
        sections[f"helpers {name}"] = text.helper_lines(names, earlier)
        earlier[name] = names
    return with_believed(sections)


def with_believed(sections: Sections) -> Sections:
    """With the rows that could not be asked for, where none of their kind was answered."""
    missing = [x for x in BELIEVED["shapes"] if not any(x.split()[:3] == y.split()[:3] for y in sections["shapes"])]
    if len(missing) == len(BELIEVED["shapes"]):
        sections["shapes"] += missing
        sections |= {name: lines for name, lines in BELIEVED.items() if name != "shapes"}
    return sections


def shape_row(label: str, facts: Facts, contexts: text.Tables, helpers: text.Tables) -> str:
    """The line of one shape; its tables get names."""
    if facts.errno:
        return f"{label} errno={facts.errno} message={facts.message}"
    returns, sleepable = facts.returns, facts.sleepable
    if label.startswith(BY_TARGET) and label != "lsm lsm_cgroup *":
        sleepable = "may"
    if label.startswith("lsm ") and returns:
        returns = "rule"
    ctx = "btf" if label.startswith(BY_RULE) else contexts.name(label, facts.ctx)
    words = [label, f"ctx={ctx}", f"helpers={helpers.name(label, facts.helpers)}"]
    words += [f"returns={returns}"] if returns else []
    return " ".join([*words, f"sleepable={sleepable}"])
