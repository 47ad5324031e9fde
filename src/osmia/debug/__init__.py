"""How do people see what a program does?  Step by step, with registers, source lines and what pointers point to."""

from osmia.debug.steps import Stepper

__all__ = ["Stepper"]
