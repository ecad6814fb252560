"""HTTP/1.1 on a byte stream, only as much as a client of AIMS needs."""

from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from electis_cli.simulator.messages import Request, Response

LINE_AT_MOST = 65_536
BODY_AT_MOST = 256 * 1024 * 1024


class BadRequest(Exception):
    """The bytes are no HTTP request; the connection ends."""


def read_request(stream: BinaryIO, tell_continue: BinaryIO) -> Request | None:
    """The next request, None when the client has closed between two."""
    line = stream.readline(LINE_AT_MOST)
    if not line:
        return None
    try:
        method, target, version = line.decode("latin-1").split()
    except ValueError as error:
        raise BadRequest(f"request line {line[:80]!r}") from error
    if not version.startswith("HTTP/1."):
        raise BadRequest(f"version {version!r}")
    headers = _read_headers(stream)
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if headers.get("expect", "").lower() == "100-continue":
        tell_continue.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        tell_continue.flush()
    body = _read_body(stream, headers)
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    return Request(method.upper(), unquote(parts.path), query, headers, body)


def head_of(response: Response, *, keep_alive: bool) -> bytes:
    """Status line and headers; a 204 has neither type nor length, and some faults hide the length."""
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {response.status} {reason}", "server: aims-simulator"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.delivery.how == "chunked":
        lines.append("transfer-encoding: chunked")
    elif response.status != HTTPStatus.NO_CONTENT and response.delivery.how != "close":
        lines.append(f"content-length: {len(response.body)}")
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while True:
        line = stream.readline(LINE_AT_MOST)
        if line in (b"\r\n", b"\n"):
            return headers
        name, mark, value = line.decode("latin-1").partition(":")
        if not mark:
            raise BadRequest(f"header line {line[:80]!r}")
        headers[name.strip().lower()] = value.strip()


def _read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _read_chunks(stream)
    text = headers.get("content-length", "0")
    if not text.isdigit() or int(text) > BODY_AT_MOST:
        raise BadRequest(f"content-length {text!r}")
    return _exactly(stream, int(text))


def _read_chunks(stream: BinaryIO) -> bytes:
    parts: list[bytes] = []
    while True:
        line = stream.readline(LINE_AT_MOST).partition(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError as error:
            raise BadRequest(f"chunk size {line[:20]!r}") from error
        if size == 0:
            while stream.readline(LINE_AT_MOST) not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(parts)
        parts.append(_exactly(stream, size))
        _exactly(stream, 2)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise BadRequest("the body ended early")
    return body
