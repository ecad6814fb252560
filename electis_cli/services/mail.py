"""The outbox: mails are queued with the change they speak of and sent later, so that none is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from electis_cli.adapters.mail import describe_failure, is_permanent
from electis_cli.db import stores, trail, users
from electis_cli.db.organizations import Organization
from electis_cli.domain.access import Action, Role, system_actor
from electis_cli.domain.alerts import ALERT_PAUSE, fix_of
from electis_cli.domain.errors import Conflict, MasterKeyProblem, Misconfigured, NotFound
from electis_cli.domain.timing import backoff_delay, iso
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.runtime import Runtime
from electis_cli.services.secrets import open_mail_body, seal_mail_body

WELCOME, PASSWORD_RESET, ALERT = "welcome", "password-reset", "alert"
PASSWORD_MAILS = (WELCOME, PASSWORD_RESET)
"""The kinds of mail that carry a temporary password."""

CLAIM = timedelta(minutes=5)
"""How long a mail belongs to the worker that took it: more than a mail server may take, less than a person waits."""

MOST_REFUSALS = 5
"""After so many tries a mail that the server refuses for good is not tried again by itself."""

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    """A mail of the outbox, without its body."""

    id: str
    kind: str
    recipient: str
    subject: str
    state: str
    attempts: int
    next_attempt_at: datetime | None
    error: str | None
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCounts:
    """What became of the outbox in one go: `waiting` and `failed` are what is left in it."""

    sent: int
    postponed: int
    waiting: int
    failed: int


def queue_mail(change: Change, kind: str, recipient: str, subject: str, body: str) -> str:
    """Put a mail into the outbox, its body sealed, within the change it speaks of; returns its id."""
    mail_id = change.new_id()
    trail.insert_mail(
        change.uow,
        {
            "id": mail_id,
            "kind": kind,
            "recipient": recipient,
            "subject": " ".join(subject.split()),
            "body": seal_mail_body(change.scope.runtime.sealer, mail_id, body),
            "state": "waiting",
            "attempts": 0,
            "next_attempt_at": change.now,
            "created_at": change.now,
        },
    )
    return mail_id


def send_due_mail(runtime: Runtime, org_id: str) -> MailCounts:
    """Send an organization's mails whose time has come; without a mail server they wait.

    Several workers at once never send the same mail; one that dies in the middle leaves it to be sent again.
    Raises Misconfigured for a mail server's URL that is none.
    """
    sent = postponed = 0
    if runtime.send_mail is not None and runtime.tuning.mail_url:
        for _ in range(MOST_AT_ONCE):
            mail = _claim(runtime, org_id)
            if mail is None:
                break
            if _send(runtime, org_id, mail):
                sent += 1
            else:
                postponed += 1
    with runtime.database.read(org_id) as uow:
        return MailCounts(
            sent=sent,
            postponed=postponed,
            waiting=trail.count_mail(uow, "waiting"),
            failed=trail.count_mail(uow, "failed"),
        )


def mail_alerts(runtime: Runtime, org_id: str) -> int:
    """Queue one mail to every active admin about the alerts that are due; returns how many alerts those are.

    An alert is due when it happened since it was last mailed; each cause at most once an hour.
    """
    scope = Scope(runtime=runtime, actor=system_actor(), org_id=org_id)
    with changing(scope, Action.SYNC) as change:
        admins = [user for user in users.list_users(change.uow) if user.role is Role.ADMIN and user.is_active]
        if not admins:
            return 0
        due = trail.claim_alerts(change.uow, change.now, change.now - ALERT_PAUSE)
        if due:
            codes = {store.id: store.code for store in stores.list_stores(change.uow)}
            subject, body = _alert_words(change.organization(), due, codes)
            for admin in admins:
                queue_mail(change, ALERT, admin.email, subject, body)
        runtime.reached("mail:queueing")
    runtime.reached("mail:queued")
    return len(due)


def list_mail(scope: Scope, *, limit: int | None = None) -> list[MailView]:
    """Return the outbox, newest first."""
    with reading(scope, Action.READ_USERS) as read:
        return [_view(row) for row in trail.list_mail(read.uow)[:limit]]


def send_mail_now(scope: Scope) -> MailCounts:
    """Send what is due, as the daemon does. Raises PermissionRefused, Misconfigured without a mail server."""
    with reading(scope, Action.CHANGE_USERS):
        pass
    if not scope.runtime.tuning.mail_url:
        raise Misconfigured(
            "No mail server is configured, so mails wait in the outbox.",
            fix="export ELECTIS_SMTP_URL=smtp://HOST:PORT",
        )
    return send_due_mail(scope.runtime, scope.org_id)


def retry_mail(scope: Scope, mail_id: str, *, dry_run: bool = False) -> MailView:
    """Make a mail due now, also one that was given up. Raises NotFound, and Conflict when its body is gone."""
    with changing(scope, Action.CHANGE_USERS, dry_run=dry_run) as change:
        mail = trail.find_mail(change.uow, mail_id)
        if mail is None:
            raise NotFound(f"There is no mail {mail_id}.", fix="electis mail list")
        if mail["body"] is None:
            raise Conflict(
                f"This mail is {mail['state']}, so its text is gone.",
                why="A mail's text is wiped when it was sent or holds no more.",
                fix="electis user reset-password EMAIL",
            )
        changed = {"state": "waiting", "next_attempt_at": change.now, "attempts": 0, "error_text": None}
        trail.update_mail(change.uow, mail_id, changed)
        change.record("mail:retried", "mail", mail_id)
        return _view({**mail, **changed})


def _claim(runtime: Runtime, org_id: str) -> dict[str, Any] | None:
    with runtime.database.write(org_id) as uow:
        now = uow.now()
        mail = trail.claim_mail(uow, now, now + CLAIM)
        runtime.reached("mail:claiming")
        uow.commit()
    runtime.reached("mail:claimed")
    return mail


def _send(runtime: Runtime, org_id: str, mail: dict[str, Any]) -> bool:
    if runtime.send_mail is None:
        return False
    runtime.reached("mail:sending")
    try:
        runtime.send_mail(
            url=runtime.tuning.mail_url,
            recipient=mail["recipient"],
            subject=mail["subject"],
            body=open_mail_body(runtime.sealer, mail["id"], mail["body"]),
            message_id=mail["id"],
        )
    except OSError as error:
        is_over = is_permanent(error) and mail["attempts"] >= MOST_REFUSALS
        _postpone(runtime, org_id, mail, describe_failure(error), is_over=is_over)
        return False
    except (Misconfigured, ValueError) as error:
        # A key or URL that does not fit, or an address no mail can carry; whoever runs this should know of the first.
        _postpone(runtime, org_id, mail, type(error).__name__, is_over=isinstance(error, ValueError))
        if isinstance(error, Misconfigured) and not isinstance(error, MasterKeyProblem):
            raise
        return False
    runtime.reached("mail:sent")
    with runtime.database.write(org_id) as uow:
        trail.update_mail(
            uow,
            mail["id"],
            {"state": "sent", "body": None, "sent_at": uow.now(), "error_text": None},
            waiting_only=True,
        )
        runtime.reached("mail:noting")
        uow.commit()
    runtime.reached("mail:noted")
    return True


def _postpone(runtime: Runtime, org_id: str, mail: dict[str, Any], why: str, *, is_over: bool) -> None:
    with runtime.database.write(org_id) as uow:
        trail.update_mail(
            uow,
            mail["id"],
            {
                "state": "failed" if is_over else "waiting",
                "next_attempt_at": uow.now() + backoff_delay(mail["attempts"], runtime.draw()),
                "error_text": why,
            },
            waiting_only=True,
        )
        uow.commit()


def _alert_words(
    organization: Organization, due: Sequence[dict[str, Any]], store_codes: Mapping[str, str]
) -> tuple[str, str]:
    counted = "an alert" if len(due) == 1 else f"{len(due)} alerts"
    lines = [
        f"- {alert['text']}\n  since {iso(alert['first_at'])}, last {iso(alert['last_at'])}, {alert['count']} times\n"
        f"  begin with: {fix_of(alert['cause'], store_codes.get(alert['store_id']), alert['text'])}"
        for alert in due
    ]
    body = (
        f"electis has {counted} for the organization {organization.code}:\n\n"
        + "\n".join(lines)
        + "\n\nSee more with: electis queue status\n"
    )
    return f"electis: {counted} for {organization.code}", body


def _view(row: dict[str, Any]) -> MailView:
    return MailView(
        id=row["id"],
        kind=row["kind"],
        recipient=row["recipient"],
        subject=row["subject"],
        state=row["state"],
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"] if row["state"] == "waiting" else None,
        error=row["error_text"],
        created_at=row["created_at"],
        sent_at=row["sent_at"],
    )
