"""Sites to run flows on, made by the same commands that people type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.flows.in_process import InProcess
from tests.flows.shell import Shell, folder_of_programs
from tests.flows.sites import Site
from tests.world.planted import AIMS_PASSWORD


@pytest.fixture
def make_home(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., InProcess]]:
    """Return how to make an empty home for a database of a kind; its URL is in the environment, or it is embedded."""
    databases: list[str] = []

    def make(kind: str = "sqlite", name: str = "home", **extra: str) -> InProcess:
        home = tmp_path / name
        home.mkdir()
        if kind == "postgresql":
            server = request.getfixturevalue("postgres_server")
            databases.append(server.create_database())
            extra["ELECTIS_DATABASE_URL"] = databases[-1]
        return InProcess(home, extra)

    yield make
    for url in databases:
        request.getfixturevalue("postgres_server").drop_database(url)


@pytest.fixture
def make_site(make_home: Callable[..., InProcess]) -> Iterator[Callable[..., Site]]:
    """Return how to make a site on a database of a kind, with settings of its own."""
    sites: list[Site] = []

    def make(kind: str = "sqlite", **extra: str) -> Site:
        settings = Settings(stores=("001",), labels_per_store=12, update_seconds=0.0)
        server = SimulatorServer(Simulator(settings)).start()
        electis = make_home(kind, ELECTIS_AIMS_HOSTS=server.base_url, **extra)
        url = electis.extra.get("ELECTIS_DATABASE_URL") or f"sqlite:///{electis.home}/data/electis.db"
        site = Site(electis, server, url)
        sites.append(site)
        electis.initialize()
        electis(
            "aims", "configure", "--base-url", server.base_url, "--company", "ACME", "--username", "tester",
            "--password-stdin", stdin=AIMS_PASSWORD + "\n",
        )  # fmt: skip
        electis("store", "create", "001", "--name", "Main", "--timezone", "Asia/Jerusalem")
        return site

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site on SQLite."""
    return make_site()


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has `electis`, to put first on the PATH."""
    return folder_of_programs(tmp_path_factory.mktemp("bin"))


@pytest.fixture
def make_shell(tmp_path: Path, programs: Path) -> Iterator[Callable[..., Shell]]:
    shells: list[Shell] = []

    def make(**variables: str) -> Shell:
        folder = tmp_path / f"shell-{len(shells)}"
        folder.mkdir()
        shells.append(Shell(folder, programs, **variables))
        return shells[-1]

    yield make
    for shell in shells:
        for process in shell.background:
            process.close()
