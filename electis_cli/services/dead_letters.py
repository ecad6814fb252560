"""Dead letters: what was given up, grouped by cause, and pushing it once more or silencing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from electis_cli.db import alerts
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.errors import InvalidInput, NotFound
from electis_cli.domain.labels import normalize_label_code
from electis_cli.services.change import Change, Reading, Scope, changing, reading
from electis_cli.services.queue import retry_articles, retry_wishes

_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An article or label wish that was given up, and why; letters of one cause share an alert."""

    id: str
    kind: str
    subject: str
    store: str
    cause: str
    error_class: str
    error: str
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadGroup:
    """The dead letters of one cause."""

    cause: str
    count: int
    stores: tuple[str, ...]
    kinds: tuple[str, ...]
    examples: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which dead letters are meant: those that fit everything that is given.

    `subjects` are article ids or label codes, whichever was given up; `articles` and `labels` say which.
    """

    subjects: Collection[str] = ()
    articles: Collection[str] = ()
    labels: Collection[str] = ()
    cause: str | None = None

    @property
    def names(self) -> set[str]:
        """The articles and labels that were named."""
        return {*self.subjects, *self.articles, *self.labels}

    def fits(self, letter: DeadLetter) -> bool:
        """Tell whether a letter is meant."""
        if self.cause is not None and letter.cause.casefold() != self.cause.casefold():
            return False
        return not self.names or any(_is_named(letter, name, kinds) for name, kinds in self._named())

    def missing(self, letters: Iterable[DeadLetter]) -> list[str]:
        """Return what was named and is nowhere among these letters."""
        found = list(letters)
        return sorted(
            name for name, kinds in self._named() if not any(_is_named(one, name, kinds) for one in found)
        )

    def _named(self) -> list[tuple[str, frozenset[str]]]:
        return [
            *((name, frozenset({"article", "label"})) for name in self.subjects),
            *((name, frozenset({"article"})) for name in self.articles),
            *((name, frozenset({"label"})) for name in self.labels),
        ]


EVERYTHING = Choice()


def _is_named(letter: DeadLetter, name: str, kinds: Collection[str]) -> bool:
    if letter.kind not in kinds:
        return False
    return letter.subject == (name if letter.kind == "article" else label_code_or_same(name))


def label_code_or_same(text: str) -> str:
    """Return a label code as AIMS writes it, and a text that is none as it is."""
    try:
        return normalize_label_code(text)
    except InvalidInput:
        return text


def dead_letters(
    scope: Scope, choice: Choice = EVERYTHING, *, store: str | None = None, limit: int | None = None
) -> list[DeadLetter]:
    """Return the dead letters nobody has dealt with, oldest first."""
    with reading(scope) as read:
        return [letter for letter in _letters(read, read.stores(store)) if choice.fits(letter)][:limit]


def group_dead_letters(
    scope: Scope, choice: Choice = EVERYTHING, *, store: str | None = None
) -> list[DeadGroup]:
    """Return the dead letters cause by cause, the most frequent first."""
    causes: dict[str, list[DeadLetter]] = {}
    for letter in dead_letters(scope, choice, store=store):
        causes.setdefault(letter.cause, []).append(letter)
    groups = [
        DeadGroup(
            cause=cause,
            count=len(letters),
            stores=tuple(sorted({letter.store for letter in letters})),
            kinds=tuple(sorted({letter.kind for letter in letters})),
            examples=tuple(letter.subject for letter in letters[:_EXAMPLES]),
            first_at=letters[0].at,
            last_at=letters[-1].at,
            error=letters[-1].error,
        )
        for cause, letters in causes.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.cause))


def retry_dead_letters(
    scope: Scope, choice: Choice, *, store: str | None = None, dry_run: bool = False
) -> int:
    """Push what these dead letters are about once more, with today's content, and return how many there were.

    Raises NotFound when something that was named, or the cause, has no dead letter; then nothing is changed.
    """

    def work(change: Change, place: Store, articles: Sequence[str], labels: Sequence[str]) -> None:
        retry_articles(change, place, articles)
        retry_wishes(change, place, labels)

    return _deal_with(scope, choice, work, store=store, dry_run=dry_run)


def discard_dead_letters(
    scope: Scope, choice: Choice, *, store: str | None = None, dry_run: bool = False
) -> int:
    """Silence dead letters and return how many; what they are about stays failed until somebody edits it.

    Raises NotFound when something that was named, or the cause, has no dead letter; then nothing is changed.
    """

    def work(change: Change, place: Store, articles: Sequence[str], labels: Sequence[str]) -> None:
        for kind, subjects in (("article", articles), ("label", labels)):
            alerts.end_dead_letters(change.uow, place.id, kind, subjects, how="discard", now=change.now)
        after = {"articles": list(articles), "labels": list(labels)}
        change.record("queue:discarded", "store", place.id, after=after, store_id=place.id)

    return _deal_with(scope, choice, work, store=store, dry_run=dry_run)


_Work = Callable[[Change, Store, Sequence[str], Sequence[str]], None]


def _deal_with(scope: Scope, choice: Choice, work: _Work, *, store: str | None, dry_run: bool) -> int:
    with changing(scope, Action.SYNC, dry_run=dry_run) as change:
        places = change.stores(store)
        chosen = [letter for letter in _letters(change, places) if choice.fits(letter)]
        _require_found(choice, chosen)
        for place in places:
            subjects: Mapping[str, list[str]] = {
                kind: [one.subject for one in chosen if (one.store, one.kind) == (place.code, kind)]
                for kind in ("article", "label")
            }
            if any(subjects.values()):
                work(change, place, subjects["article"], subjects["label"])
        return len(chosen)


def _require_found(choice: Choice, chosen: Sequence[DeadLetter]) -> None:
    missing = choice.missing(chosen)
    if missing:
        raise NotFound(f"There is no dead letter of {', '.join(missing)}.", fix="electis queue dead list")
    if choice.cause is not None and not chosen:
        raise NotFound(
            f"There is no dead letter of the cause {choice.cause!r}.", fix="electis queue dead group"
        )


def _letters(read: Reading, places: Sequence[Store]) -> list[DeadLetter]:
    codes = {place.id: place.code for place in places}
    return [
        _view(letter, codes[letter["store_id"]]) for letter in alerts.list_dead_letters(read.uow, list(codes))
    ]


def _view(letter: Mapping[str, Any], store: str) -> DeadLetter:
    return DeadLetter(
        id=letter["id"],
        kind=letter["kind"],
        subject=letter["subject"],
        store=store,
        cause=str(letter["cause"]).removeprefix(f"dead-letter:{store}:"),
        error_class=letter["error_class"],
        error=letter["error_text"],
        attempts=letter["attempts"],
        at=letter["at"],
    )
