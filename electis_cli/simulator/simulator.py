"""The simulated cloud as one object without sockets: a request goes in, an answer comes out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache

import orjson

from electis_cli.simulator import control, state_file
from electis_cli.simulator.arrival import Arrival, arrive
from electis_cli.simulator.call import Refused, refusal
from electis_cli.simulator.checks import check
from electis_cli.simulator.clock import Clock
from electis_cli.simulator.dialects import Dialects
from electis_cli.simulator.dialects.writing import write
from electis_cli.simulator.faults import Asked, Fault, Faults, Standing, answers, intrusions, spoiling
from electis_cli.simulator.journal import Entry, Journal
from electis_cli.simulator.load import fill
from electis_cli.simulator.messages import Request, Response
from electis_cli.simulator.model import Company, Counters, Store, World
from electis_cli.simulator.operations import HANDLERS, remainder
from electis_cli.simulator.population import complete, make_world
from electis_cli.simulator.settings import Settings
from electis_cli.simulator.surface import surface


class Simulator:
    """AIMS with both clusters; one lock makes it safe to call from many threads."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        world: World | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.faults = Faults(self.clock.now, _limits(self.settings))
        self.dialects = Dialects(self.settings.dialects)
        self.journal = Journal()
        self.lock = threading.RLock()
        self.revision = 0
        """Raised by every write; tells the state file when it is behind."""
        self._in_flight = 0
        self._flight_lock = threading.Lock()
        self.world = world or self._fresh()
        if world is not None:
            self._wake(world)

    def handle(self, request: Request, now: float | None = None) -> Response:
        """Answer one request; `now` overrides the clock."""
        present = self.clock.now() if now is None else now
        if request.path.startswith(control.PREFIX):
            with self.lock:
                self.revision += request.method != "GET"
                return control.answer(self, request, present)
        arrival = arrive(request)
        with self.lock:
            response = self._serve(arrival, present)
        if "date" not in response.headers:
            response = replace(response, headers={**response.headers, "date": _date(int(present))})
        return response

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Around a request by a transport: counts how many are open at once (contract 9.6)."""
        with self._flight_lock:
            self._in_flight += 1
            counters = self.world.counters
            counters.parallel_peak = max(counters.parallel_peak, self._in_flight)
        try:
            yield
        finally:
            with self._flight_lock:
                self._in_flight -= 1

    def company(self, code: str, cluster: str = "common") -> Company:
        """A company of the world, to look at or to change under `lock`."""
        return self.world.clusters[cluster].companies[code]

    def store(self, company: str, code: str, cluster: str = "common") -> Store:
        """A store of the world, to look at or to change under `lock`."""
        return self.company(company, cluster).stores[code]

    def reset(self) -> None:
        """Begin again from the settings: no faults, no journal, a new population."""
        with self.lock:
            self.faults.clear()
            self.dialects.clear()
            self.journal.clear()
            starts = self.world.starts
            self.world = self._fresh()
            # Ids must not repeat those of the world before.
            self.world.starts = starts + 1
            self.world.counters = Counters()
            self.revision += 1

    def dump(self) -> bytes:
        """The whole state, as the state file holds it (contract 9.6)."""
        with self.lock:
            return state_file.encode(self.world)

    def load(self, content: bytes) -> None:
        """Go on from a dumped state; faults, dialects and journal stay. Raises StateUnreadable."""
        world = state_file.decode(content)
        with self.lock:
            self._wake(world)
            self.world = world
            self.revision += 1

    def _fresh(self) -> World:
        now = self.clock.now()
        world = make_world(self.settings, now)
        if self.settings.load is not None:
            fill(world, self.settings, self.settings.load, now)
        return world

    def _wake(self, world: World) -> None:
        world.starts += 1
        self.clock.offset = world.clock_offset
        complete(world, self.settings, self.clock.now())

    def _serve(self, arrival: Arrival, now: float) -> Response:
        request = arrival.request
        name = arrival.operation.name if arrival.operation else f"{request.method} ?"
        calls = self.world.counters.calls
        calls[name] = calls.get(name, 0) + 1
        asked = arrival.asked(now)
        standing = self.faults.fire(asked)
        response = answers.instead(standing, asked, self.world)
        taken = False
        if response is None:
            self.revision += request.method != "GET"
            response = self._work(arrival, standing, asked)
            taken = arrival.operation is not None and 200 <= response.status < 300
            response = spoiling.afterwards(standing, asked, response)
        else:
            response = spoiling.delayed(standing, asked, response)
        self._note(arrival, response, standing, asked, taken=taken)
        return response

    def _work(self, arrival: Arrival, standing: list[Standing], asked: Asked) -> Response:
        operation = arrival.operation
        if operation is None:
            return self._elsewhere(arrival)
        faults = tuple(one.fault for one in standing)
        try:
            call = check(arrival, operation, self.world, self.settings, faults, asked.now)
            call.dialects = self.dialects
            intrusions.before(call, standing)
            reply = HANDLERS.get(operation.id, remainder.answer)(call)
            intrusions.after(call, standing, reply)
            return write(reply, call)
        except Refused as refused:
            return refusal(refused.status, refused.message)

    def _elsewhere(self, arrival: Arrival) -> Response:
        if arrival.cluster and surface().at(arrival.path)[0]:
            return refusal(405, "METHOD_NOT_ALLOWED")
        if self.settings.unknown_path == "html":
            return answers.page()
        return refusal(404, "NOT_FOUND")

    def _note(
        self, arrival: Arrival, response: Response, standing: list[Standing], asked: Asked, *, taken: bool
    ) -> None:
        request, counters = arrival.request, self.world.counters
        kinds = [one.fault.kind for one in standing]
        for counted, name in [
            (counters.statuses, str(response.status)),
            *((counters.faults, one) for one in kinds),
        ]:
            counted[name] = counted.get(name, 0) + 1
        self.journal.add(
            Entry(
                seq=self.journal.next_seq(),
                time=asked.now,
                method=request.method,
                path=request.path,
                query=request.query,
                status=response.status,
                fault=",".join(kinds),
                body_sha256=arrival.body_sha256,
                token=arrival.token_mark,
                records=arrival.records,
                articles=arrival.articles,
                relative=asked.relative,
                cluster=arrival.cluster,
                taken=taken,
                message=_message(response),
                answer_bytes=len(response.body),
            )
        )


def _message(response: Response) -> str:
    """What a refusal says; other answers are not looked into."""
    if response.status < 400 or not response.body.startswith(b"{"):
        return ""
    try:
        found = orjson.loads(response.body).get("responseMessage")
    except orjson.JSONDecodeError:
        return ""
    return found if isinstance(found, str) else ""


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    """The Date header of a second."""
    return formatdate(second, usegmt=True)


def _limits(settings: Settings) -> list[Fault]:
    """The rate limit of the settings, in the words of faults."""
    if not settings.rate_per_second:
        return []
    form, rate, burst = settings.retry_after, settings.rate_per_second, settings.rate_burst
    return [Fault("429", form=form, rate=rate, burst=burst, seconds=1.0)]
