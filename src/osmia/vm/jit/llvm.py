"""From LLVM IR as text to machine code: parse, verify, optimise, emit; through llvmlite, imported when first needed.

Two levels.  ``FAST`` runs no pass and takes LLVM's fast instruction selection: one or two milliseconds for a
small program.  ``FULL`` is the O2 pipeline: five to fifty.  Code for the host uses its own CPU's instructions.
Code that is run here is static and of the large code model, so that an address of a map or a helper is one
constant in the instruction; code for files is position independent.

llvmlite serialises its C calls by a lock of its own and lets go of the GIL while LLVM works: a program keeps
running while another thread compiles.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from osmia.errors import Unavailable

FAST, FULL = 0, 2
"""The levels, by LLVM's numbers."""

OLDEST = (20, 1)
"""The LLVM version from which on everything used here is known to work: opaque pointers, LLJIT, JITLink."""

INSTALL = 'install it with: pip install "osmia[jit]"'
TRIPLES = {"x86-64": "x86_64-unknown-linux-gnu", "aarch64": "aarch64-unknown-linux-gnu"}
"""Short names of targets that ``osmia compile`` knows; any other triple of LLVM's is taken as it stands."""

CHANGING = ("cpu MHz", "bogomips", "BogoMIPS", "processor", "initial apicid", "apicid", "core id", "microcode")
"""Lines of /proc/cpuinfo that say nothing about which instructions there are."""


class Target(NamedTuple):
    """What code is made for."""

    triple: str
    cpu: str = ""
    features: str = ""

    @property
    def is_host(self) -> bool:
        """Whether the code runs here."""
        return self == host()


@cache
def binding() -> Any:
    """llvmlite's binding, initialised.  Raises Unavailable when it is missing, broken or too old."""
    try:
        from llvmlite import binding as llvm

        version = tuple(llvm.llvm_version_info)
        usable = version >= OLDEST and hasattr(llvm, "create_lljit_compiler") and hasattr(llvm, "create_pass_builder")
    except Exception as e:  # whatever a broken installation raises: ImportError, OSError, RuntimeError
        raise Unavailable(f"no native code without llvmlite ({one_line(e)}); {INSTALL}") from None
    if not usable:
        found = ".".join(map(str, version))
        raise Unavailable(f"llvmlite is too old (LLVM {found}, {OLDEST[0]} is needed); {INSTALL}")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def version() -> str:
    """ "22.1.0".  Raises Unavailable."""
    return ".".join(map(str, binding().llvm_version_info))


@cache
def host() -> Target:
    """This machine.  Raises Unavailable."""
    llvm = binding()
    return Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


@cache
def fingerprint() -> str:
    """All that the code depends on besides the program: LLVM's version and the CPU.  Raises Unavailable.

    Told without loading LLVM, so that programs in the cache need not wait for that: the kernel's description of the
    first CPU names the model and the features that LLVM would find.
    """
    try:
        import llvmlite

        about = Path("/proc/cpuinfo").read_bytes().partition(b"\n\n")[0].decode(errors="replace")
        lines = [line for line in about.splitlines() if not line.startswith(CHANGING)]
        return "\n".join([os.uname().machine, llvmlite.__version__, *lines])
    except ImportError as e:
        raise Unavailable(f"no native code without llvmlite ({one_line(e)}); {INSTALL}") from None
    except OSError:
        return "\n".join([version(), *host()])


def target_of(name: str) -> Target:
    """The target of a short name ("aarch64"), a triple, or "native".  Raises Unavailable, also for unknown ones."""
    llvm = binding()
    if name in ("", "native"):
        return host()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    triple = TRIPLES.get(name, name)
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError as e:
        raise Unavailable(f"LLVM has no target {name!r}: {one_line(e)} (known: {', '.join(TRIPLES)})") from None
    return Target(triple)


@cache
def _machine(target: Target, level: int, shared: bool) -> Any:
    llvm = binding()
    model = {"reloc": "pic", "codemodel": "small"} if shared else {"reloc": "static", "codemodel": "large"}
    machine = llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=level, jit=not shared, **model
    )
    machine.set_asm_verbosity(True)
    return machine


class Module:
    """IR that LLVM has read, for one target and level; a context manager, which frees it.

    ``shared``: position independent, for files.  Raises Unavailable, with LLVM's words, when it does not take the IR.
    """

    def __init__(self, ir: str, level: int = FULL, target: Target | None = None, *, shared: bool = False) -> None:
        llvm = binding()
        self._machine = _machine(target or host(), level, shared)
        self._context = llvm.create_context()  # one each: freed with the module, and no names shared
        self._module: Any = None
        try:
            self._module = llvm.parse_assembly(ir, self._context)
            self._module.triple = (target or host()).triple
            self._module.data_layout = str(self._machine.target_data)
            self._module.verify()
            if level:
                self._optimise(level)
        except RuntimeError as e:
            self.close()
            raise Unavailable(f"LLVM does not take the program's code: {one_line(e)}") from None

    def close(self) -> None:
        """Free it, the module before the context that it lives in: the garbage collector knows no order."""
        if self._module is not None:
            self._module.close()
        self._context.close()

    def __enter__(self) -> Module:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def _optimise(self, level: int) -> None:
        llvm = binding()
        options = llvm.create_pipeline_tuning_options(speed_level=level)
        options.loop_vectorization = options.slp_vectorization = True
        options.loop_unrolling = options.loop_interleaving = True
        builder = llvm.create_pass_builder(self._machine, options)
        with options, builder, builder.getModulePassManager() as passes:
            passes.run(self._module, builder)

    def rename(self, names: Mapping[str, str], weak: str = "") -> None:
        """Give functions and variables other names; the one that is then called ``weak`` may be left undefined."""
        for thing in (*self._module.functions, *self._module.global_variables):
            if thing.name in names:
                thing.name = names[thing.name]
            if thing.name == weak:
                thing.linkage = "external_weak"

    def object(self) -> bytes:
        """An ELF object.  Raises Unavailable."""
        return bytes(self._emit(self._machine.emit_object))

    def assembly(self) -> str:
        """The target's assembly language.  Raises Unavailable."""
        return str(self._emit(self._machine.emit_assembly))

    def ir(self) -> str:
        """The IR after the passes."""
        return str(self._module)

    def _emit(self, emit: Any) -> Any:
        try:
            return emit(self._module)
        except RuntimeError as e:
            raise Unavailable(f"LLVM can't make code of the program: {one_line(e)}") from None


def object_of(ir: str, level: int = FULL) -> bytes:
    """An object for this machine, to be loaded.  Raises Unavailable."""
    with Module(ir, level) as module:
        return module.object()


def one_line(error: Exception) -> str:
    """An error's words on one line, at most 200 characters."""
    text = re.sub(r"\s+", " ", str(error)).strip() or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."
