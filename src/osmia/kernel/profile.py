"""What one kernel offers: features, limits, program types, contexts, helpers.  A profile is its parent plus a delta."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Profile:
    """One kernel, by name ("6.18")."""

    name: str
    features: frozenset[str] = frozenset()
    tables: dict[str, Any] = field(default_factory=dict)
