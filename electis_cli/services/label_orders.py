"""Orders that go to labels at once, in the foreground: blink, an image, a resend; and what AIMS tells of labels."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from electis_cli.db import labels
from electis_cli.db.stores import Store
from electis_cli.domain.access import Action
from electis_cli.domain.commands import Color, check_duration
from electis_cli.domain.errors import AimsAmbiguous, AimsRejected, InvalidInput, LabelNotFound
from electis_cli.domain.images import check_fits, check_picture
from electis_cli.domain.labels import Display, normalize_label_code
from electis_cli.services.at_aims import (
    AtAims,
    at_aims,
    looking,
    may_have_happened,
    refuse_while_stopped,
    system_of,
)
from electis_cli.services.change import Change, Reading, Scope, reading

if TYPE_CHECKING:
    from electis_cli.aims.entities import ItemResult, LabelRow
    from electis_cli.aims.inspection import AimsInspector

LAST_PAGE = 7  # contract 5.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Blink:
    """What came of letting one label blink: planned, done or failed."""

    label_code: str
    store: str
    outcome: str
    code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedImage:
    """An image that AIMS took for a label; the batch tells later whether the label drew it."""

    label_code: str
    store: str
    page: int
    kind: str
    width: int
    height: int
    batch: str | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """What a resend came to; `sent` is False when no label of these had timed out. No labels: all of the store."""

    store: str
    labels: tuple[str, ...]
    sent: bool
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOrder:
    """One thing a label was told to do, and how it went, page by page."""

    at: str | None
    store: str
    kind: str | None
    batch: str | None
    pages: tuple[Mapping[str, Any], ...]


def find_labels(
    scope: Scope,
    *,
    store: str | None = None,
    unassigned: bool = False,
    offline: bool = False,
    low_battery: bool = False,
    tell_unknown: Callable[[str], None] = lambda _: None,
) -> list[LabelRow]:
    """Return the labels AIMS knows in a store, or in all the actor may see, that are all of what is asked for.

    `tell_unknown` hears of stores that AIMS does not have.
    """
    with at_aims(scope, store=store) as at:
        found = at.of_each(
            lambda place: at.ask.labels(
                place.code,
                unassigned_only=unassigned,
                online=False if offline else None,
                battery="BAD" if low_battery else None,
            ),
            tell_unknown,
        )
    return [
        label
        for label in found
        # An installation may leave the filters out: what is known to be otherwise does not pass.
        if not (unassigned and label.articles)
        and not (offline and label.online is True)
        and not (low_battery and label.low_battery is False)
    ]


def blink_labels(
    scope: Scope,
    codes: Sequence[str],
    *,
    color: Color = Color.GREEN,
    duration: str = "30s",
    store: str | None = None,
    dry_run: bool = False,
) -> list[Blink]:
    """Let labels of one store blink; `0s` stops them. A label that can not does not stop the others.

    Raises InvalidInput, LabelNotFound when AIMS knows none of them, QueuePaused, UsageProblem (which store?).
    """
    check_duration(duration)
    wanted = label_codes(codes)
    with _labels_at(scope, wanted, store) as at:
        place = at.place.code
        if dry_run:
            return [Blink(label_code=code, store=place, outcome="planned") for code in wanted]
        after = {"labels": wanted, "color": color.value, "duration": duration}
        with at.writing("label:blinked", "store", place, after=after, place=at.place):
            failed = {item.id.upper(): item for item in let_blink(at.ask, place, wanted, color, duration)}
    if set(wanted) <= set(failed) and all("NOT_FOUND" in item.message for item in failed.values()):
        raise _not_there(wanted, place)
    return [_blinked(code, place, failed.get(code)) for code in wanted]


def push_image(
    scope: Scope,
    label: str,
    content: bytes,
    *,
    page: int = 1,
    dither: bool = False,
    store: str | None = None,
    dry_run: bool = False,
) -> PushedImage:
    """Put an image on a page of a label, which then shows it; later changes of its article do not reach that label.

    The file is checked before anything is sent. Raises InvalidInput, LabelNotFound, QueuePaused, AimsRejected,
    AimsAmbiguous when nobody knows whether AIMS took it.
    """
    code, picture = normalize_label_code(label), check_picture(content)
    if not 1 <= page <= LAST_PAGE:
        raise InvalidInput(f"A label has no page {page}.", why=f"Pages go from 1 to {LAST_PAGE}.")
    with _labels_at(scope, [code], store) as at:
        with _known(at, [code]):
            # Asked first: what kind of device a label is AIMS tells of every company's labels.
            if at.ask.label_detail(at.place.code, code) is None:
                raise _not_there([code], at.place.code)
            device = at.ask.device(code)
        if device is not None:
            if not dither:
                check_fits(picture, device.width, device.height)
            if device.pages is not None and page > device.pages:
                raise InvalidInput(f"Label {code} has {device.pages} pages, and no page {page}.")
        view = PushedImage(
            label_code=code,
            store=at.place.code,
            page=page,
            kind=picture.kind,
            width=picture.width,
            height=picture.height,
            batch=None,
            dry_run=dry_run,
        )
        if dry_run:
            return view
        after = {"page": page, "kind": picture.kind, "bytes": len(content)}
        image = base64.b64encode(content).decode()
        with _known(at, [code]), at.writing("label:image_pushed", "label", code, after=after, place=at.place):
            try:
                batch = at.ask.push_image(
                    at.place.code, code, image=image, page=page, front_page=page, dithering=dither
                )
            except AimsAmbiguous as error:
                raise may_have_happened(error, fix=f"electis label history {code}") from error
    return replace(view, batch=batch)


def resend_labels(
    scope: Scope, codes: Sequence[str] | None, *, store: str | None = None, dry_run: bool = False
) -> Resend:
    """Let AIMS send again to labels that timed out: to these, or with None to all of a store.

    Raises InvalidInput, LabelNotFound, QueuePaused, UsageProblem (which store?).
    """
    wanted = label_codes(codes) if codes is not None else []
    with _labels_at(scope, wanted, store) as at:
        place, sent = at.place, False
        if not dry_run:
            after = {"labels": wanted or "timed out"}
            with (
                _known(at, wanted),
                at.writing("label:resent", "store", place.code, after=after, place=place),
            ):
                sent = at.ask.resend(place.code, wanted if codes is not None else None)
            if sent:
                with scope.runtime.database.write(scope.org_id) as uow:
                    change = Change(uow=uow, scope=system_of(scope), now=scope.runtime.clock())
                    follow_again(change, place.id, wanted)
                    uow.commit()
    return Resend(store=place.code, labels=tuple(wanted), sent=sent, dry_run=dry_run)


def label_history(
    scope: Scope, label: str, *, store: str | None = None, limit: int | None = None
) -> list[LabelOrder]:
    """Return what a label was told to do, newest first. Raises LabelNotFound, InvalidInput."""
    code = normalize_label_code(label)
    with at_aims(scope, store=store) as at:
        for place in at.places:
            events = at.ask.label_history(place.code, code)
            if events is None:
                continue
            return [
                LabelOrder(
                    at=event.at,
                    store=place.code,
                    kind=event.kind,
                    batch=event.batch,
                    pages=tuple(
                        {"page": page.page, "state": page.state, "at": page.answered_at}
                        for page in event.pages
                    ),
                )
                for event in events[:limit]
            ]
    raise LabelNotFound(f"AIMS has no history of a label {code}.", fix="electis label list --unassigned")


def label_codes(given: Sequence[str]) -> list[str]:
    """Return label codes as AIMS writes them, each once. Raises InvalidInput."""
    return list(dict.fromkeys(normalize_label_code(code) for code in given))


@contextlib.contextmanager
def _labels_at(scope: Scope, codes: Sequence[str], store: str | None) -> Iterator[AtAims]:
    """Open a look at AIMS in the one store of some labels, where something may be written right now."""
    with reading(scope, Action.CHANGE_FACTS) as read:
        organization, place = read.organization(), place_of_labels(read, codes, store)
    with looking(scope, organization, (place,)) as at:
        refuse_while_stopped(at)
        yield at


def place_of_labels(read: Reading, codes: Sequence[str], store: str | None) -> Store:
    """Return the store of labels: the one named, the only one, or the one where electis linked all of them.

    Raises StoreNotFound, and UsageProblem when it is not clear which.
    """
    visible = {place.id: place for place in read.stores(store)}
    if len(visible) > 1 and codes:
        homes = {wish.store_id if (wish := labels.find_wish(read.uow, code)) else None for code in codes}
        home = homes.pop() if len(homes) == 1 else None
        if home in visible:
            return visible[home]
    return read.store(store)


@contextlib.contextmanager
def _known(at: AtAims, codes: Sequence[str]) -> Iterator[None]:
    """Say that a label is not there when that is what AIMS's refusal means."""
    try:
        yield
    except AimsRejected as error:
        if codes and is_about_missing_labels(error):
            raise _not_there(codes, at.place.code) from error
        raise


