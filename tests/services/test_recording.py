"""The flight recorder: what is kept of calls to AIMS, for how long, and that nobody's name or password is in it."""

from __future__ import annotations

import pytest

from electis_cli.aims.recorder import Exchange
from electis_cli.db import exchanges
from electis_cli.services.change import reading
from electis_cli.services.recording import last_write_of, make_recorder


@pytest.fixture
def record(runtime, scope):
    """Return how to record a call of store 001."""
    keep = make_recorder(runtime.database, runtime.sealer, scope.org_id, runtime.new_id)

    def one(method="GET", *subjects, store="001", **values):
        keep(
            Exchange(
                at=runtime.clock(),
                method=method,
                path=values.pop("path", "/api/v2/common/articles"),
                query={"company": "ACME", **({"store": store} if store else {}), **values.pop("query", {})},
                milliseconds=3,
                subjects=tuple(subjects),
                **{"status": 200, **values},
            )
        )

    return one


def kept(scope, **filters):
    with reading(scope) as read:
        return exchanges.list_exchanges(read.uow, None, **filters)


def last_write(scope, subject, store="001"):
    with reading(scope) as read:
        return last_write_of(read, store, subject)


def test_reads_do_not_push_out_writes(scope, record, monkeypatch):
    monkeypatch.setattr(exchanges, "RING", 3)
    record("PUT", "4-117")
    for _ in range(5):
        record("GET")
    assert [row["method"] for row in kept(scope)] == ["GET", "GET", "GET", "PUT"]


def test_each_store_has_a_ring_of_its_own(scope, record, monkeypatch):
    monkeypatch.setattr(exchanges, "RING", 2)
    record("PUT", "A", store="002")
    record("POST", store=None, path="/api/v2/token")
    for number in range(3):
        record("PUT", f"B{number}")
    assert [row["subjects"] for row in kept(scope, writes=True)] == [["B2"], ["B1"], [], ["A"]]


def test_the_last_write_of_an_article_is_found(scope, record):
    record("POST", "4-117", "4-118", batch_id="first")
    record("PUT", "4-117", batch_id="second")
    record("GET", "4-117")
    record("PUT", "4-117", store="002", batch_id="elsewhere")
    assert last_write(scope, "4-117").batch_id == "second"
    assert last_write(scope, "4-118").batch_id == "first"
    assert last_write(scope, "4-119") is None
