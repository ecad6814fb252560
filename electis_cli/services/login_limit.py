"""How often a password may be guessed (flow 1.1): counted in Redis when it is configured, else in the database."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from electis_cli.adapters.access_tokens import hash_token
from electis_cli.db import sessions
from electis_cli.domain.errors import LoginThrottled, Misconfigured, Unreachable
from electis_cli.services.runtime import Runtime

MOST_ATTEMPTS = 10
WINDOW = timedelta(minutes=15)
NO_WAIT = timedelta(0)


def take_attempt(runtime: Runtime, email: str) -> None:
    """Count one attempt at the password of an address, before it is checked, so that guesses at once all count.

    Raises LoginThrottled with the time to wait when ten attempts within a quarter of an hour were wrong.
    """
    subject = hash_token(email)
    wait = _take_shared(runtime, subject)
    if wait is None:
        wait = _take_stored(runtime, subject)
    if wait > NO_WAIT:
        seconds = int(wait.total_seconds()) + 1
        raise LoginThrottled(
            why=f"Try again in {seconds} seconds.",
            fix="wait, or ask an admin: electis user unlock EMAIL",
            wait_seconds=seconds,
        )


def forget_attempts(runtime: Runtime, email: str) -> None:
    """Forget the attempts at an address: its password was right, or an admin unlocked it."""
    subject = hash_token(email)
    with runtime.database.write() as uow:
        sessions.clear_login_attempts(uow, subject)
        uow.commit()
    if runtime.login_counter is not None:
        # What a Redis that does not answer still counts runs out by itself.
        with contextlib.suppress(Unreachable, Misconfigured):
            runtime.login_counter.forget(subject)


def _take_shared(runtime: Runtime, subject: str) -> timedelta | None:
    """Count in Redis; None when there is none or it does not answer, and the database has to count instead."""
    if runtime.login_counter is None:
        return None
    try:
        return runtime.login_counter.take(subject, most=MOST_ATTEMPTS, window=WINDOW)
    except (Unreachable, Misconfigured):
        return None


def _take_stored(runtime: Runtime, subject: str) -> timedelta:
    with runtime.database.write() as uow:
        now = runtime.clock()
        attempts = sessions.lock_login_attempts(uow, subject, now)
        until = attempts["blocked_until"]
        if until is not None and until > now:
            return until - now  # type: ignore[no-any-return]
        is_over = until is not None or now - attempts["window_started_at"] > WINDOW
        count = 1 if is_over else attempts["failures"] + 1
        sessions.update_login_attempts(
            uow,
            subject,
            {
                "failures": count,
                "window_started_at": now if is_over else attempts["window_started_at"],
                "blocked_until": now + WINDOW if count >= MOST_ATTEMPTS else None,
            },
        )
        uow.commit()
    return NO_WAIT
