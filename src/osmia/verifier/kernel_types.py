"""The kernel's own types: every verification has some, and what the kernel's rules name must be among them."""

from __future__ import annotations

from osmia.btf import Btf, Struct, Type
from osmia.errors import UsageError
from osmia.verifier.env import Env


class ShippedBtf(Btf):
    """The types that Osmia brings along for a kernel: of its functions only those that programs usually name."""


def kernel_btf(env: Env) -> Btf:
    """The kernel's types: ``judge`` gives every verification some."""
    btf = env.vmlinux
    assert btf is not None
    return btf


def kernel_type(env: Env, name: str, *kinds: type[Type]) -> int:
    """The id of a type that the profile's kernel has for sure: a struct if no other kinds are given.

    Raises UsageError where the BTF at hand is another kernel's and lacks it.
    """
    found = kernel_btf(env).find(name, *(kinds or (Struct,)))
    if found is None:
        raise UsageError(f"the kernel's BTF that is given has no {name}, and Linux {env.profile.name} needs it")
    return found
