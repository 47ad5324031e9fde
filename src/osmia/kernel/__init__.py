"""What kernels offer: data only.

Numbers of the interface (``uapi``), helper prototypes (``helpers``), program types (``prog_types``).
No code here decides anything; rooms below read these tables.
"""
