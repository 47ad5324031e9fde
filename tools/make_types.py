"""Write src/osmia/kernel/data/btf/VERSION.btf.xz: a kernel's types, small enough to ship with its profile.

    python tools/make_types.py VERSION BTF

All structs, unions, enums and typedefs stay, so that CO-RE relocations find what the kernel has; of the functions those
that programs call or usually attach to (``osmia.kernel.shipped``), with their declaration tags.
"""

from __future__ import annotations

import sys
from pathlib import Path

from osmia.btf import Btf
from osmia.kernel import types
from osmia.kernel.profile import load
from osmia.live.record.types import shipped


def main() -> int:
    """The command line."""
    version, source = sys.argv[1:]
    data = shipped(Btf.parse(Path(source).read_bytes()), load(version).kfuncs)
    path = types.path_of(version)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    print(f"{path.name}: {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
