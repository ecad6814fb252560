"""The commands that README and docs show work as they are typed, end as they say, and say what is shown."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORT_IN_README = "18099"
SITE_ENDS = "electis people unassign 00014\n"
"""The first line of README that a throw-away site for another page does without."""

_FENCE = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
_HEREDOC = re.compile(r"<<-?\s*'?(\w+)'?")
_EXIT = re.compile(r"#.*\bexit (\d+)\s*$")
# What is another one each time: ids, when something was, how long it took and how often it was tried meanwhile.
_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?|\b\d+ ms\b|\b\d+ times\b"
)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a page: the lines it takes, and the exit code that the comment at its first line's end names."""

    text: str
    exit_code: int


def blocks(page: str) -> list[str]:
    """Every block of shell commands of a page."""
    return [text for kind, text in fences(page) if kind == "sh"]


def fences(page: str) -> list[tuple[str, str]]:
    """Every block of shell commands, and of output that follows one, in the order of a page."""
    return _FENCE.findall((ROOT / page).read_text(encoding="utf-8"))


def commands(block: str) -> list[Command]:
    """Every command of a block, with the lines that continue it and its here-document."""
    found, lines, ends = [], [], None
    for line in block.splitlines():
        lines.append(line)
        if ends is None and (opened := _HEREDOC.search(line)):
            ends = opened[1]
        if (ends is not None and line != ends) or line.endswith("\\"):
            continue
        code = _EXIT.search(lines[0])
        if line.strip() and not line.startswith("#"):
            found.append(Command("\n".join(lines), int(code[1]) if code else 0))
        lines, ends = [], None
    assert not lines, f"This does not end: {lines[0]}"
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def script_of(block: str, port: int) -> str:
    """A block as a script that ends at the first command that does not end as it says."""
    lines = []
    for command in commands(block):
        lines += [command.text, f"ended {command.exit_code} $?"]
    typed = "\n".join(lines) + "\n"
    # A person types the next line when the simulator has said that it is ready.
    ready = "until grep -q 'ready at' simulator.log; do read -r -t 0.1 _ <> <(:) || true; done\n"
    typed = re.sub(r"(simulator\.log &[^\n]*\n)", lambda found: found[1] + ready, typed)
    return typed.replace(PORT_IN_README, str(port))


def typed(folder: Path, script: str, *, seconds: int) -> subprocess.CompletedProcess[str]:
    """What a shell says to a script in an empty folder, with `electis` on its path and the examples beside it."""
    programs = folder / "bin"
    programs.mkdir()
    shim = programs / "electis"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m electis_cli "$@"\n')
    shim.chmod(0o755)
    shutil.copytree(ROOT / "examples", folder / "examples")
    file = folder / "typed.sh"
    file.write_text(
        "set -uo pipefail\ntrap 'kill $(jobs -p)' EXIT\nexec 2>&1\n"
        'ended() { [ "$1" = "$2" ] || { echo "line $BASH_LINENO: exit $2 instead of $1"; exit 99; }; }\n'
        + script,
        encoding="utf-8",
    )
    return subprocess.run(
        ["bash", str(file)],
        cwd=folder,
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder / "nowhere"),
            "ELECTIS_HOME": str(folder / "home"),
            "ELECTIS_KEYRING": "false",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",  # data and talk in the order in which a terminal shows them
            "LANG": "C.UTF-8",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


def plain(line: str) -> str:
    """A line without what is another one each time, and with single blanks."""
    return " ".join(_VARYING.sub("X", line.removeprefix("\ufeff")).split())


def missing(shown: str, said: str) -> list[str]:
    """The lines of shown output that were not said, in this order; `...` stands for lines, or for part of one."""
    remaining = iter([plain(line) for line in said.splitlines()])

    def is_said(line: str) -> bool:
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        return any(pattern.fullmatch(other) for other in remaining)

    wanted = [plain(line) for line in shown.splitlines()]
    return [line for line in wanted if line.strip(" .") and not is_said(line)]


def site() -> str:
    """The commands of README that make a site with spaces and people in it."""
    (readme,) = blocks("README.md")
    beginning, found, _ = readme.partition(SITE_ENDS)
    assert found
    return beginning


@pytest.mark.slow
def test_the_commands_of_readme_work_as_typed(tmp_path):
    (readme,) = blocks("README.md")

    done = typed(tmp_path, script_of(readme, free_port()), seconds=110)

    assert done.returncode == 0, done.stdout[-4000:]
    assert '"writes": 0' in done.stdout
    assert '"external_id": "4-117"' in done.stdout


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["docs/aims.md", "docs/bulk.md"])
def test_a_page_works_as_typed_ends_as_it_says_and_says_what_it_shows(name, tmp_path):
    page = fences(name)
    port = free_port()
    script = script_of(site(), port)
    for number, (kind, text) in enumerate(page):
        if kind == "sh":
            script += f"echo '=== {number}'\n" + script_of(text, port)

    done = typed(tmp_path, script, seconds=590)

    assert done.returncode == 0, done.stdout[-4000:]
    heard = done.stdout.replace(str(port), PORT_IN_README)
    said = dict(re.findall(r"^=== (\d+)\n(.*?)(?=^=== |\Z)", heard, re.DOTALL | re.MULTILINE))
    for number, (kind, text) in enumerate(page):
        if kind == "text":
            before = said[str(number - 1)]
            assert missing(text, before) == [], f"More is shown than was said:\n{text}\n--- said:\n{before}"


def test_a_page_that_shows_what_was_not_said_is_found_out():
    said = "created    3\nchangeset  01a22a52-0a96-7658-bf96-454974cb216f\nunchanged  0\n"

    assert missing("created 3\n...\nunchanged 0\n", said) == []
    assert missing("chan...\nunch... 0\n", said) == []
    assert missing("chan...x\n", said) == ["chan...x"]
    assert missing("created 4\n", said) == ["created 4"]
    assert missing("unchanged 0\ncreated 3\n", said) == ["created 3"]


def test_commands_are_told_apart():
    block = "a | b   # exit 3\n# no command\n\ncat > x <<'END'\n# exit 8\nEND\nc \\\n  d\n"

    assert commands(block) == [
        Command("a | b   # exit 3", 3),
        Command("cat > x <<'END'\n# exit 8\nEND", 0),
        Command("c \\\n  d", 0),
    ]
