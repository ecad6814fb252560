"""A lease that is renewed in the background while long work goes on, and noticed when it is lost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from electis_cli.db import leases
from electis_cli.db.leases import Lease
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.errors import DatabaseProblem, LockHeld
from electis_cli.services.runtime import Runtime


class KeptLease:
    """A lease in the hands of this process; `require` says so inside the transaction that relies on it."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease

    def require(self, uow: UnitOfWork) -> None:
        """Raise LockHeld unless the lease is still ours."""
        holder = leases.current_holder(uow, self.lease.resource)
        if holder is None or not self.lease.is_held_in(holder.holder, holder.epoch):
            raise LockHeld(
                "Another run took over while this one was not heard of.", fix="electis sync status"
            )


@contextlib.contextmanager
def keep_lease(runtime: Runtime, org_id: str, resource: str, *, busy: str, fix: str) -> Iterator[KeptLease]:
    """Hold a lease while the block runs: a killed process frees it within one lease. Raises LockHeld when taken."""
    seconds = runtime.tuning.lease_seconds
    with runtime.database.write(org_id) as uow:
        lease = leases.take_lease(uow, resource, runtime.holder, seconds=seconds)
        runtime.reached("sync:taking-lease")
        uow.commit()
    runtime.reached("sync:took-lease")
    if lease is None:
        raise LockHeld(busy, fix=fix)
    kept = KeptLease(lease)
    try:
        with renewing(runtime, org_id, kept):
            yield kept
    finally:
        with runtime.database.write(org_id) as uow:
            leases.release_lease(uow, kept.lease)
            runtime.reached("sync:releasing-lease")
            uow.commit()
        runtime.reached("sync:released-lease")


@contextlib.contextmanager
def renewing(runtime: Runtime, org_id: str, kept: KeptLease) -> Iterator[None]:
    """Prolong a lease in the background while the block runs, also through calls that take longer than it lasts."""
    seconds, over = runtime.tuning.lease_seconds, threading.Event()

    def renew() -> None:
        while not over.wait(seconds / 6):
            with contextlib.suppress(DatabaseProblem), runtime.database.write(org_id) as uow:
                renewed = leases.renew_lease(uow, kept.lease, seconds=seconds)
                runtime.reached("lease:renewing")
                uow.commit()
                if renewed is None:
                    return
            runtime.reached("lease:renewed")

    thread = threading.Thread(target=renew, name=f"lease {kept.lease.resource}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
