"""`health`, `db`, `version` and `completion` as processes: none of them needs a login."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from electis_cli.version import VERSION


def execute(electis, statement):
    with contextlib.closing(sqlite3.connect(electis.home / "data" / "electis.db")) as connection, connection:
        connection.execute(statement)


@pytest.mark.slow
def test_health_names_what_is_in_error(electis, valkey_server):
    """Flow 4.1 at the command line."""
    electis("logout")
    well = electis("health", "-o", "json").json
    assert (well["status"], well["components"]) == ("ok", {"database": "ok"})

    electis.extra["ELECTIS_REDIS_URL"] = valkey_server.url
    assert electis("health", "-o", "json").json["components"] == {"database": "ok", "redis": "ok"}

    electis.extra["ELECTIS_REDIS_URL"] = "redis://127.0.0.1:1/0"
    ill = electis("health", "-o", "json", check=12).json
    assert (ill["status"], ill["components"]["redis"]) == ("degraded", "error")
    assert "redis" in electis("health", check=12).out

    execute(electis, "UPDATE alembic_version SET version_num = 'unknown'")
    ill = electis("health", "-o", "json", check=17).json
    assert ill["components"] == {"database": "error", "redis": "error"}
    assert electis("db", "check", "-o", "json", check=17).error["code"] == "E-SCHEMA"
    assert electis("db", "current", "-o", "json").json["is_current"] is False


def test_health_without_a_database(make_electis):
    ill = make_electis()("health", "-o", "json", check=17).json

    assert (ill["status"], ill["components"]) == ("degraded", {"database": "error"})


@pytest.mark.slow
def test_the_schema_is_shown_checked_and_upgraded(electis):
    for command in ("current", "check", "upgrade"):
        view = electis("db", command, "-o", "json").json
        assert list(view) == ["database", "revision", "newest", "is_current"]
        assert view["is_current"] is True


def test_the_schema_of_no_database(make_electis):
    electis = make_electis()

    for command in ("current", "check", "upgrade"):
        refused = electis("db", command, "-o", "json", check=17).error
        assert refused["code"] == "E-DATABASE-MISSING"
        assert refused["fix"].startswith("electis init")
    assert list(electis.home.iterdir()) == []


def test_the_version_is_shown(make_electis):
    assert make_electis()("version", "-o", "json").json["version"] == VERSION


@pytest.mark.parametrize(
    ("shell", "first"),
    [
        ("bash", "_electis_completion() {"),
        ("zsh", "#compdef electis"),
        ("fish", "complete --command electis"),
        ("powershell", "Import-Module PSReadLine"),
    ],
)
def test_a_completion_script_is_printed(make_electis, shell, first):
    script = make_electis()("completion", shell).out

    assert script.startswith(first)
    assert "_ELECTIS_COMPLETE" in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_groups_and_commands(make_electis, tmp_path):
    """The script, in a real bash, against the real program."""
    electis = make_electis()
    program = tmp_path / "bin" / "electis"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m electis_cli "$@"\n')
    program.chmod(0o755)
    script = electis("completion", "bash").out
    ask = (
        f"{script}\nCOMP_WORDS=(electis user re); COMP_CWORD=2; _electis_completion electis; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", ask],
        env={**electis.environment, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.split() == ["reset-password"], done.stderr
