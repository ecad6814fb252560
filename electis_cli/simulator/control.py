"""The control interface under `/_simulator/`: no part of AIMS, no login, loopback only (contract 9.5, 9.6)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from electis_cli.simulator import display, state_file, world_changes
from electis_cli.simulator.call import JSON_TYPE
from electis_cli.simulator.devices import Json
from electis_cli.simulator.dialects import dialect_from_values
from electis_cli.simulator.drawing import wall
from electis_cli.simulator.faults import KINDS, fault_from_text, fault_from_values
from electis_cli.simulator.journal import Wanted
from electis_cli.simulator.load import fill
from electis_cli.simulator.messages import Request, Response
from electis_cli.simulator.settings import CLUSTERS, Load

if TYPE_CHECKING:
    from electis_cli.simulator.simulator import Simulator

PREFIX = "/_simulator/"


@dataclass(frozen=True, slots=True)
class Ask:
    """One control request."""

    simulator: "Simulator"
    request: Request
    now: float

    def query(self, name: str) -> str:
        """The first value of a query parameter, empty when it is absent."""
        values = self.request.query.get(name)
        return values[0] if values else ""

    def body(self) -> Any:
        """The decoded body."""
        return orjson.loads(self.request.body)


def answer(simulator: "Simulator", request: Request, now: float) -> Response:
    """Answer a control request: 200, 400 with a reason, or 404."""
    path = request.path.removeprefix(PREFIX).rstrip("/")
    ask = Ask(simulator, request, now)
    try:
        if request.method == "GET" and path.startswith("labels/") and path.endswith(".svg"):
            made = wall.picture(ask, path.removeprefix("labels/").removesuffix(".svg"))
            return made or _json(404, {"error": f"no such label: {path}"})
        action = ACTIONS.get((request.method, path))
        if action is None:
            return _json(404, {"error": f"no control action {request.method} {request.path}"})
        found = action(ask)
        return found if isinstance(found, Response) else _json(200, found)
    except (ValueError, TypeError, KeyError, AttributeError, state_file.StateUnreadable) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def health(ask: Ask) -> Json:
    """Alive, with the simulator's time."""
    return {"status": "ok", "now": ask.now}


def state(ask: Ask) -> Json:
    """All that the state file would hold."""
    return replace(ask.simulator.world, users={})


def labels(ask: Ask) -> Json:
    """What labels display; `company`, `store`, `label` and `cluster` narrow it."""
    company, code, label = (ask.query(key) for key in ("company", "store", "label"))
    found = [
        {"cluster": cluster, "company": owner.code, **display.describe(store, one, ask.now)}
        for cluster in _clusters(ask)
        for owner in ask.simulator.world.clusters[cluster].companies.values()
        if company in ("", owner.code)
        for store in owner.stores.values()
        if code in ("", store.code)
        for one in (store.labels[key] for key in sorted(store.labels))
        if label in ("", one.code)
    ]
    return {"labels": found}


def journal(ask: Ask) -> Json:
    """Calls, oldest first; the words of `journal.Wanted` narrow it, `limit` keeps the last ones."""
    words: dict[str, Any] = {name: ask.query(name) for name in ask.request.query if name != "limit"}
    if "taken" in words:
        words["taken"] = words["taken"] in ("yes", "true")
    entries = ask.simulator.journal.entries(Wanted(**words | {"after": int(words.get("after") or 0)}))
    return {"entries": entries[-int(ask.query("limit") or 0) :], "last": ask.simulator.journal.last}


def load_state(ask: Ask) -> Json:
    """Go on from a dump of `state`, also from one of the state file."""
    content = ask.request.body
    if "world" not in ask.body():
        content = orjson.dumps({"format": state_file.FORMAT, "world": ask.body()})
    ask.simulator.load(content)
    return {}


def counters(ask: Ask) -> Json:
    """What was asked since the world was made."""
    return ask.simulator.world.counters


def clock(ask: Ask) -> Json:
    """Let time pass at once."""
    moved = ask.simulator.clock.advance(float(ask.body()["advance_seconds"]))
    ask.simulator.world.clock_offset = ask.simulator.clock.offset
    return {"now": moved}


def add_faults(ask: Ask) -> Json:
    """Put one fault or a list of faults in force, each by its fields or as one `text`."""
    body = ask.body()
    made = [
        fault_from_text(one["text"]) if "text" in one else fault_from_values(one)
        for one in (body if isinstance(body, list) else [body])
    ]
    ids = [ask.simulator.faults.add(fault) for fault in made]
    return {"id": ids[0] if ids else None, "ids": ids}


def list_faults(ask: Ask) -> Json:
    """The faults in force with what they have met."""
    return {"faults": ask.simulator.faults.listing()}


def list_kinds(_: Ask) -> Json:
    """The kinds of faults with their forms, the usual one first."""
    return {"kinds": {name: [form for form in kind.forms if form] for name, kind in sorted(KINDS.items())}}


def end_faults(ask: Ask) -> Json:
    """End the fault `id`, or all of them."""
    id_ = ask.query("id")
    if id_:
        return {"ended": ask.simulator.faults.remove(int(id_))}
    ask.simulator.faults.clear()
    return {"ended": True}


def list_dialects(ask: Ask) -> Json:
    """The dialects in force."""
    return {"dialects": ask.simulator.dialects.listing()}


def set_dialect(ask: Ask) -> Json:
    """Put a dialect in force, given by its words or as one `text`."""
    body = ask.body()
    text = body.get("text")
    ask.simulator.dialects.set(dialect_from_values(body) if text is None else text)
    return list_dialects(ask)


def end_dialects(ask: Ask) -> Json:
    """Back to the dialects of the settings."""
    ask.simulator.dialects.clear()
    return list_dialects(ask)


def load(ask: Ask) -> Json:
    """Put many articles and labels in (contract 9.7): `stores`, `articles`, `labels`, `odd`, `cluster`."""
    simulator = ask.simulator
    return {"articles": fill(simulator.world, simulator.settings, Load(**ask.body()), ask.now)}


def reset(ask: Ask) -> Json:
    """Begin again from the settings."""
    ask.simulator.reset()
    return {}


Action = Callable[[Ask], Json]

ACTIONS: dict[tuple[str, str], Action] = {
    ("GET", "health"): health,
    ("GET", "state"): state,
    ("POST", "state"): load_state,
    ("GET", "labels"): labels,
    ("GET", "wall"): wall.page,
    ("GET", "wall.json"): wall.data,
    ("GET", "journal"): journal,
    ("GET", "counters"): counters,
    ("GET", "faults"): list_faults,
    ("GET", "fault-kinds"): list_kinds,
    ("POST", "faults"): add_faults,
    ("DELETE", "faults"): end_faults,
    ("GET", "dialect"): list_dialects,
    ("POST", "dialect"): set_dialect,
    ("DELETE", "dialect"): end_dialects,
    ("POST", "clock"): clock,
    ("POST", "articles"): world_changes.foreign_writer,
    ("POST", "company"): world_changes.set_company,
    ("POST", "store"): world_changes.set_store,
    ("POST", "label"): world_changes.set_labels,
    ("POST", "gateway"): world_changes.set_gateways,
    ("POST", "load"): load,
    ("POST", "reset"): reset,
}


def _clusters(ask: Ask) -> tuple[str, ...]:
    named = ask.query("cluster")
    return (named,) if named else CLUSTERS


def _json(status: int, payload: Json) -> Response:
    return Response(status, {"content-type": JSON_TYPE}, orjson.dumps(payload))
