"""A simulated AIMS in a process of its own, and the least that reads a store's pages from it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import orjson

PAGE = 500


@contextlib.contextmanager
def running_simulator() -> Iterator[str]:
    """Start a simulator without labels and yield its address: neither its time nor its memory counts as ours."""
    command = [sys.executable, "-m", "electis_cli.simulator", "--labels-per-store", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()  # AIMS simulator ready at URL (company ...)
            yield ready.split(" at ")[1].split()[0]
        finally:
            process.terminate()


@contextlib.contextmanager
def latency(base_url: str, seconds: float) -> Iterator[None]:
    """Let every call of a running simulator take so much longer; 0 changes nothing."""
    if not seconds:
        yield
        return
    control = base_url + "/_simulator/faults"
    httpx.post(control, json={"kind": "latency", "seconds": seconds}).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(control).raise_for_status()


@contextlib.contextmanager
def bare_client(base_url: str) -> Iterator[httpx.Client]:
    """Log in and yield a client for store 001, with nothing of ours in between."""
    with httpx.Client(base_url=base_url + "/common/api/v2", timeout=60) as http:
        login = http.post("/token", json={"username": "bench", "password": "bench"}).json()
        http.headers["Authorization"] = "Bearer " + login["responseMessage"]["access_token"]
        http.params = httpx.QueryParams(company="ACME", store="001")
        yield http


def fetch_pages(http: httpx.Client) -> None:
    """Fetch and decode all pages of a store's articles, and keep nothing."""
    page = 0
    while True:
        query: dict[str, Any] = {"page": page, "size": PAGE, "sort": "articleId,asc"}
        answer = http.get("/common/config/article/info", params=query)
        orjson.loads(answer.content)
        page += 1
        if page >= int(answer.headers["x-totalpages"]):
            return
