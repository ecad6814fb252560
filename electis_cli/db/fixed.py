"""Statements that are the same each time: recognized by where they are made, not walked through before each use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa


def fixed(make: Callable[[], sa.Executable]) -> Any:
    """Return the statement that a function without arguments makes, for one that is asked all the time.

    SQLAlchemy looks its own text of a statement up by everything that is in the statement, which for a large one takes
    as long as the server takes to answer it. This one is looked up by the function's place in the source: it may use
    nothing of the function around it, as another value there would be taken for the same statement (TypeError).
    """
    if make.__closure__:
        msg = f"a fixed statement may use nothing of what is around it: {make.__code__.co_freevars}"
        raise TypeError(msg)
    return sa.lambda_stmt(make, enable_tracking=False)
