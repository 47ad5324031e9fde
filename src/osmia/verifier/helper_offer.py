"""Which helpers a program may name at all, before it is asked how it calls them.

(``get_helper_proto`` and the ``get_func_proto`` of each program type; Linux 6.18.)
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from osmia._cy import cython

from osmia.verifier.ctx import shape_of
from osmia.verifier.helper_proto import func_id_name, helper_rule, max_func_id
from osmia.verifier.helper_where import is_sockopt_hook

if not cython.compiled:
    from osmia.verifier.env import Env
    from osmia.verifier.helper_proto import HelperRule


def get_helper_proto(env: Env, func_id: int) -> HelperRule | None:
    """The helper as this program sees it; None when programs of its type have no such helper."""
    rules: dict[int, HelperRule | None] | None = env.room.get("helper rules")
    if rules is None:
        rules = env.room["helper rules"] = {}
    if func_id not in rules:
        rules[func_id] = _find_helper(env, func_id)
    return rules[func_id]


def _find_helper(env: Env, func_id: int) -> HelperRule | None:
    if not 0 < func_id < max_func_id():
        return None
    if shape_of(env).helper(func_id) == "unknown" and not is_sockopt_hook(env, func_id_name(func_id)):
        return None
    cap = env.profile.helper_cap(func_id, env.prog_type)
    return helper_rule(func_id, env.prog_type) if not cap or getattr(env.powers, cap) else None
