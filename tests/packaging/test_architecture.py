"""The rules about imports that import-linter cannot say, and that its contracts catch what they are for."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def imported_by(file: Path) -> set[str]:
    """The top-level names a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return {name.split(".")[0] for name in found}


def test_the_domain_imports_no_third_party_package() -> None:
    files = sorted((ROOT / "electis_cli" / "domain").rglob("*.py"))
    assert files
    # orjson turns values into bytes and back; that it is fast is why a million rows can be hashed and staged.
    known = set(sys.stdlib_module_names) | {"electis_cli", "orjson"}
    strangers = {file.name: imported_by(file) - known for file in files}
    assert {name: found for name, found in strangers.items() if found} == {}


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("electis_cli/utils.py", "", "Imports point down"),
        ("electis_cli/domain/stray.py", "import electis_cli.db", "Imports point down"),
        ("electis_cli/adapters/stray.py", "import electis_cli.db", "Imports point down"),
        ("electis_cli/services/stray.py", "import electis_cli.wiring", "Imports point down"),
        ("electis_cli/services/stray.py", "import daemon", "The daemon stands on top"),
        ("electis_cli/services/stray.py", "import electis_cli.settings", "Settings are read by"),
        ("electis_cli/settings.py", "import electis_cli.domain.access", "Settings know nothing"),
        ("electis_cli/commands/stray.py", "import electis_cli.simulator", "Nothing imports the simulator"),
        ("electis_cli/simulator/stray.py", "import electis_cli.domain", "The simulator imports nothing"),
        ("electis_cli/services/stray.py", "import sqlalchemy", "Only db speaks SQL"),
        ("electis_cli/adapters/stray.py", "import httpx", "Only aims speaks HTTP"),
        ("daemon/stray.py", "import rich", "Only commands know the terminal"),
        ("daemon/stray.py", "import electis_cli.db", "The daemon holds no rules"),
        ("electis_cli/domain/stray.py", "import time", "The domain is pure"),
    ],
)
def test_a_stray_import_breaks_its_contract(file: str, line: str, contract: str, tmp_path: Path) -> None:
    for name in ("electis_cli", "daemon"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as stray:
        stray.write(f"\n{line}\n")
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-logo", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    broken = " ".join(done.stdout.partition("Broken contracts")[2].split())
    assert done.returncode != 0
    assert contract in broken, done.stdout
