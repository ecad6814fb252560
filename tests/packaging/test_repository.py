"""The repository itself: what every clone must be able to rely on."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

# In pieces, because this file is searched too.
MACHINE_FOLDERS = ("work", "root", "home", "Users")
MACHINE_PATH = re.compile(r"(?<![\w.~*}/-])/(?:" + "|".join(MACHINE_FOLDERS) + r")/\w")
REGISTRY = re.compile("py" + r"pi\.org|python" + r"hosted\.org|index-" + r"url\b|find-" + r"links\b")
# The options of `make lock` that keep addresses out of the locks.
ALLOWED = ("--no-emit-",)


def repository_files() -> list[Path]:
    """Every text file that is committed, or would be."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git clone")
    # A clone made by another user is still the one under test.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_there_are_lock_files() -> None:
    assert {lock.stem for lock in LOCKS} == {"runtime", "test", "check", "build", "bench", "lock"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_locks_name_versions_and_hashes_and_nothing_else(lock: Path) -> None:
    pinned = 0
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.lstrip().startswith("#"):
            assert "://" not in entry
            continue
        assert re.fullmatch(r"[a-z0-9-]+==\S+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", entry), entry[
            :80
        ]
        pinned += 1
    assert pinned


def test_locks_agree_with_each_other() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    declared = [*project["project"]["dependencies"], *(name for extra in extras for name in extra)]
    groups = project["dependency-groups"]
    for lock, wanted in {
        "runtime": declared,
        "test": [*declared, *groups["test"]],
        "check": [*declared, *groups["test"], *groups["check"]],
    }.items():
        text = (ROOT / "requirements" / f"{lock}.txt").read_text()
        names = {re.split(r"[\[<>=!~ ;]", requirement)[0].lower() for requirement in wanted}
        assert names <= set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in repository_files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(lines, 1)
            if (MACHINE_PATH.search(line) or REGISTRY.search(line))
            and not any(word in line for word in ALLOWED)
        ]
    assert found == []


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = dict(re.findall(r"^make ([a-z-]+) +(\S.*)$", shown, re.MULTILINE))
    assert set(listed) == targets
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == targets


def test_make_alone_shows_the_help() -> None:
    alone = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert alone.startswith("make help ")


def test_caches_and_environments_stay_out_of_git() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {".venv/", ".cache/", ".demo/"} <= set(ignored)
