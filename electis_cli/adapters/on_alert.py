"""Handing an alert to the operator's own command or address: within ten seconds, whatever that does."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from electis_cli.domain.errors import Misconfigured, ReceiverFailed
from electis_cli.version import VERSION

LIMIT_SECONDS = 10.0

_PASSED_ON = frozenset({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"})
"""What a command gets of our environment, beside LC_*: no database's address, no key."""


def check_receiver(receiver: str) -> None:
    """Raise Misconfigured unless this is an http(s) URL or a command line."""
    if _url_of(receiver) is None:
        _words_of(receiver)


def hand_over(receiver: str, document: Mapping[str, Any], *, seconds: float = LIMIT_SECONDS) -> None:
    """Give a JSON object to a receiver: POST it to a URL, or run a command, without a shell, that reads it.

    Took it: an answer of 200 to 299, or the exit code 0. Raises ReceiverFailed when it did not, or not in time, and
    Misconfigured for a receiver that is none.
    """
    content = json.dumps(document, ensure_ascii=False).encode() + b"\n"
    url = _url_of(receiver)
    if url is not None:
        _post(url, content, seconds)
    else:
        _run(_words_of(receiver), content, seconds)


def _url_of(receiver: str) -> SplitResult | None:
    """Return the URL that a receiver is; None for a command."""
    if not receiver.casefold().startswith(("http://", "https://")):
        return None
    if receiver.isascii() and receiver.isprintable() and " " not in receiver:
        with contextlib.suppress(ValueError):  # brackets or a port that are none
            parts = urlsplit(receiver)
            if parts.hostname and parts.port != 0:
                return parts
    raise Misconfigured("The URL of ELECTIS_ON_ALERT can not be read.", fix="check ELECTIS_ON_ALERT")


def _words_of(receiver: str) -> Sequence[str]:
    with contextlib.suppress(ValueError):
        words = shlex.split(receiver)
        if words and "\0" not in receiver:
            return words
    raise Misconfigured(
        "The command of ELECTIS_ON_ALERT can not be read.",
        why="It is split into words as a shell does, but no shell runs it.",
        fix="check ELECTIS_ON_ALERT",
    )


def _run(words: Sequence[str], content: bytes, seconds: float) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("LC_")
    }
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # a group of its own, so that all of it can be ended
        )
    except OSError as error:
        raise ReceiverFailed(why=f"It can not be started: {error.strerror}.") from error
    try:
        process.communicate(content, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise ReceiverFailed(why=f"It did not end within {seconds:g} seconds.") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        raise ReceiverFailed(why=f"It ended with the exit code {process.returncode}.")


def _post(url: SplitResult, content: bytes, seconds: float) -> None:
    # Only who tells alerts to a URL needs these, and they take a while to import.
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415

    secure = url.scheme.casefold() == "https"
    connection = (HTTPSConnection if secure else HTTPConnection)(
        url.hostname or "", url.port, timeout=seconds
    )
    outcome: list[int | Exception] = []

    def ask() -> None:
        try:
            connection.request("POST", _target(url), body=content, headers=_headers(url))
            outcome.append(connection.getresponse().status)
        except (OSError, HTTPException, ValueError) as error:
            outcome.append(error)
        finally:
            connection.close()

    # The socket's own limit starts anew with every byte, and looking up a name has none.
    thread = threading.Thread(target=ask, name="on-alert", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome or isinstance(outcome[0], TimeoutError):  # the socket's limit may be over a moment earlier
        _break_off(connection.sock)
        raise ReceiverFailed(why=f"It did not answer within {seconds:g} seconds.")
    if isinstance(outcome[0], Exception):
        # Of an error only its kind is told: its text could quote the URL, and with it a secret.
        raise ReceiverFailed(why=f"It could not be reached: {type(outcome[0]).__name__}.") from outcome[0]
    if not 200 <= outcome[0] < 300:
        raise ReceiverFailed(why=f"It answered with the status {outcome[0]}.")


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _headers(url: SplitResult) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"electis/{VERSION}",
        "Connection": "close",
    }
    if url.username is not None:
        login = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = "Basic " + b64encode(login.encode()).decode()
    return headers


def _break_off(sock: Any) -> None:
    """End the read that hangs; what can not be ended so ends by its own limits, and nobody waits for it."""
    with contextlib.suppress(OSError, AttributeError):
        sock.shutdown(socket.SHUT_RDWR)
