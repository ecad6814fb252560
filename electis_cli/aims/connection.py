"""One HTTP connection to an AIMS account: deadlines, tokens, paging, and a class for every failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import tenacity

from electis_cli.aims import wire
from electis_cli.aims.address import Address
from electis_cli.aims.deadline import Deadline, DeadlineTransport
from electis_cli.aims.failures import broken_answer, failure_of, needs_new_token
from electis_cli.aims.proxy import Proxy, answered_for_aims, parse_proxy, refused_way
from electis_cli.aims.recorder import LOGIN_PATHS, Exchange, Recorder
from electis_cli.aims.tokens import Token, TokenKeeper, TokenShelf, decode_token
from electis_cli.domain.articles import clean_text
from electis_cli.domain.errors import (
    AimsAmbiguous,
    AimsAnswerBroken,
    AimsCompanyRefused,
    AimsLoginRefused,
    AimsRejected,
    AimsUnreachable,
    ElectisError,
    UnreliableListing,
)
from electis_cli.domain.redaction import redact

NO_CONTENT = 204
_LARGEST_BODY = 64 * 1024 * 1024
_MOST_PAGES = 20_000
_BEYOND = 1_000_000
"""A page that no list of stores has."""
_API = "/api/v2"
_TRIES = 3
_ERRORS_FROM = 300
_MEANT = {401, 402, 403, 429, 500, 502, 503, 504}  # statuses that mean something without a word of AIMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An AIMS account: the company is its code, the password never appears in a representation."""

    company: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(company={self.company!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: to connect, and for a whole call."""

    connect: float = 10.0
    call: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer: its decoded body (None when empty) and lower-case headers."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, Any]
    content: bytes | None
    is_write: bool
    subjects: tuple[str, ...] = ()


class Connection:
    """Sends requests for one account; safe to share between threads."""

    def __init__(  # noqa: PLR0913 - one argument per thing that tests and wiring replace
        self,
        address: Address,
        credentials: Credentials,
        *,
        clock: Callable[[], datetime],
        timeouts: Timeouts,
        page_size: int,
        transport: httpx.BaseTransport | None,
        pause: Callable[[float], None],
        ca_file: str | None,
        proxy: str | None,
        shelf: TokenShelf | None,
        record: Recorder | None,
        tap: Recorder | None,
    ) -> None:
        """`pause` waits between the tries of a read; `transport` replaces the network (whole-system simulation).

        `record` is told of every call, perhaps later than `tap` (see `hold_exchanges`).

        `proxy` is the URL of the proxy all calls go through; those of the environment are not used. Raises
        Misconfigured when it is none.
        """
        self.address = address
        self._credentials = credentials
        self._clock = clock
        self._timeouts = timeouts
        self.page_size = page_size
        self._pause = pause
        self._record = record
        self._tap = tap
        self._held: list[Exchange] | None = None
        self._empty_200_is_nothing = False
        self._keeper = TokenKeeper(self._fetch_token, clock, shelf)
        self._deadline = Deadline()
        self._proxy = parse_proxy(proxy) if proxy else None
        self._http = httpx.Client(
            transport=transport or DeadlineTransport(self._deadline, ca_file=ca_file, proxy=self._proxy),
            trust_env=False,
            timeout=httpx.Timeout(timeouts.call, connect=timeouts.connect),
            follow_redirects=False,
        )

    def rest(self) -> None:
        """Forget what the one who used it found out; connections stay open, for some seconds."""
        self.tell_exchanges()
        self._empty_200_is_nothing = False

    def close(self) -> None:
        """Close all connections."""
        self.tell_exchanges()
        self._http.close()

    def hold_exchanges(self) -> None:
        """From now on keep from the recorder what goes over the wire: to be written with what comes of it."""
        self._held = self._held or []

    @property
    def held_exchanges(self) -> Sequence[Exchange]:
        """What is held."""
        return self._held or ()

    def forget_exchanges(self) -> None:
        """Let go of what is held, as somebody wrote it down."""
        self._held = None

    def tell_exchanges(self) -> None:
        """Tell the recorder what is held, and from now on at once again."""
        held, self._held = self._held, None
        if self._record is not None:
            for exchange in held or ():
                self._record(exchange)

    def _tell(self, exchange: Exchange) -> None:
        if self._tap is not None:
            self._tap(exchange)
        if self._held is not None:
            self._held.append(exchange)
        elif self._record is not None:
            self._record(exchange)

    def log_in(self) -> None:
        """Make sure there is a token; raises AimsLoginRefused, AimsUnreachable or AimsAnswerBroken."""
        self._keeper.get()

    def read(self, path: str, query: Mapping[str, Any]) -> Answer:
        """Do a GET up to three times: it changes nothing, and most connection trouble is short."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_TRIES),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
            retry=tenacity.retry_if_exception_type((AimsUnreachable, AimsAmbiguous)),
            sleep=self._pause,
            reraise=True,
        )
        # Given to `retrying` as a call, its answer would live until Python looks for cycles, page after page.
        answer: Answer | None = None
        for attempt in retrying:
            with attempt:
                answer = self.call("GET", path, query)
        assert answer is not None
        return answer

    def pages(self, path: str, query: Mapping[str, Any], *names: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of all pages, as `whole_pages` reads them."""
        for rows in self.whole_pages(path, query, *names):
            yield from rows

    def whole_pages(
        self, path: str, query: Mapping[str, Any], *names: str
    ) -> Generator[list[Mapping[str, Any]]]:
        """Yield page after page; stops on an empty answer or the last page, never on a short one (contract 4).

        Raises UnreliableListing when a page comes twice, when there is no end, or when it ends before AIMS's total.
        """
        seen, total = 0, None
        last: list[Mapping[str, Any]] | None = None
        for page in range(_MOST_PAGES):
            answer = self.read(path, {**query, "page": page, "size": self.page_size})
            rows = self.rows(answer, *names)
            stated = wire.number_of(answer.headers.get("x-totalelements"))
            total = stated if stated is not None else total
            if not rows:
                break
            if rows == last:
                # Who does not look at the page number answers the same page for ever; the others are never seen.
                raise UnreliableListing(
                    "AIMS does not turn the pages of a list.",
                    why=f"Page {page + 1} has the same {len(rows)} rows as the page before: the rest is not seen.",
                    fix=f"electis aims api GET {path.removeprefix('/common')} --query page={page}",
                )
            last = rows
            seen += len(rows)
            yield rows
            pages = wire.number_of(answer.headers.get("x-totalpages"))
            if pages is not None and page >= pages - 1:
                break
        else:
            raise UnreliableListing(why=f"The list did not end after {_MOST_PAGES} pages.")
        if total is not None and seen < total:
            raise UnreliableListing(why=f"AIMS said {total} rows and listed {seen}.")

    def rows(self, answer: Answer, *names: str) -> list[Mapping[str, Any]]:
        """Return the list an answer carries under one of its names, or an empty one. Raises AimsAnswerBroken."""
        if self.is_nothing(answer):
            return []
        rows = wire.rows_of(answer.body, *names)
        if rows is None:
            # An empty 200 or an envelope without its list is not an empty store.
            raise broken_answer("The answer holds no list where one belongs.")
        return rows

    def is_nothing(self, answer: Answer) -> bool:
        """Tell whether an answer is AIMS's word for "nothing": 204, or 200 without a body where it says so (Q4)."""
        if answer.body is not None:
            return False
        return answer.status == NO_CONTENT or self._says_nothing_with_200()

    def _says_nothing_with_200(self) -> bool:
        """Ask for what is known to be empty: an empty 200 may be AIMS's word for that, or trouble with one answer.

        It is the word when a page far behind the end of the list of stores is an empty 200 too, while its first page
        has the stores that every company has.
        """
        if not self._empty_200_is_nothing:
            try:
                first = self.read("/common/store", {"page": 0, "size": 1})
                beyond = self.read("/common/store", {"page": _BEYOND, "size": 1})
            except ElectisError:
                return False  # what was met first is told, not what was met while looking into it
            listed = wire.rows_of(first.body, "stores")
            self._empty_200_is_nothing = bool(listed) and beyond.body is None and beyond.status != NO_CONTENT
        return self._empty_200_is_nothing

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Any = None,
        *,
        is_write: bool = False,
        subjects: Sequence[str] = (),
    ) -> Answer:
        """Do one call with the account's company and token; a refused token is replaced once (Q5, Q7).

        `subjects` are the articles or labels it is about, for whoever looks the exchange up later.
        """
        content = None if body is None else orjson.dumps(body)
        full_query = {"company": self._credentials.company, **query}
        request = _Request(
            method=method,
            path=_API + path,
            query=full_query,
            content=content,
            is_write=is_write,
            subjects=tuple(subjects),
        )
        token = self._keeper.get()
        try:
            return self._perform(request, token)
        except (AimsLoginRefused, AimsCompanyRefused) as refusal:
            if not needs_new_token(int(refusal.details["status"]), str(refusal.details["word"])):
                raise
        return self._perform(request, self._keeper.replace(token))

    def url(self, path: str, query: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return where a call of this path goes, and its query with the account's company."""
        return self.address.prefix + _API + path, {"company": self._credentials.company, **query}

    def _perform(self, request: _Request, token: Token | None) -> Answer:
        """Send one request, judge its answer, and tell the recorder what went over the wire."""
        at, began = self._clock(), time.monotonic()
        status: int | None = None
        raw: bytes | None = None
        answer: Answer | None = None
        error: str | None = None
        try:
            status, headers, raw = self._exchange(request, token)
            answer = self._accept(status, headers, raw, is_write=request.is_write)
            return answer
        except ElectisError as failure:
            error = failure.code
            raise
        finally:
            if self._record is not None or self._tap is not None:
                took = round((time.monotonic() - began) * 1000)
                # A page of a listing is long: it is not decoded a second time to be recorded.
                body = answer.body if answer else None if raw is None else _decode(raw)
                self._tell(_exchange_of(request, self.address.prefix, at, took, status, raw, body, error))

    def _accept(self, status: int, headers: Mapping[str, str], raw: bytes, *, is_write: bool) -> Answer:
        if status >= _ERRORS_FROM:
            body = _decode(raw)
            word = _word(body, raw)
            parts = urlsplit(self.address.origin)
            if self._proxy is not None and parts.scheme == "http" and not isinstance(body, Mapping):
                failure = answered_for_aims(
                    self._proxy, parts.netloc, status, is_page=raw.lstrip()[:1] == b"<"
                )
                if failure is not None:
                    raise failure
            if not word and raw.lstrip().startswith(b"<") and status not in _MEANT:
                # A page of some gateway or wrong path says nothing about what was sent (Q21).
                raise broken_answer(f"The answer is a page with status {status}, not JSON.")
            raise failure_of(status, word, headers, now=self._clock())
        if status == NO_CONTENT or not raw.strip():
            if is_write and status != NO_CONTENT:
                raise broken_answer("The answer to a write is empty.")
            return Answer(status=status, body=None, headers=headers)
        if "json" not in headers.get("content-type", "json"):
            raise broken_answer(f"The answer is {headers['content-type'].split(';')[0]}, not JSON.")
        body = _decode(raw)
        if body is None:
            raise broken_answer("The answer is not complete JSON.")
        if not wire.is_success(body):
            code = wire.number_of(wire.response_code(body)) or 0
            word = wire.response_message(body)
            if code < _ERRORS_FROM:
                raise AimsRejected(why=f"AIMS answered {wire.response_code(body)}: {word}.", word=word)
            raise failure_of(code, word, headers, now=self._clock())
        return Answer(status=status, body=body, headers=headers)

    def _fetch_token(self, old: Token | None) -> Token:
        """Refresh the old token, or log in; a refused refresh falls back to the login."""
        if old is not None and old.refresh is not None:
            try:
                return self._login(_API + "/token/refresh", {"refreshToken": old.refresh})
            except (AimsAmbiguous, AimsCompanyRefused, AimsLoginRefused, AimsRejected):
                pass  # the login has the last word
        body = {"username": self._credentials.username, "password": self._credentials.password}
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(2),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=1),
            retry=tenacity.retry_if_exception_type(AimsUnreachable),
            sleep=self._pause,
            reraise=True,
        )
        return retrying(self._login, _API + "/token", body)

    def _login(self, path: str, body: Mapping[str, str]) -> Token:
        request = _Request(method="POST", path=path, query={}, content=orjson.dumps(body), is_write=True)
        answer = self._perform(request, None)
        token = decode_token(wire.payload_of(answer.body), now=self._clock())
        if token is None:
            # A login can be refused with 200 and a text where the token belongs (contract 2).
            word = wire.response_message(answer.body)
            why = f"AIMS answered without a token{': ' + word if word else ''}."
            raise AimsLoginRefused(why=why, word=word)
        return token

    def _exchange(self, request: _Request, token: Token | None) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request and read its answer in full, within the deadline."""
        self._deadline.at = time.monotonic() + self._timeouts.call
        headers = {"Accept": "application/json"}
        if request.content is not None:
            headers["Content-Type"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token.access}"
        try:
            with self._http.stream(
                request.method,
                self.address.prefix + request.path,
                params=dict(request.query),
                content=request.content,
                headers=headers,
            ) as response:
                chunks: list[bytes] = []
                size = 0
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > _LARGEST_BODY:
                        raise broken_answer(f"The answer has more than {_LARGEST_BODY} bytes.")
                    chunks.append(chunk)
                return response.status_code, dict(response.headers), b"".join(chunks)
        except httpx.HTTPError as error:
            raise _transport_failure(error, self.address, self._timeouts, self._proxy) from error


def _transport_failure(
    error: httpx.HTTPError, address: Address, timeouts: Timeouts, proxy: Proxy | None
) -> ElectisError:
    host, way = urlsplit(address.origin).netloc, ""
    if proxy is not None:
        if isinstance(error, httpx.ProxyError):
            return refused_way(proxy, host, wire.number_of(str(error).partition(" ")[0]))
        way = f" through the proxy {proxy.name}"
    why = f"{str(error) or type(error).__name__}{way}"
    if isinstance(
        error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    ):
        return AimsUnreachable(f"AIMS at {host} could not be reached{way}.", why=why)
    if isinstance(error, httpx.TimeoutException):
        return AimsAmbiguous(
            f"AIMS at {host} did not answer in time{way}.", why=f"No answer within {timeouts.call:g} s{way}."
        )
    if isinstance(error, httpx.DecodingError):
        return AimsAnswerBroken(why="The answer could not be decompressed.")
    # What breaks the protocol is quoted, and may be anything that was sent.
    return AimsAmbiguous(f"The connection to AIMS at {host} broke{way}.", why=redact(why, ()))


def _decode(raw: bytes) -> Any:
    """Return the JSON of an answer, or None when it is none; a byte order mark is accepted."""
    try:
        return orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None


def _word(body: Any, raw: bytes) -> str:
    """Return AIMS's own word for what went wrong, from the envelope, the framework's form, or plain text (Q6)."""
    if isinstance(body, Mapping):
        word = wire.response_message(body)
        if not word:
            return clean_text(wire.first_of(body, "error", "message"))
        return word
    text = raw[:300].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else text


def _exchange_of(  # noqa: PLR0917 - the parts of an exchange
    request: _Request,
    prefix: str,
    at: datetime,
    milliseconds: int,
    status: int | None,
    raw: bytes | None,
    decoded: Any,
    error: str | None,
) -> Exchange:
    """Return what is told of a call; the bodies of a login are credentials and stay out."""
    is_login = request.path.startswith(LOGIN_PATHS)
    body = None if is_login else decoded
    return Exchange(
        at=at,
        method=request.method,
        path=request.path,
        query=request.query,
        milliseconds=milliseconds,
        prefix=prefix,
        subjects=request.subjects,
        status=status,
        answer_code=wire.response_code(body),
        answer_word=wire.response_message(body),
        batch_id=wire.decode_write(body).batch_id if request.is_write else None,
        request_body=None if is_login else request.content,
        answer_body=None if is_login else raw,
        error=error,
    )
