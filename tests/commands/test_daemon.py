"""`electis daemon status|unit|timer` as people type them."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from electis_cli.adapters.embedded_lock import lock_embedded_database
from electis_cli.adapters.identifiers import new_id
from electis_cli.adapters.systemd_units import Installation, daemon_service
from electis_cli.db import daemons, leases, stores
from electis_cli.db.daemons import Daemon
from electis_cli.db.engine import Database
from tests.flows.in_process import InProcess

SYSTEMD = shutil.which("systemd-analyze")
HARDENED = 25
"""`systemd-analyze security` says 96 for a service without any hardening, in tenths; below 50 it says OK."""


def note(desk, *, machine, silent=0.0, pushes=None):
    """Write down a daemon that was last heard of so many seconds ago, and perhaps the store it pushes."""
    database = Database(f"sqlite:///{desk.electis.home}/data/electis.db")
    heard = datetime.now(UTC) - timedelta(seconds=silent)
    daemon = Daemon(
        id=new_id(), holder=f"{machine}:7", machine=machine, process_id=7, version="1.0", started_at=heard,
        heard_at=heard, alive_until=heard + timedelta(seconds=65),
    )  # fmt: skip
    with database.read() as uow:
        (org_id,) = uow.execute(sa.text("SELECT id FROM organizations")).scalars()
    with database.write(org_id) as uow:
        daemons.save_heartbeat(uow, daemon)
        if pushes:
            resource = leases.push_resource(stores.find_store(uow, code=pushes).id)
            assert leases.take_lease(uow, resource, daemon.holder, seconds=60)
        uow.commit()
    database.close()


@pytest.fixture
def working(desk):
    """The desk while a daemon works on its embedded database: its lock is held, whoever that is."""
    with lock_embedded_database(Path(desk.electis.home) / "data" / "electis.db"):
        yield desk


# --- status ---------------------------------------------------------------------------------------------------------


def test_status_shows_who_is_alive_and_what_each_pushes(working):
    desk = working
    note(desk, machine="gone", silent=300)
    note(desk, machine="well", pushes="001")

    gone, well = desk.json("daemon", "status")

    assert (gone["machine"], gone["state"], gone["pushing"]) == ("gone", "silent", [])
    assert (well["machine"], well["state"], well["pushing"]) == ("well", "alive", ["ACME/001"])
    assert list(well) == [
        "id", "holder", "state", "machine", "process_id", "version", "started_at", "heard_at", "pushing",
    ]  # fmt: skip
    table = desk("daemon", "status").out.splitlines()
    assert table[0].split() == [
        "MACHINE",
        "PROCESS_ID",
        "STATE",
        "VERSION",
        "STARTED_AT",
        "HEARD_AT",
        "PUSHING",
    ]
    assert table[2].split()[-1] == "ACME/001"


def test_status_exits_3_when_none_is_alive(desk):
    told = desk("daemon", "status", check=3)
    assert (told.out, "electis daemon run" in told.err) == ("", True)
    note(desk, machine="gone", silent=66)
    done = desk("daemon", "status", "-o", "json", check=3)
    assert [view["state"] for view in done.json] == ["silent"]


def test_a_daemon_that_does_not_hold_the_lock_of_an_embedded_database_is_gone(desk):
    note(desk, machine="killed a moment ago", pushes="001")
    done = desk("daemon", "status", "-o", "json", check=3)
    assert [view["state"] for view in done.json] == ["silent"]


def test_status_is_for_everybody_who_is_logged_in_and_nobody_else(working):
    desk = working
    note(desk, machine="well", pushes="001")
    desk("store", "create", "002")
    (seen,) = desk.log_in_as("viewer", store="002")("daemon", "status", "-o", "json").json
    assert (seen["state"], seen["pushing"]) == ("alive", [])
    desk("logout")
    assert desk("daemon", "status", "-o", "json", check=4).error["code"] == "E-LOGIN-REQUIRED"


# --- unit and timer -------------------------------------------------------------------------------------------------


def settings_of(unit: str, section: str = "Service") -> dict[str, list[str]]:
    """Return a section of a unit: the values of each key, in their order."""
    # The parser alone says that every line is a section, a comment or a setting.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(unit)
    body = unit.split(f"[{section}]\n", 1)[1].split("\n[", 1)[0]
    found: dict[str, list[str]] = {}
    for line in body.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    assert set(found) == set(parser[section])
    return found


def verify(folder: Path, *files: str, user: bool = False) -> None:
    """Let systemd itself read unit files; it exits with 0 even for keys that it does not know, but says so."""
    assert SYSTEMD is not None
    done = subprocess.run(
        [SYSTEMD, "--user" if user else "--system", "verify", "--man=no", *files],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def home(tmp_path) -> Path:
    """An electis home whose path has everything that could be read wrongly in a unit."""
    folder = tmp_path / "a home of 100%d $HOME"
    (folder / "state").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "secret.key").write_text("ab" * 32 + "\n", encoding="ascii")
    return folder


@pytest.fixture
def electis(home) -> InProcess:
    return InProcess(home)


@pytest.mark.parametrize("user", [False, True], ids=["system", "user"])
def test_a_unit_holds_no_secret_and_says_where_secrets_go(electis, home, user):
    secrets = {
        "ELECTIS_DATABASE_URL": "postgresql://electis:planted-1@db/electis",
        "ELECTIS_SMTP_URL": "smtp://electis:planted-2@mail",
        "ELECTIS_ON_ALERT": "https://pager/planted-3",
        "ELECTIS_SECRET_KEY": "5ec4e7" * 10 + "5ec4",
    }
    electis.extra.update(secrets)
    for words in (["unit"], ["timer"]):
        printed = electis("daemon", *words, *(["--user"] if user else [])).out
        assert not [value for value in ("planted", "5ec4e7", "ab" * 32) if value in printed]
        assert " ".join(sorted([*secrets, "ELECTIS_KEYRING"])) in printed, "what to put there is named"
        assert "LoadCredential" not in printed, "the key comes from the environment"
        assert f"EnvironmentFile=-{str(home).replace('%', '%%')}/electis.env" in printed


def test_a_unit_runs_this_installation_as_the_owner_of_the_key(electis, home):
    service = settings_of(electis("daemon", "unit").out)
    escaped = str(home).replace("%", "%%")
    assert service["User"] == [home.joinpath("secret.key").owner()]
    assert service["Environment"] == [f'"ELECTIS_HOME={escaped}"']
    assert service["LoadCredential"] == [f"electis.key:{escaped}/secret.key"]
    assert service["ReadWritePaths"] == [f'"{escaped}/data" "{escaped}/state"']
    assert service["ExecStart"][0].endswith("daemon run")
    assert service["Restart"] == ["on-failure"]
    assert service["RestartPreventExitStatus"] == ["16"]
    assert int(service["TimeoutStopSec"][0]) > 60, "a batch in flight is finished"


def test_a_unit_gives_up_what_the_program_does_not_need(electis):
    service = settings_of(electis("daemon", "unit").out)
    given_up = {
        "NoNewPrivileges": ["yes"],
        "CapabilityBoundingSet": [""],
        "ProtectSystem": ["strict"],
        "PrivateTmp": ["yes"],
        "PrivateDevices": ["yes"],
        "RestrictAddressFamilies": ["AF_INET AF_INET6 AF_UNIX"],
        "SystemCallFilter": ["@system-service", "~@privileged @resources"],
        "UMask": ["0077"],
    }
    assert {name: service.get(name) for name in given_up} == given_up
    for_user = settings_of(electis("daemon", "unit", "--user").out)
    assert for_user["NoNewPrivileges"] == ["yes"]
    assert "User" not in for_user


@pytest.mark.parametrize(
    ("needed", "protected"),
    [("/opt/electis", "yes"), ("/users/dana/electis", "read-only"), ("/usersets/x", "yes")],
)
@pytest.mark.parametrize("place", ["writable", "read"])
def test_homes_are_hidden_unless_something_in_them_is_needed(needed, protected, place):
    installation = Installation(
        program=["/usr/bin/electis"], user="electis", variables=[], environment_file=Path("/etc/electis.env"),
        expected=[], key_file=None, key_credential="key", writable=[Path("/var/lib/electis")], read=[],
        homes=[Path("/users")], longest_stop=90, is_user=False,
    )  # fmt: skip
    service = settings_of(daemon_service(replace(installation, **{place: [Path(needed)]})))
    assert service["ProtectHome"] == [protected]


def test_only_an_embedded_database_needs_its_folder(electis, home):
    electis.extra["ELECTIS_DATABASE_URL"] = "postgresql://db/electis"
    service = settings_of(electis("daemon", "unit").out)
    assert service["ReadWritePaths"] == [f'"{str(home).replace("%", "%%")}/state"']


def test_without_a_home_of_its_own_the_unit_names_the_folders(electis, tmp_path):
    environment = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "elsewhere")}
    electis.extra.update({"ELECTIS_HOME": "", **environment})
    service = settings_of(electis("daemon", "unit").out)
    assert service["Environment"] == [
        f"XDG_CONFIG_HOME={tmp_path}/.config",
        f"XDG_DATA_HOME={tmp_path}/.local/share",
        f"XDG_STATE_HOME={tmp_path}/elsewhere",
    ]


def test_a_timer_starts_the_full_sync_of_all_stores(electis):
    printed = electis("daemon", "timer").out
    service, timer = (electis("daemon", "timer", "--only", part).out for part in ("service", "timer"))
    assert printed == f"{service}\n{timer}"
    assert settings_of(service)["ExecStart"][0].endswith("electis sync full --all-stores")
    assert settings_of(service)["Type"] == ["oneshot"]
    assert "ELECTIS_KEYRING=false" in settings_of(service)["Environment"]
    assert settings_of(timer, "Timer")["OnUnitActiveSec"] == ["15min"]
    # The one starts the other by its name.
    names = [re.search(r"system/(\S+)", unit)[1] for unit in (service, timer)]
    assert names == ["electis-sync.service", "electis-sync.timer"]


def test_the_key_that_a_service_is_handed_is_used(tmp_path):
    electis = InProcess(tmp_path / "home")
    electis.home.mkdir()
    electis.initialize()
    handed = tmp_path / "credentials"
    handed.mkdir()
    (electis.home / "secret.key").rename(handed / "electis.key")
    assert electis("queue", "status", "-o", "json", check=16).error["code"] == "E-KEY"
    electis.extra["CREDENTIALS_DIRECTORY"] = str(handed)
    assert electis("queue", "status", "-o", "json").json == []


@pytest.mark.skipif(SYSTEMD is None, reason="there is no systemd-analyze here")
@pytest.mark.parametrize("user", [False, True], ids=["system", "user"])
def test_systemd_reads_the_units_without_a_complaint(electis, tmp_path, user):
    folder = tmp_path / "units"
    folder.mkdir()
    flags = ["--user"] if user else []
    for name, words in (
        ("electis.service", ["unit"]),
        ("electis-sync.service", ["timer", "--only", "service"]),
        ("electis-sync.timer", ["timer", "--only", "timer"]),
    ):
        (folder / name).write_text(electis("daemon", *words, *flags).out, encoding="utf-8")
    verify(folder, "./electis.service", user=user)
    verify(folder, "./electis-sync.timer", "./electis-sync.service", user=user)


@pytest.mark.skipif(SYSTEMD is None, reason="there is no systemd-analyze here")
def test_the_service_is_hardened_as_systemd_measures_it(electis, tmp_path):
    unit = tmp_path / "electis.service"
    unit.write_text(electis("daemon", "unit").out, encoding="utf-8")
    done = subprocess.run(
        [
            SYSTEMD, "security", "--offline=true", f"--threshold={HARDENED}", "--no-pager", "./electis.service",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()
