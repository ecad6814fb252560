"""What the parts of a push share: the store, the client, the lease, and how an error leaves them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from electis_cli.aims.client import AimsClient
from electis_cli.db import gates, leases
from electis_cli.db.leases import Lease
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.db.unit_of_work import UnitOfWork
from electis_cli.domain.articles import Content
from electis_cli.domain.errors import ElectisError
from electis_cli.domain.queue import LabelWish, LedgerRow
from electis_cli.domain.redaction import without_values
from electis_cli.services.change import Change, Scope
from electis_cli.services.push.burying import bury
from electis_cli.services.push.report import Ending, PushReport
from electis_cli.services.remote import RemoteView
from electis_cli.services.runtime import Runtime

_JUST_NOW = timedelta(seconds=1)
"""A look that is no older says enough: a call that is on its way would not be stopped either."""


class LeaseLost(Exception):
    """Somebody else pushes this store now: not one more call, and nothing of ours is acknowledged."""


class Halted(Exception):
    """Somebody paused or disabled the store meanwhile, or the account's breaker opened: nothing more is sent."""

    def __init__(self, ending: Ending, why: str | None = None) -> None:
        super().__init__(ending.value)
        self.ending = ending
        self.why = why


class Trouble(Exception):
    """A call failed in a way that is not the fault of single rows; the store is left alone for a while.

    `contents` are what the call was about, beside the rows: what AIMS says of them is kept without their values.
    `is_aside` says that the call was for no article or label wish: those do not wait for it.
    """

    def __init__(
        self,
        error: ElectisError,
        *,
        rows: tuple[LedgerRow, ...] = (),
        wishes: tuple[LabelWish, ...] = (),
        contents: Sequence[Content | None] | None = None,
        is_aside: bool = False,
    ) -> None:
        super().__init__(error.message)
        known = None if contents is None and not rows else [*(row.base for row in rows), *(contents or ())]
        self.error = without_values(error, known)
        self.rows = rows
        self.wishes = wishes
        self.is_aside = is_aside


@dataclass(slots=True, kw_only=True)
class PushSession:
    """One push of one store."""

    runtime: Runtime
    scope: Scope
    store: Store
    client: AimsClient
    view: RemoteView
    report: PushReport
    lease: Lease
    batch_size: int
    is_trial: bool
    last_write_at: datetime | None = field(default=None)
    is_first_contact: bool = field(default=False)
    renewed_at: datetime | None = field(default=None)
    number: int = field(default=0)  # of the last claim, which a crash of the server does not take back
    ahead: deque[tuple[str, datetime | None]] = field(default_factory=deque)  # due articles, not claimed yet
    checked_at: datetime | None = field(default=None)  # when a claim's transaction last looked at the gate

    def renew(self) -> None:
        """Make sure of the lease before a call; raises LeaseLost when it is not ours any more.

        A sixth of its length is left alone: what was prolonged a moment ago needs no further commit.
        """
        length = self.runtime.tuning.lease_seconds
        age = (self.runtime.clock() - self.renewed_at).total_seconds() if self.renewed_at else length
        if 0 <= age < length / 6:
            return
        moment = self.runtime.clock()
        with self.runtime.database.write(self.scope.org_id) as uow:
            renewed = leases.renew_lease(uow, self.lease, seconds=length)
            if renewed is None:
                raise LeaseLost
            self.runtime.reached("push:renewing-lease")
            uow.commit()
        self.lease, self.renewed_at = renewed, moment
        self.runtime.reached("push:renewed-lease")

    def require_going(self, uow: UnitOfWork) -> Organization:
        """Return the organization as it is now, within the transaction that is the last before a call.

        Raises LeaseLost when somebody else pushes the store by now, Halted when the store or account was stopped.
        """
        gate = gates.find_gate(uow, self.store.id, self.lease.resource)
        if gate is not None and not self.lease.is_held_in(gate.holder, gate.epoch):
            raise LeaseLost
        if gate is None or not gate.sync_enabled:
            raise Halted(Ending.DISABLED)
        if gate.paused_at is not None:
            raise Halted(Ending.PAUSED, gate.paused_why)
        if gate.breaker == "open":
            raise Halted(Ending.BREAKER, gate.breaker_reason)
        return gate.organization

    def make_sure(self) -> None:
        """Make sure of the lease and the gate before a call; raises LeaseLost, Halted.

        The first call after a claim needs no look of its own when the claim's transaction has just had one.
        """
        self.renew()
        looked, self.checked_at = self.checked_at, None
        if looked is not None and abs(self.runtime.clock() - looked) < _JUST_NOW:
            return
        with self.runtime.database.read(self.scope.org_id) as uow:
            self.require_going(uow)

    def require_lease(self, uow: UnitOfWork) -> None:
        """Raise LeaseLost unless the lease is ours, within the transaction that is about to write."""
        holder = leases.current_holder(uow, self.lease.resource)
        if holder is None or not self.lease.is_held_in(holder.holder, holder.epoch):
            raise LeaseLost

    def change(self, uow: UnitOfWork) -> Change:
        """Return a change of this organization by the system."""
        return Change(uow=uow, scope=self.scope, now=self.runtime.clock())

    def bury(self, change: Change, *, kind: str, subject: str, error: ElectisError, attempts: int) -> None:
        """Make a dead letter and its alert, in the transaction that gives the row up; one alert per cause."""
        bury(change, self.store, kind=kind, subject=subject, error=error, attempts=attempts)
