"""What the doctor thinks of what it saw: values in, a finding out, or the error that a step ends with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from electis_cli.aims.checkup import StoreCounters
from electis_cli.aims.probe import Doorstep
from electis_cli.domain.errors import FormatChanged, FormatMissing, Misconfigured, Unreachable
from electis_cli.domain.organizations import ArticleFormat
from electis_cli.services.queue import QueueStatus
from electis_cli.services.steps import Finding, doubt

LEAST_DAYS = 21
LEAST_TOKEN_SECONDS = 300
SKEW_TO_WARN, SKEW_TO_FAIL = timedelta(seconds=60), timedelta(minutes=5)
NO_DATE = "AIMS tells no time of its own; the clocks are not compared"
_NO_STORE = Finding(cause="no store to ask about")


def judge_certificate(days: float | None) -> Finding:
    """Judge how long a certificate still holds."""
    if days is None:
        return Finding(cause="plain http: nothing is encrypted, for a simulator only")
    cause = f"the certificate holds {int(days)} more days"
    if days < LEAST_DAYS:
        return doubt(cause, "tell whoever runs this AIMS that its certificate must be renewed")
    return Finding(cause=cause)


def judge_skew(before: datetime, found: Doorstep, after: datetime) -> Finding:
    """Judge how far our clock is from AIMS's, which tells whole seconds. Raises Misconfigured beyond five minutes."""
    if found.date is None:
        return Finding(cause=NO_DATE)
    ahead = before - (found.date + timedelta(seconds=1))
    behind = found.date - after
    skew = max(ahead, behind, timedelta(0))
    way = "ahead of" if ahead > behind else "behind"
    cause = f"this machine is {round(skew.total_seconds())} s {way} AIMS" if skew else "no difference"
    fix = "set this machine's clock, such as with: timedatectl set-ntp true"
    if skew > SKEW_TO_FAIL:
        raise Misconfigured("The clocks disagree.", why=f"{cause[0].upper()}{cause[1:]}.", fix=fix)
    return doubt(cause, fix) if skew > SKEW_TO_WARN else Finding(cause=cause)


def judge_token(seconds: int | None) -> Finding:
    """Judge how long tokens live; a short life means a login for nearly every call."""
    if seconds is None:
        return doubt("AIMS does not say how long its tokens live; an hour is assumed")
    cause = f"{seconds} s"
    if seconds < LEAST_TOKEN_SECONDS:
        return doubt(f"only {cause}: there will be many logins", "ask the vendor for a longer token life")
    return Finding(cause=cause)


def judge_format(ours: ArticleFormat | None, theirs: ArticleFormat | None) -> Finding:
    """Compare the article formats. Raises FormatMissing and FormatChanged."""
    if theirs is None:
        raise FormatMissing(fix="set up the article format in AIMS, then: electis aims format fetch")
    if ours is None:
        raise FormatMissing("The article format was not fetched yet.", fix="electis aims format fetch")
    if ours == theirs:
        return Finding(cause=f"{len(ours.columns)} columns, equal to ours")
    added = [column for column in theirs.columns if column not in ours.columns]
    removed = [column for column in ours.columns if column not in theirs.columns]
    why = f"New columns: {', '.join(added) or 'none'}; missing columns: {', '.join(removed) or 'none'}."
    if not added and not removed:
        why = "The same columns, but in another order or for other purposes."
    raise FormatChanged(why=why, fix="electis aims format fetch")


def judge_gateways(counters: Mapping[str, StoreCounters]) -> Finding:
    """Judge gateways, store by store. Raises Unreachable when all of a store's are offline."""
    if not counters:
        return _NO_STORE
    online, total = _total((it.gateways_online, it.gateways) for it in counters.values())
    silent = [code for code, it in counters.items() if it.gateways is None or it.gateways_online is None]
    dark = [code for code, it in counters.items() if it.gateways and it.gateways_online == 0]
    none = [code for code, it in counters.items() if it.gateways == 0]
    cause = f"{online} of {total} online"
    if dark:
        raise Unreachable(
            f"No gateway is online in store {', '.join(dark)}.",
            why=f"In all stores {cause}; labels there can not be reached.",
            fix=f"check power and network of the gateways: electis aims gateway list --store {dark[0]}",
        )
    if none:
        return doubt(f"{cause}; none at all in store {', '.join(none)}")
    if silent:
        return doubt(f"{cause}; AIMS does not say for store {', '.join(silent)}")
    if online < total:
        weak = next(code for code, it in counters.items() if (it.gateways_online or 0) < (it.gateways or 0))
        return doubt(cause, f"electis aims gateway list --store {weak}")
    return Finding(cause=cause)


def judge_labels(counters: Mapping[str, StoreCounters]) -> Finding:
    """Judge linked labels of all stores together. Raises Unreachable when none of them is online."""
    if not counters:
        return _NO_STORE
    online, total = _total((it.labels_online, it.labels) for it in counters.values())
    if all(it.labels is None for it in counters.values()):
        return doubt("AIMS does not say")
    if total == 0:
        return Finding(cause="no label is linked yet")
    cause = f"{online} of {total} linked labels online"
    if online == 0:
        raise Unreachable("No linked label is online.", why=f"{cause}.", fix="electis label list --offline")
    return doubt(cause, "electis label list --offline") if online < total else Finding(cause=cause)


def _total(pairs: Iterable[tuple[int | None, int | None]]) -> tuple[int, int]:
    found = [(online or 0, total or 0) for online, total in pairs]
    return sum(online for online, _ in found), sum(total for _, total in found)


_BREAKER_FIX = {
    "format": "electis aims format fetch",
    "login": "electis aims configure --replace",
    "license": "ask the vendor about the company's license",
}


def judge_queue(statuses: Iterable[QueueStatus]) -> Finding:
    """Judge what keeps the queue from being worked; the first thing found names the command."""
    causes: list[tuple[str, str]] = []
    waiting = 0
    for place, item in enumerate(statuses):
        if place == 0 and item.breaker == "open":  # shared by all stores of the account
            reason = item.breaker_reason or "health"
            causes.append((f"stopped ({reason})", _BREAKER_FIX.get(reason, "electis aims ping")))
        if item.paused:
            causes.append((f"store {item.store} is paused", f"electis queue resume --store {item.store}"))
        if item.dead_letters:
            words = f"{item.dead_letters} dead letters in store {item.store}"
            causes.append((words, f"electis queue dead list --store {item.store}"))
        waiting += item.waiting
    if not causes:
        return Finding(cause=f"{waiting} waiting")
    return doubt("; ".join(cause for cause, _ in causes), causes[0][1])
