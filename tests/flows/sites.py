"""A site: an organization with a store, the command line of its admin, and an AIMS that tests can look into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from electis_cli.db.engine import Database
from electis_cli.simulator import SimulatorServer
from electis_cli.simulator.display import describe
from tests.flows.in_process import InProcess
from tests.world.command_line import Background, until
from tests.world.leaks import WATCH

WRITES = ("POST", "PUT", "DELETE")


@dataclass
class Site:
    """Organization ACME with store 001 on one database, connected to a simulated AIMS."""

    electis: InProcess
    server: SimulatorServer
    url: str
    daemons: list[Background] = field(default_factory=list)

    # --- the daemon -------------------------------------------------------------------------------------------------

    def start_daemon(self, **extra: str) -> Background:
        """Start the daemon; it ends with the test at the latest."""
        daemon = self.electis.start_daemon(**extra)
        self.daemons.append(daemon)
        return daemon

    def close(self) -> None:
        """End everything that runs."""
        for daemon in self.daemons:
            daemon.close()
        if not self.url.startswith("sqlite"):  # those are in a home, and read there
            WATCH.hear_tables(lambda statement: [row.values() for row in self.rows(statement)])
        self.server.stop()

    # --- the database -----------------------------------------------------------------------------------------------

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Return what an SQL statement finds, past every service."""
        database = Database(self.url)
        try:
            with database.read() as uow:
                return [dict(row) for row in uow.execute(sa.text(statement), values).mappings()]
        finally:
            database.close()

    def count(self, table: str, condition: str = "1 = 1") -> int:
        """Return how many rows of a table there are."""
        return self.rows(f"SELECT count(*) AS n FROM {table} WHERE {condition}")[0]["n"]  # noqa: S608 - our own words

    def queue(self) -> dict[str, Any]:
        """Return `electis queue status` of the store."""
        return self.electis("queue", "status", "-o", "json").json[0]

    def wait_until_empty(self) -> dict[str, Any]:
        """Wait until nothing is pending and return the status."""

        def empty() -> dict[str, Any] | None:
            status = self.queue()
            return None if status["pending"] + status["syncing"] + status["labels_pending"] else status

        return until(empty, "an empty queue")

    # --- the import files -------------------------------------------------------------------------------------------

    def write_csv(self, name: str, lines: Iterable[str]) -> str:
        """Write an import file and return its path."""
        path = Path(self.electis.home) / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    def import_spaces(self, wanted: Mapping[str, str]) -> None:
        """Import spaces with their names."""
        rows = [f"{space},{name}" for space, name in wanted.items()]
        file = self.write_csv("spaces.csv", ["external_id,ITEM_NAME", *rows])
        self.electis("space", "import", file, "--store", "001")

    # --- the cloud --------------------------------------------------------------------------------------------------

    def names(self) -> dict[str, str]:
        """Return the article ids AIMS holds with the names it shows."""
        simulator = self.server.simulator
        with simulator.lock:
            articles = simulator.store("ACME", "001").articles
            return {article_id: str(article.data["ITEM_NAME"]) for article_id, article in articles.items()}

    def article_writes(self, after: int = 0) -> list[Any]:
        """Return the article writes in AIMS's journal, also those whose answer was lost."""
        return [
            entry
            for entry in self.server.simulator.journal.after(after)
            if entry.method in WRITES and entry.path.endswith("/articles")
        ]

    def label_codes(self) -> list[str]:
        """Return the codes of the store's labels."""
        return sorted(self.server.simulator.store("ACME", "001").labels)

    def label(self, code: str) -> dict[str, Any]:
        """Return what a label displays once its radio has had the time it takes."""
        simulator = self.server.simulator
        with simulator.lock:
            store = simulator.store("ACME", "001")
            return describe(store, store.labels[code], simulator.clock.now() + 60)
