"""A client of the simulator for its own tests: nothing of the product's client is in it."""

from collections.abc import Iterable
from typing import Any

import httpx

from electis_cli.simulator import Clock, Settings, Simulator, SimulatorServer
from electis_cli.simulator.model import Store

START = 1_770_142_844.0
SCOPE = {"company": "ACME", "store": "001"}


def record(id_: str, name: str = "", **data: Any) -> dict[str, Any]:
    """An article as a client sends it."""
    return {"articleId": id_, "articleName": name, "data": {"ARTICLE_ID": id_, "ITEM_NAME": name, **data}}


class Cloud:
    """A served simulator whose clock stands still, and a logged-in client."""

    def __init__(self, server: SimulatorServer, cluster: str = "common") -> None:
        self.server = server
        self.simulator = server.simulator
        self.prefix = "/c1/common" if cluster == "c1" else "/common"
        self.http = httpx.Client(base_url=server.base_url, trust_env=False, timeout=30.0)
        self.token = ""

    def login(self) -> Any:
        answer = self.http.post(f"{self.prefix}/api/v2/token", json={"username": "u", "password": "p"}).json()
        self.token = answer["responseMessage"]["access_token"]
        return answer["responseMessage"]

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """A call below /api/v2/common in store 001 of ACME, unless the query says otherwise."""
        return self.http.request(
            method,
            f"{self.prefix}/api/v2/common{path}",
            params={name: value for name, value in (SCOPE | query).items() if value is not None},
            headers={"Authorization": f"Bearer {self.token}"},
            json=body,
        )

    def push(self, *records: Any, **query: Any) -> Any:
        answer = self.call("POST", "/articles", list(records), **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def info(self, id_: str) -> Any:
        return self.call("GET", "/config/article/info", articleId=id_).json()["articleList"][0]

    def link(self, label: str, *articles: str) -> httpx.Response:
        body = {"assignList": [{"labelCode": label, "articleIdList": list(articles)}]}
        return self.call("POST", "/labels/link", body)

    def labels(self) -> list[str]:
        return sorted(self.store.labels)

    def shows(self, label: str) -> Any:
        found = self.control("GET", "labels", label=label, cluster=self.cluster)["labels"]
        assert len(found) == 1
        return found[0]

    def control(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        answer = self.http.request(method, f"/_simulator/{path}", params=query, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance_seconds": seconds})

    @property
    def cluster(self) -> str:
        return "c1" if self.prefix.startswith("/c1") else "common"

    @property
    def store(self) -> Store:
        return self.simulator.store("ACME", "001", self.cluster)


def still_simulator(**settings: Any) -> Simulator:
    """A small world whose clock moves only when it is advanced."""
    return Simulator(Settings(**{"labels_per_store": 12} | settings), clock=Clock(lambda: START))


def ids_of(rows: Iterable[dict[str, Any]]) -> list[str]:
    return [row["articleId"] for row in rows]
