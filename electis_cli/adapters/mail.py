"""Sending one mail over SMTP."""

from __future__ import annotations

import contextlib
import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from electis_cli.domain.errors import Misconfigured

SMTP_SECONDS = 15.0
_FIRST_PERMANENT = 500


def send_mail(url: str, *, recipient: str, subject: str, body: str, message_id: str) -> None:
    """Send one mail through `smtp://[USER:PASSWORD@]HOST[:PORT][/?from=ADDRESS]` or `smtps://`.

    Raises OSError (smtplib's errors among them) when it did not go out, Misconfigured for a URL that is none, and
    ValueError for a recipient that is no address.
    """
    parts = _parse(url)
    if parseaddr(recipient)[1] != recipient:
        # What smtplib would make of `a(b@example.com` is the address `a`: somebody else's mailbox.
        raise ValueError("this is not one mail address")
    sender = parse_qs(parts.query).get("from", [f"electis@{parts.hostname}"])[0]
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"] = formatdate()
    # The same id for every try of one mail, so that a repeated delivery can be recognized.
    message["Message-ID"] = f"<{message_id}@electis.invalid>"
    message.set_content(body)
    with contextlib.closing(_connect(parts)) as server:
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message, from_addr=sender, to_addrs=[recipient])
        # The mail is accepted: a server that hangs up without a word must not make us send it again.
        with contextlib.suppress(OSError):
            server.quit()


def describe_failure(error: OSError) -> str:
    """Return what went wrong as a class and a code; the server's own words can hold addresses and secrets."""
    code = _answer_code(error)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


def is_permanent(error: OSError) -> bool:
    """Tell whether the server will not take this mail later either (an answer of 500 and more)."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return True  # an address beyond ASCII, and a server that knows no such thing
    return (_answer_code(error) or 0) >= _FIRST_PERMANENT


def _answer_code(error: OSError) -> int | None:
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in error.recipients.values()), default=None)
    return None


def _parse(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass  # brackets or a port that are none
    raise Misconfigured(
        "The mail server's URL can not be read.", fix="export ELECTIS_SMTP_URL=smtp://HOST:PORT"
    )


def _connect(parts: SplitResult) -> smtplib.SMTP:
    host = parts.hostname or ""
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, parts.port or 465, timeout=SMTP_SECONDS, context=context)
    server = smtplib.SMTP(host, parts.port or 25, timeout=SMTP_SECONDS)
    try:
        server.ehlo()
        offers_encryption = server.has_extn("starttls")
        if offers_encryption:
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    if parts.username and not offers_encryption and not _is_loopback(host):
        server.close()
        raise Misconfigured(
            "The mail server offers no encryption, and its password is never sent without.",
            fix="use smtps://, or a server that offers STARTTLS",
        )
    return server


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
