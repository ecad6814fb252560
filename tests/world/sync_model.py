"""A store, its AIMS and the sync between them as plain values: no database, no network, no service.

It does what applying a plan (services/applying.py) and pushing (services/push/claim.py) come to, in a few lines each,
so that thousands of stores can live through faults, edits and syncs, and be asked what became of every value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from electis_cli.domain.articles import ABSENT, content_hash, undo_echo
from electis_cli.domain.merge import resolve
from electis_cli.domain.organizations import Strategy
from electis_cli.domain.queue import LedgerRow, Push, State, decide_push
from electis_cli.domain.reconcile import Action, Plan, Step, Subject, Terms, is_echo, make_plan

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
W = timedelta(seconds=120)
MOST_FIGHTS = 3
NOTHING_ODD: dict[str, Any] = {"odd_hash": None, "odd_since": None}

Content = dict[str, str]


class Kept(NamedTuple):
    """A conflict as it is kept for a person: what both sides said, and who was followed."""

    local: Content | None
    remote: Content | None
    choice: str


@dataclass(slots=True)
class Item:
    """One article on both sides, and its history."""

    article_id: str
    row: LedgerRow | None = None
    local: Content | None = None
    remote: Content | None = None  # in AIMS's own words
    is_room: bool = False
    is_linked: bool = False
    known: set[str] = field(default_factory=set)
    kept: list[Kept] = field(default_factory=list)
    said: list[Content] = field(default_factory=list)  # every content the database ever had
    lost: list[Content | None] = field(default_factory=list)  # foreign values that went without a trace
    is_deletion_asked_for: bool = False  # here by a person, or there by one who was followed
    is_deleted_unasked: bool = False
    is_foreign: bool = False  # others wrote what AIMS shows
    before: Content | None = None  # what AIMS showed before its last change
    changed_at: datetime = NOW - 9 * W
    updated: int = 0  # AIMS's own "last updated"

    def set(self, **values: Any) -> None:
        """Write columns of the ledger row."""
        assert self.row is not None
        self.row = self.row._replace(**values)

    def say(self, local: Content | None) -> None:
        """Change what the database wants, without a bump."""
        self.local = local
        self.is_deletion_asked_for = local is None
        if local is not None:
            self.said.append(local)

    def bump(self, *, deleted: bool) -> None:
        """Make it dirty; a new edit revives a failed, held or conflicting row."""
        if self.row is None:
            self.row = LedgerRow(
                article_id=self.article_id,
                desired_version=1,
                desired_seq=1,
                desired_deleted=deleted,
                synced_version=0,
            )
            return
        version = self.row.desired_version + 1
        self.set(desired_version=version, desired_deleted=deleted, state=State.ACTIVE, next_attempt_at=None)

    def show(self, remote: Content | None, now: datetime) -> None:
        """Change what AIMS shows."""
        self.before, self.remote, self.changed_at = self.remote, remote, now
        self.updated += 1

    def keep(self, remote: Content | None, choice: str) -> None:
        """Keep both sides of a conflict."""
        self.kept.append(Kept(self.local, remote, choice))


def unaltered(content: Content) -> Content:
    """Return what a well-behaved AIMS makes of a content: the same."""
    return dict(content)


@dataclass(slots=True)
class World:
    """One store with everything that can happen to it."""

    strategy: Strategy
    items: dict[str, Item]
    alter: Callable[[Content], Content] = unaltered
    now: datetime = NOW
    listed: bool = False
    pushes: int = 0

    def wait(self, time: timedelta) -> None:
        """Let time pass."""
        self.now += time

    def seen(self, item: Item, remote: Content | None) -> Content | None:
        """Return what is listed in our own words."""
        if remote is None or item.row is None:
            return remote
        return undo_echo(remote, item.row.base, item.row.echo)

    def listing(self, *, stale: bool = False) -> dict[str, Content | None]:
        """Return what AIMS lists; a stale listing shows what was there before a change less than W ago."""
        return {
            name: item.before if stale and self.now - item.changed_at < W else item.remote
            for name, item in self.items.items()
        }

    def terms(self, **changes: Any) -> Terms:
        """Return the terms of a plan made now."""
        values = {"now": self.now, "settle": W, "strategy": self.strategy, "first_contact": not self.listed}
        return Terms(**{**values, **changes})

    def subjects(self, listing: Mapping[str, Content | None]) -> Iterator[Subject]:
        """Yield the store as the planner is given it."""
        for name, item in self.items.items():
            row, remote = item.row, self.seen(item, listing[name])
            yield Subject(
                article_id=name,
                row=row,
                local=item.local,
                remote=remote,
                known=frozenset(item.known),
                is_room=item.is_room,
                is_fresh=remote is not None
                and row is not None
                and row.remote_updated is not None
                and row.remote_updated != str(item.updated),
                is_linked=item.is_linked,
            )

    def plan(self, listing: Mapping[str, Content | None] | None = None, **changes: Any) -> Plan:
        """Plan a full sync of what AIMS lists now, or listed."""
        shown = self.listing() if listing is None else listing
        return make_plan(list(self.subjects(shown)), self.terms(**changes))

    def sync(self, *, stale: bool = False, **changes: Any) -> Plan:
        """Run a full sync; its brakes are approved."""
        listing = self.listing(stale=stale)
        plan = self.plan(listing, **changes)
        self.apply(plan, listing)
        return plan

    # --- services/applying.py -----------------------------------------------------------------------------------------

    def apply(self, plan: Plan, listing: Mapping[str, Content | None]) -> None:
        """Carry out a plan; nothing is sent."""
        for action in plan.actions:
            item = self.items[action.article_id]
            worded = listing[action.article_id]
            remote, row = self.seen(item, worded), item.row
            if row is not None:
                self._note(action, item, row, remote, worded)
            if self._carry_out(action, item, row, remote):
                item.bump(deleted=action.step in {Step.DELETE_AGAIN, Step.REMOVE})
        self.listed = True

    def _note(
        self, action: Action, item: Item, row: LedgerRow, remote: Content | None, worded: Content | None
    ) -> None:
        step, now = action.step, self.now
        if remote is None:
            if step is Step.MISSING:
                item.set(missing_since=row.missing_since or now)
            elif step is Step.PUSH_AGAIN:
                item.set(base=None, base_hash=ABSENT, missing_since=None)
            return
        item.set(missing_since=None)
        if step is not Step.PENDING and (row.last_seen_remote_at is None or row.remote_updated is None):
            item.set(last_seen_remote_at=now, remote_updated=str(item.updated))
        if step in {Step.OBSERVE, Step.SETTLING}:
            is_same = row.odd_hash == content_hash(remote)
            item.set(odd_hash=content_hash(remote), odd_since=row.odd_since if is_same else now)
        elif step is Step.ECHO:
            rounds = row.echo_rounds + (row.echo is not None)
            item.set(echo=worded, echo_rounds=rounds, **NOTHING_ODD)
        elif step in {Step.AGREE, Step.ADOPT, Step.PUSH_AGAIN}:
            item.set(base=remote, base_hash=content_hash(remote), read_equal_at=now, echo=None, **NOTHING_ODD)
            item.known.add(content_hash(remote))
        elif step is Step.IN_SYNC and worded == remote:
            item.set(read_equal_at=row.read_equal_at or now, **NOTHING_ODD)
        if step is Step.AGREE:
            item.set(
                acked_at=now, last_seen_remote_at=now, remote_updated=str(item.updated), echo_rounds=0,
                synced_version=row.desired_version, state=State.ACTIVE,
            )  # fmt: skip

    def _carry_out(self, action: Action, item: Item, row: LedgerRow | None, remote: Content | None) -> bool:
        """Do what an action says to the database; True when it must be pushed."""
        step = action.step
        if step is Step.BUMP:
            return True
        if step in {Step.DELETE_AGAIN, Step.PUSH_AGAIN}:
            if remote is not None:
                item.keep(remote, "database")
            return step is Step.DELETE_AGAIN or not self._is_fight(item, remote)
        if step is Step.ADOPT and not item.is_room and item.local is not None:
            item.keep(remote, "aims")
            item.say({name: value for name, value in {**item.local, **action.adopt}.items() if value})
            return action.push
        if step is Step.REMOVE and not item.is_room:
            item.keep(None, "aims")
            item.say(None)
            return True
        if step is Step.IMPORT and remote is not None:
            item.say(dict(remote))
            return True
        if step is Step.HOLD:
            item.keep(remote, "undecided")
            item.set(state=State.HELD)
        elif step in {Step.ADOPT, Step.REMOVE, Step.CONFLICT}:
            item.keep(remote, "undecided")
            item.row = (
                row._replace(state=State.CONFLICT) if row else None
            )  # what was agreed on stays what it was
        return False

    def _is_fight(self, item: Item, remote: Content | None) -> bool:
        rounds = sum(kept.choice != "aims" and kept.remote == remote for kept in item.kept)
        if remote is None or rounds < MOST_FIGHTS:
            return False
        item.set(state=State.HELD)
        return True

    # --- services/push ------------------------------------------------------------------------------------------------

    def drain(self, fault: Callable[[], str | None] = lambda: None) -> None:
        """Push what is due until nothing moves.

        `fault` tells of each call what goes wrong: None, "unsent", "unanswered" (it arrived all the same) or
        "swallowed" (AIMS said yes and did nothing). An article that was tried is left for the next drain.
        """
        tried: set[str] = set()
        for _ in range(8):
            due = [
                item for item in self.items.values() if self._is_due(item) and item.article_id not in tried
            ]
            if not due:
                return
            # Decided of all before any is sent, as a batch is.
            for item, push in [(item, self._decide(item)) for item in due]:
                if push in {Push.CREATE, Push.UPDATE, Push.DELETE}:
                    self._send(item, fault())
                if push not in {Push.AGREE, Push.RESOLVE}:
                    tried.add(item.article_id)

    def _is_due(self, item: Item) -> bool:
        row = item.row
        return (
            row is not None
            and row.state is State.ACTIVE
            and row.is_dirty
            and (row.next_attempt_at is None or row.next_attempt_at <= self.now)
        )

    def _decide(self, item: Item) -> Push:
        row = item.row
        assert row is not None
        if not row.desired_deleted and item.local is None:
            item.set(state=State.HELD)
            return Push.WAIT
        remote = self.seen(item, item.remote)
        if remote is not None and is_echo(row, remote):
            remote = dict(row.base or {})
        push = decide_push(
            row,
            local_hash=content_hash(item.local),
            remote_hash=content_hash(remote),
            known=item.known,
            now=self.now,
            settle=W,
            believe_at_once=not self.listed,
        )
        if push is Push.RESOLVE:
            push = self._resolve(item, row, remote)
        if push is Push.WAIT:
            same = row.odd_hash == content_hash(remote) and row.odd_since is not None
            since = row.odd_since if same and row.odd_since else self.now
            item.set(odd_hash=content_hash(remote), odd_since=since, next_attempt_at=since + W)
        elif push is Push.AGREE:
            self._acknowledge(item)
            # Equal in AIMS's own form is not read equal: the next form would be taken for somebody's edit.
            item.set(
                read_equal_at=self.now if item.remote == item.local else None, last_seen_remote_at=self.now
            )
        elif push is not Push.RESOLVE:
            item.set(inflight_version=row.desired_version, inflight_hash=content_hash(item.local))
        if push not in {Push.WAIT, Push.RESOLVE}:
            item.known.add(content_hash(item.local))
        return push

    def _resolve(self, item: Item, row: LedgerRow, remote: Content | None) -> Push:
        item.set(next_attempt_at=None, **NOTHING_ODD)
        if item.local is None or remote is None:
            wins = self.strategy in {Strategy.MERGE, Strategy.DATABASE_WINS}
            item.keep(remote, "database" if wins else "undecided")
            if wins:
                return Push.DELETE
            item.set(state=State.CONFLICT)
            return Push.RESOLVE
        strategy = self.strategy
        if item.is_room and strategy is Strategy.MERGE:
            strategy = Strategy.DATABASE_WINS
        outcome = resolve(row.base, item.local, remote, strategy)
        if outcome.undecided or (outcome.adopt and item.is_room):
            item.keep(remote, "undecided")
            item.set(state=State.CONFLICT)
            return Push.RESOLVE
        item.keep(remote, strategy.value if outcome.push else "aims")
        item.set(base=remote, base_hash=content_hash(remote), echo=None)
        item.known.add(content_hash(remote))
        if outcome.adopt:
            item.say({name: value for name, value in {**item.local, **outcome.adopt}.items() if value})
        if not (outcome.push and self._is_fight(item, remote)) and outcome.adopt:
            item.bump(deleted=False)
        return Push.RESOLVE

    def _send(self, item: Item, fault: str | None) -> None:
        if fault == "unsent":
            return
        if fault != "swallowed":
            self._arrive(item)
        if fault is None or fault == "swallowed":
            self._acknowledge(item)

    def _arrive(self, item: Item) -> None:
        self.pushes += 1
        shown = item.remote
        # Nothing of others goes without a trace: it is kept, or it is what the database itself said once.
        traces = [*(kept.remote for kept in item.kept), *item.said]
        if item.is_foreign and shown is not None and shown not in traces:
            item.lost.append(shown)
        if item.local is None and shown is not None and not item.is_deletion_asked_for:
            item.is_deleted_unasked = True
        item.show(None if item.local is None else self.alter(item.local), self.now)
        item.is_foreign = False

    def _acknowledge(self, item: Item) -> None:
        row = item.row
        assert row is not None
        is_same = content_hash(item.local) == row.base_hash
        item.set(
            synced_version=row.desired_version,
            base=None if item.local is None else dict(item.local),
            base_hash=content_hash(item.local),
            read_equal_at=None,
            last_seen_remote_at=None,
            echo=row.echo if is_same else None,
            echo_rounds=row.echo_rounds if is_same else 0,
            inflight_version=None,
            inflight_hash=None,
            next_attempt_at=None,
            acked_at=self.now,
            missing_since=None,
            **NOTHING_ODD,
        )
