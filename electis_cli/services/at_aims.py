"""Standing in front of AIMS for support: who may ask, about which stores, and the trace that every write leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from electis_cli.db import accounts
from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action, system_actor
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsNotConfigured,
    AimsRejected,
    ElectisError,
    QueuePaused,
)
from electis_cli.services.change import Change, Scope, reading

if TYPE_CHECKING:
    from electis_cli.aims.client import AimsClient
    from electis_cli.aims.inspection import AimsInspector

Answer = TypeVar("Answer")

ASKED, DONE, REFUSED, UNKNOWN = "asked", "done", "refused", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtAims:
    """A permitted look at one organization's AIMS: its inspector, and the stores it is about."""

    scope: Scope
    organization: Organization
    places: tuple[Store, ...]
    client: AimsClient
    ask: AimsInspector

    @property
    def place(self) -> Store:
        """The one store it is about."""
        return self.places[0]

    def of_each(
        self, ask: Callable[[Store], Sequence[Answer]], tell_unknown: Callable[[str], None]
    ) -> list[Answer]:
        """Return what AIMS answers for all of the stores; one of several that it does not have is told, and left out.

        Raises AimsRejected when it has none of them.
        """
        found: list[Answer] = []
        unknown: list[str] = []
        for place in self.places:
            try:
                found += ask(place)
            except AimsRejected as error:
                problem = as_unknown_store(error, place.code)
                if problem is error or len(unknown) == len(self.places) - 1:
                    raise problem from error
                unknown.append(place.code)
        for code in unknown:
            tell_unknown(code)
        return found

    @contextlib.contextmanager
    def writing(
        self,
        action: str,
        entity: str,
        entity_id: str,
        *,
        after: Mapping[str, Any] | None = None,
        place: Store | None = None,
    ) -> Iterator[None]:
        """Write down what is about to be asked of AIMS, and then what came of it.

        The first audit row stands before the call, so that a process that is killed leaves a trace; the second says
        whether AIMS did it, refused it, or nobody knows. Commands without a store have no `place`.
        """
        store_id = place.id if place else None
        values = dict(after or {})
        self._record(action, entity, entity_id, {**values, "outcome": ASKED}, store_id, event=False)
        outcome, why = UNKNOWN, {}
        try:
            yield
            outcome = DONE
        except AimsAmbiguous as error:
            why = {"error": error.code}
            raise
        except ElectisError as error:
            outcome, why = REFUSED, {"error": error.code}
            raise
        finally:
            self._record(
                action, entity, entity_id, {**values, **why, "outcome": outcome}, store_id, event=True
            )

    def _record(
        self,
        action: str,
        entity: str,
        entity_id: str,
        after: Mapping[str, Any],
        store_id: str | None,
        *,
        event: bool,
    ) -> None:
        with self.scope.runtime.database.write(self.scope.org_id) as uow:
            change = Change(uow=uow, scope=self.scope, now=self.scope.runtime.clock())
            change.audit(action, entity, entity_id, after=after, store_id=store_id)
            if event:
                payload = {"entity": entity, "id": entity_id, "outcome": after["outcome"]}
                change.emit(action, payload, store_id=store_id)
            uow.commit()


@contextlib.contextmanager
def at_aims(
    scope: Scope, action: Action = Action.READ, *, store: str | None = None, one_store: bool = False
) -> Iterator[AtAims]:
    """Open a permitted look at AIMS: about one store, or about all that the actor may see.

    Raises PermissionRefused, StoreNotFound, UsageProblem (which store?), AimsNotConfigured.
    """
    with reading(scope, action) as read:
        organization = read.organization()
        places = (read.store(store),) if one_store else tuple(read.stores(store))
    with looking(scope, organization, places) as at:
        yield at


@contextlib.contextmanager
def looking(scope: Scope, organization: Organization, places: tuple[Store, ...]) -> Iterator[AtAims]:
    """Open a look at AIMS for stores that were found and permitted already. Raises AimsNotConfigured."""
    from electis_cli.aims.inspection import AimsInspector  # noqa: PLC0415 - brings httpx, which a refusal never needs

    if organization.aims_base_url is None:
        raise AimsNotConfigured
    client = scope.runtime.connect(organization)
    try:
        yield AtAims(
            scope=scope, organization=organization, places=places, client=client, ask=AimsInspector(client)
        )
    finally:
        client.close()


def as_unknown_store(error: AimsRejected, store: str) -> AimsRejected:
    """Return the refusal of a store that AIMS does not have in words that say so; any other as it is."""
    word = str(error.details.get("word", "")).upper()
    if "STORE" not in word or "NOT_FOUND" not in word:
        return error
    return AimsRejected(
        f"AIMS has no store {store}.", why=error.why, fix="electis aims store list", **error.details
    )


def refuse_while_stopped(at: AtAims) -> None:
    """Raise QueuePaused while nothing may be written to the labels of this store (design 5.2, 5.4)."""
    if at.place.paused_at is not None:
        raise QueuePaused(
            f"Store {at.place.code} is paused.",
            why=at.place.paused_why or "Somebody stopped all writes to its articles and labels.",
            fix=f"electis queue resume --store {at.place.code}",
        )
    with at.scope.runtime.database.read(at.scope.org_id) as uow:
        account = accounts.find_account(uow)
    if account.breaker == "open":
        raise QueuePaused(
            "Nothing is written to AIMS right now.",
            why=f"The queue stopped itself ({account.breaker_reason}).",
            fix="electis aims ping",
        )


def may_have_happened(error: AimsAmbiguous, *, fix: str) -> AimsAmbiguous:
    """Return the error for a write that got no answer and must not simply be sent again."""
    return AimsAmbiguous(
        "AIMS gave no answer: it may have done it, or not. It was not asked twice.",
        why=error.why or error.message,
        fix=fix,
    )


def system_of(scope: Scope) -> Scope:
    """Return the scope in which electis itself notes what it learned from an answer."""
    return Scope(runtime=scope.runtime, actor=system_actor(scope.actor.source), org_id=scope.org_id)
