"""How often Python looks for garbage in cycles."""

import gc

_NEW_OBJECTS = 50_000
"""Between two looks. Python's own 700 has it go through all that a push or an import just made, over and over: a tenth
of their time. There are hardly any cycles to be found, and what is in none is freed at once as ever."""


def collect_seldom() -> None:
    """Have Python look for cycles less often than it does by itself; for the main of a program."""
    gc.set_threshold(_NEW_OBJECTS, 20, 50)
