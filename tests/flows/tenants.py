"""Two organizations in one database: ALPHA, who types, and BRAVO, of whom nothing may be seen or changed."""

from __future__ import annotations

import copy
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from electis_cli.db.engine import Database
from electis_cli.db.tables import TENANT_TABLES, leases, organizations, refresh_tokens, sessions, users
from electis_cli.simulator import SimulatorServer
from electis_cli.simulator.model import World
from tests.flows.in_process import InProcess
from tests.world.planted import AIMS_PASSWORD, OTHER_PASSWORD, PASSWORD

MARKER = "BRAVO"
"""In every text of BRAVO's: names, columns, addresses; looked for in any case."""

BRAVO_PASSWORD = OTHER_PASSWORD
FOREIGN = {"store": "007", "space": "FX-9", "person": "FP-9", "room": "9", "dead": "FD-9"}
"""What only BRAVO has, beside a label. Both have store 001 with S-1, S-2, P-1, P-2, room 1 and one label."""

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Tenants:
    """The command lines of both admins on one database, and what a test must know of BRAVO."""

    alpha: InProcess
    bravo: InProcess
    url: str
    server: SimulatorServer
    world: World | None = None
    ids: dict[str, str] = field(default_factory=dict)

    def dump(self, code: str) -> dict[str, list[dict[str, Any]]]:
        """Return every row that belongs to an organization, by table."""
        database = Database(self.url)
        try:
            with database.read() as uow:

                def rows(table: sa.Table, condition: Any) -> list[dict[str, Any]]:
                    found = uow.execute(sa.select(table).where(condition)).mappings()
                    return sorted((dict(row) for row in found), key=repr)

                (owner,) = rows(organizations, organizations.c.code == code)
                found = {table.name: rows(table, table.c.org_id == owner["id"]) for table in TENANT_TABLES}
                found["organizations"] = [owner]
                found["users"] = rows(users, users.c.org_id == owner["id"])
                mine = [row["id"] for row in found["users"]]
                found["sessions"] = rows(sessions, sessions.c.user_id.in_(mine))
                open_ = [row["id"] for row in found["sessions"]]
                found["refresh_tokens"] = rows(refresh_tokens, refresh_tokens.c.session_id.in_(open_))
                subjects = [owner["id"], *(row["id"] for row in found["stores"])]
                found["leases"] = [
                    row for row in rows(leases, sa.true()) if row["resource"].split(":")[-1] in subjects
                ]
                return found
        finally:
            database.close()

    def copy_to(self, folder: Path, url: str | None) -> Tenants:
        """Return the same world in another folder, and in another database unless it is embedded."""
        source = self.alpha.home.parent
        shutil.copytree(source, folder)
        twin = homes(folder, url, self.server)
        twin.ids, twin.world = self.ids, self.world
        self.server.simulator.world = copy.deepcopy(self.world)
        self.server.simulator.faults.clear()
        self.server.simulator.journal.clear()
        return twin

    def cloud_of(self, code: str) -> str:
        """Return everything that AIMS holds of a company."""
        return repr(self.server.simulator.world.clusters["common"].companies[code])

    def leaks(self, text: str, typed: list[str]) -> list[str]:
        """Return what a text tells of BRAVO beyond what was typed."""
        for word in sorted(typed, key=len, reverse=True):
            text = text.replace(word, "")
        secrets = {FOREIGN[name] for name in ("space", "person", "dead")} | set(self.ids.values())
        found = [word for word in secrets if word in text]
        return found + ([MARKER] if MARKER.casefold() in text.casefold() else [])


