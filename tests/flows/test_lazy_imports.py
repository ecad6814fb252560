"""`--version` and `--help` answer at once because they import nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.world.command_line import CommandLine

HEAVY = ("sqlalchemy", "httpx", "pydantic", "rich")
PROGRAM = """
import sys
from electis_cli.commands.main import run
code = run(sys.argv[1:])
import json
print(json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""


def run_and_list(electis: CommandLine, *arguments: str) -> tuple[int, set[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=electis.environment,
        cwd=electis.home,
        check=True,
        timeout=60,
    )
    *shown, last = done.stdout.splitlines()
    answer = json.loads(last)
    return answer["code"], {name.partition(".")[0] for name in answer["modules"]}, "\n".join(shown)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--version"], "electis "),
        (["--help"], "Groups"),
        (["space", "--help"], "import"),
        (["space", "create", "--help"], "--set"),
        (["sync", "--help"], "full"),
        (["demo", "--help"], "--keep"),
        ([], ""),
    ],
)
def test_help_and_version_import_nothing_heavy(make_electis, arguments, shown):
    """`electis --version` and `--help` import neither sqlalchemy, httpx, pydantic nor rich."""
    code, modules, output = run_and_list(make_electis(), *arguments)
    assert code == (0 if arguments else 2)
    assert shown in output
    assert modules.isdisjoint(HEAVY), modules.intersection(HEAVY)
    assert "electis_cli" in modules


def test_a_command_that_reads_the_database_imports_no_http_client(make_electis):
    """The same care for those who only look at the database: httpx belongs to commands that call AIMS."""
    electis = make_electis()
    electis.initialize()
    code, modules, _ = run_and_list(electis, "space", "list", "-o", "json")
    assert code == 0
    assert "sqlalchemy" in modules
    assert modules.isdisjoint({"httpx", "rich"})
