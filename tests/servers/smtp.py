"""A mail server inside the test process: `smtp_server`, one per test, on a loopback port of its own."""

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Mail:
    """One delivered mail: the envelope as the client gave it, and the message in it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """The plain text body."""
        body = self.message.get_body(("plain",))
        return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""


class SmtpServer:
    """A server that keeps what it is sent. It can be stopped, started again, and told to refuse."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refusal: str | None = None
        self._arrived = threading.Condition()
        self._controller: _Controller | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        """The address, as ELECTIS_SMTP_URL takes it."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Take connections (again)."""
        if self._controller is None:
            self._controller = _Controller(self._handle, self.port)
            self._controller.start()
            self.port = self._controller.port

    def stop(self) -> None:
        """Refuse connections, as a mail server that is down does."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def refuse(self, answer: str | None) -> None:
        """Answer every mail with this line, such as `451 try later` or `550 no such user`; None accepts."""
        self.refusal = answer

    def wait_for(self, count: int, seconds: float = 10.0) -> list[Mail]:
        """Wait until at least `count` mails have arrived, and return all of them."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.mails) >= count, seconds):
                msg = f"{len(self.mails)} of {count} mails arrived within {seconds} s"
                raise TimeoutError(msg)
            return list(self.mails)

    def _handle(self, envelope: Envelope) -> str:
        if self.refusal is not None:
            return self.refusal
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        message = email.message_from_bytes(content, policy=email.policy.default)
        with self._arrived:
            self.mails.append(Mail(envelope.mail_from or "", tuple(envelope.rcpt_tos), message))
            self._arrived.notify_all()
        return "250 OK"


class _Handler:
    def __init__(self, deliver: Any) -> None:
        self._deliver = deliver

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        return str(self._deliver(envelope))


class _Controller(Controller):
    """aiosmtpd's controller on a socket that is bound first, so that the kernel chooses a free port."""

    def __init__(self, deliver: Any, port: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", port))
        super().__init__(_Handler(deliver), hostname="127.0.0.1", port=self._listening.getsockname()[1])

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A mail server for one test, with an empty mailbox."""
    server = SmtpServer()
    yield server
    server.stop()