def is_about_missing_labels(error: AimsRejected) -> bool:
    """Tell whether AIMS refused because it knows no such label."""
    word = str(error.details.get("word", ""))
    return "LABEL" in word and "NOT_FOUND" in word


def _not_there(codes: Sequence[str], store: str) -> LabelNotFound:
    return LabelNotFound(
        f"AIMS knows no label {', '.join(codes)} in store {store}.",
        why="A label is known once a gateway of the store has heard it.",
        fix=f"electis label list --unassigned --store {store}",
    )


def let_blink(
    ask: AimsInspector, store: str, codes: Sequence[str], color: Color, duration: str
) -> list[ItemResult]:
    """Send the order and return the labels that AIMS did not take.

    The wire's own name for magenta is misspelled (contract 4), but some installations may know the word.
    """
    words = ("MEGENTA", "MAGENTA") if color is Color.MAGENTA else (color.value.upper(),)
    for word in words[:-1]:
        with contextlib.suppress(AimsRejected):
            return ask.blink(store, codes, color=word, duration=duration)
    return ask.blink(store, codes, color=words[-1], duration=duration)


def _blinked(code: str, store: str, failure: ItemResult | None) -> Blink:
    if failure is None:
        return Blink(label_code=code, store=store, outcome="done")
    return Blink(label_code=code, store=store, outcome="failed", code=failure.code, error=failure.message)


def follow_again(change: Change, store_id: str, codes: Sequence[str]) -> None:
    """Let housekeeping follow labels it had given up (none named: all of the store): they may draw now."""
    for wish in labels.list_wishes(change.uow, [store_id]):
        if wish.display is Display.TIMED_OUT and (not codes or wish.label_code in codes):
            values = {
                "display": Display.PROCESSING.value,
                "display_since": change.now,
                "resent_at": change.now,
            }
            labels.update_wish(change.uow, wish.label_code, values)
