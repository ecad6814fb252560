"""One bulk change of a store at a time: the second is refused, and a process that dies frees its place at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from electis_cli.adapters.embedded_lock import lock_embedded_work
from electis_cli.db.engine import Workbench
from electis_cli.db.stores import Store
from electis_cli.domain.errors import LockHeld
from electis_cli.services.change import Scope


@contextlib.contextmanager
def bulk_work(scope: Scope, place: Store) -> Iterator[Workbench]:
    """Hold the place of bulk changes of a store, and the connection on which they are staged. Raises LockHeld."""
    database = scope.runtime.database
    with contextlib.ExitStack() as stack:
        if database.path is not None:
            stack.enter_context(lock_embedded_work(database.path, "bulk"))
        bench = stack.enter_context(database.workbench(scope.org_id))
        if database.path is None and not bench.try_lock(f"bulk:{scope.org_id}:{place.id}"):
            raise LockHeld(
                f"Another bulk change of store {place.code} is running.",
                why="Two at once would mix; the first one goes on.",
                fix="electis history list, then run the command again",
            )
        yield bench
