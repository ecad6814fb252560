"""Sending one mail over SMTP."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from electis_cli.domain.errors import Misconfigured

SMTP_SECONDS = 15.0


def send_mail(url: str, *, recipient: str, subject: str, body: str, message_id: str) -> None:
    """Send one mail through `smtp://[USER:PASSWORD@]HOST[:PORT][/?from=ADDRESS]` or `smtps://`.

    Raises OSError (smtplib's errors among them) when it did not go out, and Misconfigured for a URL that is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise Misconfigured(
            "The mail server's URL can not be read.", fix="export ELECTIS_SMTP_URL=smtp://HOST:PORT"
        )
    sender = parse_qs(parts.query).get("from", [f"electis@{parts.hostname}"])[0]
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"] = formatdate()
    # The same id for every try of one mail, so that a repeated delivery can be recognized.
    message["Message-ID"] = make_msgid(idstring=message_id, domain="electis.invalid")
    message.set_content(body)
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            parts.hostname, parts.port or 465, timeout=SMTP_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(parts.hostname, parts.port or 25, timeout=SMTP_SECONDS)
    with contextlib.closing(server):
        if parts.scheme == "smtp":
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
        server.quit()