def homes(folder: Path, url: str | None, server: SimulatorServer) -> Tenants:
    """Return both command lines in a folder, on the database at a URL or the one embedded in ALPHA's home."""
    embedded = f"sqlite:///{folder}/alpha/data/electis.db"
    common = {"ELECTIS_AIMS_HOSTS": server.base_url}
    if url is not None:
        common["ELECTIS_DATABASE_URL"] = url
    key = {
        "ELECTIS_SECRET_KEY_FILE": str(folder / "alpha" / "secret.key"),
        "ELECTIS_DATABASE_URL": url or embedded,
    }
    for name in ("alpha", "bravo"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    alpha, bravo = InProcess(folder / "alpha", common), InProcess(folder / "bravo", {**common, **key})
    return Tenants(alpha, bravo, url or embedded, server)


def build(folder: Path, url: str | None, server: SimulatorServer) -> Tenants:
    """Make both organizations, each with something in every table."""
    tenants = homes(folder, url, server)
    _furnish(tenants, tenants.alpha, "ALPHA", PASSWORD)
    _furnish(tenants, tenants.bravo, "BRAVO", BRAVO_PASSWORD)
    _furnish_bravo(tenants)
    tenants.world = server.simulator.world
    return tenants


def _furnish(tenants: Tenants, electis: InProcess, code: str, password: str) -> None:
    """Give an organization store 001 with everything in it that both have."""
    simulator, email = tenants.server.simulator, f"admin@{code.lower()}.example"
    electis(
        "init", "--org-code", code, "--org-name", f"{code} Ltd", "--admin-email", email, "--admin-password-stdin",
        stdin=password + "\n",
    )  # fmt: skip
    electis("login", email, "--password-stdin", stdin=password + "\n")
    electis(
        "aims", "configure", "--base-url", tenants.server.base_url, "--company", code, "--username", f"{code}-user",
        "--password-stdin", stdin=AIMS_PASSWORD + "\n",
    )  # fmt: skip
    electis("store", "create", "001", "--name", f"{code} Main")
    for space in ("S-1", "S-2"):
        electis("space", "create", space, "--set", f"ITEM_NAME={code} desk {space}")
    electis("people", "create", "P-1", "--set", f"ITEM_NAME={code} person 1", "--space", "S-1")
    electis("people", "create", "P-2", "--set", f"ITEM_NAME={code} person 2")
    electis("conference", "create", "1", "--name", f"{code} room")
    electis(
        "conference", "toggle", "1", "--meeting-name", f"{code} secret meeting", "--start", "09:00", "--end", "10:00",
        "--participants", f"{code} boss",
    )  # fmt: skip
    electis("label", "link", first_label(tenants, code, "001"), "S-1")
    electis("label", "blink", first_label(tenants, code, "001"), "--queue")
    electis(
        "user", "create", f"clerk@{code.lower()}.example", "--role", "viewer", "--last-name", f"{code} clerk"
    )
    electis("snapshot", "save", f"{code} morning")
    _import(electis, code)
    electis("queue", "drain")
    _bury(tenants, electis, code, "D-1", store="001")
    electis("sync", "full", check=3)  # the dead letter
    electis("space", "update", "S-2", "--set", f"TITLE={code} waiting")
    assert simulator.store(code, "001").articles


def _import(electis: InProcess, code: str) -> None:
    """Import a file as another system writes it, and write a plan that nobody carried out yet."""
    file = electis.home / "export.csv"
    file.write_text(f"Desk,{code} title\nS-1,{code} corner\n", encoding="utf-8")
    naming = ("--map", f"{code} title=TITLE", "--key", "Desk", "--save-mapping", f"{code} export")
    electis("space", "import", str(file), *naming)
    file.write_text(f"external_id,ITEM_NAME\nS-20,{code} planned\n", encoding="utf-8")
    electis("space", "import", str(file), "--plan", str(electis.home / "own.plan"))


def _bury(tenants: Tenants, electis: InProcess, code: str, space: str, *, store: str) -> None:
    """Make a dead letter of a space."""
    faults = tenants.server.simulator.faults
    fault = faults.add("reject-article", articles=[space], message=f"{code}_DOES_NOT_FIT")
    electis("space", "create", space, "--set", f"ITEM_NAME={code} poison", "--store", store)
    electis("queue", "drain", "--store", store, check=3)
    faults.remove(fault)


def _furnish_bravo(tenants: Tenants) -> None:
    """Give BRAVO what only BRAVO has: a second store, a conflict, a held run, and ids to name."""
    bravo, simulator = tenants.bravo, tenants.server.simulator
    bravo("store", "create", FOREIGN["store"], "--name", "BRAVO Annex")
    there = ("--store", FOREIGN["store"])
    bravo("space", "create", FOREIGN["space"], "--set", "ITEM_NAME=BRAVO hidden desk", *there)
    bravo(
        "people",
        "create",
        FOREIGN["person"],
        "--set",
        "ITEM_NAME=BRAVO spy",
        "--space",
        FOREIGN["space"],
        *there,
    )
    bravo("conference", "create", FOREIGN["room"], "--name", "BRAVO bunker", *there)
    bravo("queue", "drain", *there)
    label = first_label(tenants, "BRAVO", FOREIGN["store"])
    bravo("label", "link", label, FOREIGN["space"], *there)
    _bury(tenants, bravo, "BRAVO", FOREIGN["dead"], store=FOREIGN["store"])
    # Both sides changed S-2: a conflict that the strategy settled and that is kept.
    more = [f"S-{number}" for number in range(3, 15)]
    for space in more:
        bravo("space", "create", space, "--set", f"ITEM_NAME=BRAVO desk {space}", "--store", "001")
    bravo("queue", "drain", "--store", "001", check=3)
    article = simulator.store("BRAVO", "001").articles["S-2"]
    article.data = {**article.data, "TITLE": "BRAVO from elsewhere", "ITEM_NAME": "BRAVO elsewhere"}
    bravo("sync", "full", "--store", "001", "--no-window", check=3)
    # A listing without any article trips the brake.
    store = simulator.store("BRAVO", "001")
    kept, store.articles = store.articles, {}
    store.articles_changed()
    bravo("sync", "full", "--store", "001", check=15)
    store.articles = kept
    store.articles_changed()
    bravo("space", "update", "S-2", "--set", "TITLE=BRAVO waiting", "--store", "001")
    # A command that waits.
    bravo("queue", "pause", *there)
    waits = bravo("label", "blink", label, "--queue", "-o", "json", *there, check=14).json["id"]
    # The same label code, wished for by both.
    bravo("label", "link", first_label(tenants, "ALPHA", "001"), "S-2", "--store", "001")
    runs = bravo("sync", "history", "-o", "json").json
    tenants.ids = {
        "label": label,
        "command": waits,
        "batch": max(simulator.company("BRAVO").batches),
        "gateway": min(simulator.store("BRAVO", "001").gateways),
        "exchange": bravo("aims", "last", "-o", "json").json[0]["id"],
        "run": next(run["id"] for run in runs if run["state"] == "completed"),
        "held": next(run["id"] for run in runs if run["state"] == "held"),
        "mail": bravo("mail", "list", "-o", "json").json[0]["id"],
        "session": bravo("auth", "sessions", "-o", "json").json[0]["id"],
    }
    # Every id of every row is something that must not be seen.
    for table, rows in tenants.dump("BRAVO").items():
        assert rows or table == "leases", f"BRAVO has nothing in {table}"
        for place, row in enumerate(rows):
            if UUID.fullmatch(str(row.get("id"))):
                tenants.ids[f"{table}-{place}"] = row["id"]


def first_label(tenants: Tenants, code: str, store: str) -> str:
    """Return the code of a label of a company's store."""
    return min(tenants.server.simulator.store(code, store).labels)
