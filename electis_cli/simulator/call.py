"""A request as an operation sees it, and what an operation gives back."""

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Final

import orjson

from electis_cli.simulator.devices import Json
from electis_cli.simulator.dialects.choice import Dialects
from electis_cli.simulator.faults import Fault
from electis_cli.simulator.messages import Request, Response
from electis_cli.simulator.model import Cluster, Company, Store, World
from electis_cli.simulator.settings import Settings
from electis_cli.simulator.surface import Operation

JSON_TYPE: Final = "application/json; charset=utf-8"
BAD_BODY: Final = "POST_BODY_MISSING_OR_INVALID_DATA_IN_REQUEST"


class Refused(Exception):
    """AIMS says no: a status and the word or text that goes into `responseMessage`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class Reply:
    """An operation's answer before it is put on the wire; a payload of None means 204 (contract 3)."""

    payload: Json = None
    message: str = "SUCCESS"
    status: int = 200
    bare: bool = False
    """No envelope around the payload (the article format, contract 3)."""
    headers: dict[str, str] = field(default_factory=dict)
    rows: str = ""
    """The key of the payload's list, for answers that are one."""

    def encode(self) -> Response:
        """The answer with its envelope: the payload beside the two codes."""
        if self.payload is None:
            return Response(204, self.headers)
        if self.bare:
            content = self.payload
        else:
            content = {"responseCode": str(self.status), "responseMessage": self.message}
            content.update(self.payload)
        headers = {"content-type": JSON_TYPE, **self.headers}
        return Response(self.status, headers, orjson.dumps(content))


def refusal(status: int, message: str) -> Response:
    """The envelope of an answer that is only a code and a text."""
    return Reply({}, message, status).encode()


@dataclass(slots=True)
class Call:
    """A checked request: token, required parameters, company and store are in order already."""

    request: Request
    operation: Operation
    world: World
    cluster: Cluster
    settings: Settings
    now: float
    body: Json = None
    user: str = ""
    path_values: dict[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    dialects: Dialects = field(default_factory=Dialects)
    found_company: Company | None = None
    found_store: Store | None = None

    @property
    def company(self) -> Company:
        """The company the query names."""
        assert self.found_company is not None, f"{self.operation.id} does not require a company"
        return self.found_company

    @property
    def store(self) -> Store:
        """The store the query names."""
        assert self.found_store is not None, f"{self.operation.id} does not require a store"
        return self.found_store

    def text(self, name: str) -> str:
        """The first value of a query parameter, empty when it is absent."""
        values = self.request.query.get(name)
        return values[0] if values else ""

    def flag(self, name: str) -> bool | None:
        """A true/false parameter, None when it is absent."""
        value = self.text(name).lower()
        return None if not value else value in ("true", "yes")

    def article_id(self, sent: str) -> str:
        """The id under which AIMS knows an article; the one sent when it knows none (contract 9.8, 13)."""
        if not self.settings.ids_ignore_case or sent in self.store.articles:
            return sent
        folded = sent.casefold()
        return next((one for one in self.store.articles if one.casefold() == folded), sent)

    def stores(self) -> list[Store]:
        """The named store, or all of the company's, for operations where the store may be left out."""
        code = self.text("store")
        if not code:
            return [self.company.stores[key] for key in sorted(self.company.stores)]
        if code not in self.company.stores:
            raise Refused(405, "STORE_CODE_NOT_FOUND")
        return [self.company.stores[code]]

    def items(self, key: str) -> list[Json]:
        """The list a body must carry under `key`; a missing or empty one is refused (contract 3.2)."""
        found = self.body.get(key) if isinstance(self.body, dict) else None
        if not isinstance(found, list):
            raise Refused(405, "FIELD_IS_MISSING")
        if not found:
            raise Refused(405, BAD_BODY)
        return found

    def faults_of(self, *kinds: str) -> list[Fault]:
        """Faults that an operation itself must act out."""
        return [fault for fault in self.faults if fault.kind in kinds]


def mint(world: World) -> str:
    """32 hex digits that no earlier call gave out, the same in every run with the same seed."""
    world.serial += 1
    text = f"{world.seed}/{world.starts}/{world.serial}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def mint_uuid(world: World) -> str:
    """A batch id (contract 3: `customBatchId` is a UUID)."""
    return str(uuid.UUID(hex=mint(world), version=4))
