"""The way to AIMS, one step at a time: name, connection, certificate, base path; for `aims doctor`, never cached."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from electis_cli.aims.address import Address
from electis_cli.aims.connection import Timeouts
from electis_cli.aims.deadline import Deadline, DeadlineTransport, authorities
from electis_cli.aims.failures import failure_of
from electis_cli.aims.proxy import SETTING, answered_for_aims, parse_proxy, refused_way
from electis_cli.aims.recorder import Exchange, Recorder
from electis_cli.aims.wire import number_of
from electis_cli.domain.errors import AimsAnswerBroken, AimsUnreachable, ElectisError

_DNS_SECONDS = 5.0
_PORTS = {"https": 443, "http": 80}
_TOKEN_PATH = "/api/v2/token"  # noqa: S105 - a path
_CONFIGURE = "electis aims configure --replace --base-url URL --username NAME"
_OK, _REDIRECT, _NOT_FOUND, _TOO_MANY, _SERVER_ERRORS = 200, 300, 404, 429, 500
_LONGEST_HEAD = 64 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b")

# OpenSSL's numbers for why a certificate is not believed (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _WRONG_HOST = 9, 10, (62, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorstep:
    """What stood at the base path: the status, and the server's own time when it told."""

    status: int
    date: datetime | None


class Probe:
    """Looks at the way to one address; every step raises AimsUnreachable (or AimsAnswerBroken) when it ends there."""

    def __init__(
        self,
        address: Address,
        *,
        timeouts: Timeouts,
        clock: Callable[[], datetime],
        ca_file: str | None = None,
        proxy: str | None = None,
        record: Recorder | None = None,
    ) -> None:
        """`proxy` is the URL of an HTTP proxy that stands between: then it is what is resolved and connected to.

        Raises Misconfigured when it is none.
        """
        parts = urlsplit(address.origin)
        self.address = address
        self.is_plain = parts.scheme == "http"
        self.proxy = parse_proxy(proxy) if proxy else None
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._near_host = self.proxy.host if self.proxy else self._host
        self._near_port = self.proxy.port if self.proxy else self._port
        self._timeouts = timeouts
        self._clock = clock
        self._ca_file = ca_file
        self._record = record

    @property
    def proxy_name(self) -> str:
        """The proxy without the credentials its URL may hold."""
        return self.proxy.name if self.proxy else ""

    def resolve(self) -> tuple[str, ...]:
        """Return the addresses of the host's name."""
        found: list[str] = []
        problem: list[OSError] = []

        def look() -> None:
            try:
                rows = socket.getaddrinfo(self._near_host, self._near_port, type=socket.SOCK_STREAM)
                found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
            except OSError as error:
                problem.append(error)

        # getaddrinfo knows no time limit of its own; a resolver that is silent must not silence us.
        thread = threading.Thread(target=look, name="resolve", daemon=True)
        thread.start()
        thread.join(_DNS_SECONDS)
        if found:
            return tuple(found)
        why = (problem[0].strerror or str(problem[0])) if problem else f"No answer within {_DNS_SECONDS:g} s."
        owner, where = (
            ("The name of the proxy", SETTING) if self.proxy else ("The name", f"the base URL: {_CONFIGURE}")
        )
        raise AimsUnreachable(
            f"{owner} {self._near_host} does not resolve.",
            why=why.rstrip(".") + ".",
            fix=f"check this machine's DNS, or {where}",
        )

    def connect(self) -> str:
        """Open a TCP connection and return the address that took it."""
        with self._socket() as connection:
            host, port = connection.getpeername()[:2]
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def days_left(self) -> float | None:
        """Shake hands, verify the certificate and return the days it still holds; None for plain http."""
        if self.is_plain:
            return None
        with self._socket() as connection:
            try:
                self._tunnel(connection)
                with authorities(self._ca_file).wrap_socket(
                    connection, server_hostname=self._host
                ) as secured:
                    certificate = secured.getpeercert() or {}
            except OSError as error:
                raise self._tls_problem(error) from error
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
        return (ends - self._clock()).total_seconds() / 86_400

    def knock(self) -> Doorstep:
        """Ask the base path who is there, without credentials. Raises AimsAnswerBroken when it is not AIMS (Q21)."""
        status, headers = self._head(self.address.prefix)
        if self.proxy is not None and self.is_plain:
            is_page = headers.get("content-type", "").startswith("text/html")
            failure = answered_for_aims(self.proxy, f"{self._host}:{self._port}", status, is_page=is_page)
            if failure is not None:
                raise failure
        found = Doorstep(status=status, date=_date(headers.get("date")))
        problem = judge_doorstep(status, headers, now=self._clock())
        if problem is None:
            return found
        if isinstance(problem, AimsAnswerBroken):
            problem.fix = self._other_cluster() or problem.fix
        raise problem

    def _other_cluster(self) -> str:
        """Return how to choose the other cluster of the host, when AIMS is there (contract 1)."""
        here = self.address.prefix.removeprefix(self.address.origin)
        name, there = ("c1", "/c1/common") if here == "/common" else ("common", "/common")
        with contextlib.suppress(ElectisError):
            status, headers = self._head(self.address.origin + there)
            if judge_doorstep(status, headers, now=self._clock()) is None:
                where = f"--base-url {self.address.origin} --cluster {name}"
                return f"electis aims configure --replace {where} --username NAME"
        return ""

    def _head(self, prefix: str) -> tuple[int, dict[str, str]]:
        at, began, status = self._clock(), time.monotonic(), None
        deadline = Deadline()
        deadline.at = began + self._timeouts.call / 2
        timeout = httpx.Timeout(self._timeouts.call / 2, connect=self._timeouts.connect)
        transport = DeadlineTransport(deadline, ca_file=self._ca_file, proxy=self.proxy)
        try:
            # No proxy of the environment, but the one that was named.
            with httpx.Client(timeout=timeout, transport=transport, trust_env=False) as http:
                answer = http.head(prefix + _TOKEN_PATH)
                status = answer.status_code
                return status, dict(answer.headers)
        except httpx.HTTPError as error:
            # A HEAD changes nothing: whether it arrived does not matter, so this is never ambiguous.
            host = urlsplit(prefix).netloc
            if self.proxy is not None and isinstance(error, httpx.ProxyError):
                raise refused_way(self.proxy, host, number_of(str(error).partition(" ")[0])) from error
            way = (
                f"The proxy {self.proxy.name}, or AIMS at {host} behind it,"
                if self.proxy
                else f"AIMS at {host}"
            )
            raise AimsUnreachable(
                f"{way} took the connection but gave no answer.",
                why=str(error) or type(error).__name__,
            ) from error
        finally:
            if self._record is not None:
                took = round((time.monotonic() - began) * 1000)
                self._record(
                    Exchange(
                        at=at,
                        method="HEAD",
                        path=_TOKEN_PATH,
                        query={},
                        milliseconds=took,
                        prefix=prefix,
                        status=status,
                    )
                )

    @contextlib.contextmanager
    def _socket(self) -> Iterator[socket.socket]:
        try:
            connection = socket.create_connection(
                (self._near_host, self._near_port), timeout=self._timeouts.connect
            )
        except OSError as error:
            reason = "No answer" if isinstance(error, TimeoutError) else (error.strerror or str(error))
            owner, where = ("The proxy ", SETTING) if self.proxy else ("", "the port of the base URL")
            raise AimsUnreachable(
                f"{owner}{self._near_host} takes no connection on port {self._near_port}.",
                why=f"{reason}.",
                fix=f"check the network, the firewall and {where}",
            ) from error
        with connection:
            yield connection

    def _tunnel(self, connection: socket.socket) -> None:
        """Ask the proxy for a way through, when there is one. Raises AimsUnreachable when it gives none."""
        if self.proxy is None:
            return
        target = f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"
        login = f"Proxy-Authorization: {self.proxy.authorization}\r\n" if self.proxy.authorization else ""
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode())
        answer, until = b"", time.monotonic() + self._timeouts.connect
        try:
            while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_HEAD:
                # The limit is for all of it: one that sends a byte now and then is as good as silent.
                connection.settimeout(max(0.001, until - time.monotonic()))
                piece = connection.recv(4096)
                if not piece:
                    break
                answer += piece
        except OSError as error:
            silent = isinstance(error, TimeoutError)
            raise AimsUnreachable(
                f"The proxy {self.proxy.name} took the connection but gave no answer.",
                why=f"No answer within {self._timeouts.connect:g} s."
                if silent
                else f"{error.strerror or error}.",
                fix=f"ask whoever runs the proxy, or check {SETTING}",
            ) from error
        connection.settimeout(self._timeouts.connect)
        found = _STATUS_LINE.match(answer)
        status = int(found[1]) if found else None
        if status is None or not _OK <= status < _REDIRECT:
            raise refused_way(self.proxy, target, status)

    def _tls_problem(self, error: OSError) -> AimsUnreachable:
        message, fix = f"{self._host} did not complete a TLS handshake.", "check the base URL and its port"
        if isinstance(error, ssl.SSLCertVerificationError):
            message, fix = (
                f"The certificate of {self._host} is not to be trusted.",
                (
                    "if AIMS's certificate comes from an authority of your own: "
                    "export ELECTIS_AIMS_CA_FILE=FILE with that authority's certificate"
                ),
            )
            if error.verify_code == _EXPIRED:
                message, fix = f"The certificate of {self._host} has expired.", "tell whoever runs this AIMS"
            elif error.verify_code == _NOT_YET_VALID:
                message = f"The certificate of {self._host} is not valid yet."
                fix = "check this machine's clock"
            elif error.verify_code in _WRONG_HOST:
                message = f"The certificate is for another host than {self._host}."
                fix = f"check the host's name in the base URL: {_CONFIGURE}"
            return AimsUnreachable(message, why=f"{error.verify_message.rstrip('.')}.", fix=fix)
        reason = "No answer" if isinstance(error, TimeoutError) else (error.strerror or str(error))
        return AimsUnreachable(message, why=f"{reason}.", fix=fix)


def judge_doorstep(status: int, headers: dict[str, str], *, now: datetime) -> ElectisError | None:
    """Return why this is no AIMS, or none that works; None when it is one.

    A wrong path prefix does not give a 404 but a web page (Q21); any 2xx to 4xx of the API itself is a sign of life.
    """
    is_page = headers.get("content-type", "").startswith("text/html")
    if status == _TOO_MANY or status >= _SERVER_ERRORS:
        return failure_of(status, httpx.codes.get_reason_phrase(status), headers, now=now)
    if _REDIRECT <= status < 400:
        where = headers.get("location", "elsewhere")
        return AimsAnswerBroken(
            "The base URL leads elsewhere.", why=f"It redirects to {where}.", fix=_CONFIGURE
        )
    if status == _NOT_FOUND or (is_page and status < _REDIRECT):
        what = "a web page" if is_page else "404"
        return AimsAnswerBroken(
            "There is no AIMS at this base URL and cluster.", why=f"Its path answers {what}.", fix=_CONFIGURE
        )
    return None


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
