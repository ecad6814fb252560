"""The demo: the whole job on this machine, watched by a stranger, and what it leaves for them to go on with."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from electis_cli.commands import demo
from electis_cli.commands.demo_stage import Stage
from tests.flows.shell import ask
from tests.world.command_line import ROOT, Background, until
from tests.world.leaks import WATCH

BUDGET = 120
"""Seconds before a demo is given up: twice the minute it promises, because the machine is shared."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3 * BUDGET),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


def processes_of(folder: Path) -> dict[int, str]:
    """Return the processes that work for a demo's folder, with their command lines."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (place / "environ").read_bytes().split(b"\0")
            if f"ELECTIS_HOME={folder / 'home'}".encode() in environment and not _is_zombie(place):
                found[int(place.name)] = (place / "cmdline").read_text().replace("\0", " ")
    return found


def _is_zombie(place: Path) -> bool:
    return (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for the demo; what still runs in it ends with the test."""
    folder = tmp_path / "demo"
    yield folder
    for pid in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start_demo(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Background]]:
    """Return how to start the demo, with settings in the environment that must not lead it astray."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "ELECTIS_HOME": str(tmp_path / "of the watcher"),
        "ELECTIS_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    }
    started: list[Background] = []

    def start(*options: str) -> Background:
        command = [sys.executable, "-m", "electis_cli", "demo", "--folder", str(folder), *options]
        log = tmp_path / f"demo-{len(started)}.log"
        WATCH.follow(folder / "daemon.log")
        started.append(Background(command, environment=environment, cwd=tmp_path, log=log))
        return started[-1]

    yield start
    for process in started:
        process.close()


def labels_in(text: str) -> list[str]:
    """Return the labels drawn in a text, top to bottom and left to right, each as its lines."""
    drawn = []
    lines = text.splitlines()
    for place, line in enumerate(lines):
        for head in re.finditer(r"┌─ [0-9A-F]{12} ─+┐", line):
            box = []
            for below in lines[place + 1 :]:
                box.append(below[head.start() : head.end()])
                if box[-1].startswith("└"):
                    break
            drawn.append("\n".join(box))
    return drawn


def watch(running: Background) -> str:
    """Wait for the demo's end and return what it showed."""
    assert running.wait(BUDGET) == 0, running.log
    assert "Traceback" not in running.log
    return running.log


def assert_shows_the_job(shown: str) -> None:
    """Before: blank labels. After: people on their desks, and a meeting on page 2."""
    before, after = shown.split("4. The daemon starts", 1)
    blank, filled = labels_in(before), labels_in(after)
    assert len(blank) == 5
    assert all("(blank)" in label and "page" not in label for label in blank)
    assert "Dana Levi" in filled[0]
    assert "4-117" in filled[0]
    assert not any("(blank)" in label for label in filled)
    meeting = filled[-1]
    assert "Design review" in meeting
    assert "14:00 - 15:00" in meeting
    assert " page 2 " in meeting
    assert '"writes": 0' in after
    assert re.search(r"\n +\(\d+\.\d s\)", shown)
    assert re.search(r"\nDone in \d+\.\d s", shown)


def test_the_demo_shows_the_job_cleans_up_and_leaves_commands_that_work(start_demo, folder, make_shell):
    """`electis demo`: shows labels before and after; at the end it prints commands that work on what is left."""
    shown = watch(start_demo())
    assert_shows_the_job(shown)
    assert processes_of(folder) == {}

    printed = [
        line.strip() for line in shown.split("Go on with what is left:", 1)[1].splitlines() if line.strip()
    ]
    typed = [line for line in printed if line.startswith(("export ", "electis "))]
    assert typed == printed
    exports = [line for line in typed if line.startswith("export ")]
    assert any(
        line.startswith("export ELECTIS_HOME=") and str(folder / "home") in line.replace("'", "")
        for line in exports
    )
    shell = make_shell()
    del shell.environment["ELECTIS_HOME"]
    before = "; ".join(line for line in exports if "PATH=" not in line)
    port = int(re.search(r"--port (\d+)", shown.split("Go on with")[1])[1])
    answers = {}
    for line in typed:
        command, is_background, _ = line.partition("&")
        if line in exports:
            continue
        if is_background:
            process = shell.start(command, before=before)
            process.wait_for("daemon:started" if "daemon" in command else "ready at")
        else:
            answers[line] = shell.type(f"{before}; {line}")
    assert len(answers) >= 5
    labels = {
        label["article_id"]: label
        for label in ask(port, "labels?company=ACME&store=001&cluster=common")["labels"]
        if label["article_id"]
    }
    listed = next(answer for line, answer in answers.items() if line.startswith("electis people list"))
    assert "Dana Levi" in listed
    shell.type(f"{before}; electis queue drain")

    def shows(article: str, text: str, page: int) -> bool:
        rows = ask(port, f"labels?company=ACME&store=001&cluster=common&label={labels[article]['label']}")[
            "labels"
        ]
        return rows[0]["name"] == text and rows[0]["page"] == page

    # What the printed commands did is what the labels show: the desk of 00014 is free, the meeting is over.
    until(lambda: shows("1-001", "Free desk", 1), "the free desk on its label")
    until(lambda: shows("C1", "Board room", 1), "the free room on its label")


def test_a_demo_that_is_kept_goes_on_until_the_next_one(start_demo, folder):
    """`--keep` leaves simulator and daemon running; a second run in the same folder stops them and works too."""
    shown = watch(start_demo("--keep"))
    assert_shows_the_job(shown)
    kept = processes_of(folder)
    assert sorted("daemon" in command for command in kept.values()) == [False, True], kept
    told = shown.rsplit("kill ", 1)[1].split()
    assert sorted(map(int, told)) == sorted(kept)
    port = int(re.search(r"ready at http://127\.0\.0\.1:(\d+)", shown)[1])
    assert ask(port, "health")["status"] == "ok"

    again = watch(start_demo())
    assert_shows_the_job(again)
    assert processes_of(folder) == {}


SLOW_TO_END = """
import pathlib, signal, sys, threading
told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
print("up", flush=True)
told.wait()
threading.Event().wait(0.7)
pathlib.Path(sys.argv[1]).write_text("the old state")
"""


def is_running(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_folder_is_cleared_only_when_what_ran_in_it_has_ended(folder, tmp_path):
    """What was kept is stopped first: its simulator saves its state at its end, but not into the new demo."""
    folder.mkdir()
    old = Background(
        [sys.executable, "-c", SLOW_TO_END, str(folder / "aims.json")],
        environment={"PATH": os.environ["PATH"], "ELECTIS_HOME": str(folder / "home")},
        cwd=tmp_path,
        log=tmp_path / "old.log",
    )
    old.wait_for("up")
    (folder / "electis-demo").write_text(str(old.pid))
    reaper = threading.Thread(target=old.wait)  # as init does for a process whose parent is gone
    reaper.start()
    try:
        demo._set_up(folder)
        # Else it still runs, and will write into the new demo's folder. Its end may wait to be noticed (a zombie).
        assert not is_running(old.pid)
    finally:
        reaper.join()
    assert [file.name for file in folder.iterdir()] == ["electis-demo"]


def test_a_demo_that_is_interrupted_leaves_nothing_running(start_demo, folder):
    """Ctrl-C in the middle: 130, and both processes end in order."""
    running = start_demo()
    running.wait_for("electis daemon run")
    until(lambda: len(processes_of(folder)) >= 2, "simulator and daemon", seconds=BUDGET)
    running.send(signal.SIGINT)
    assert running.wait(BUDGET) == 130, running.log
    assert "Traceback" not in running.log
    assert processes_of(folder) == {}


def test_ctrl_c_in_the_moment_a_command_starts_leaves_no_process(tmp_path, monkeypatch):
    stage = Stage(folder=tmp_path, home=tmp_path / "home", marker=tmp_path / "electis-demo")
    started = []

    class Interrupted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        stage.run("health")

    (process,) = started
    assert process.returncode == -signal.SIGKILL


def test_the_demo_touches_no_folder_that_is_not_its_own(start_demo, folder):
    """A folder that holds something else is refused and left as it is."""
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    running = start_demo()
    assert running.wait(BUDGET) == 16
    assert running.log.startswith("error[E-CONFIG]")
    assert [file.name for file in folder.iterdir()] == ["thesis.txt"]


def test_the_printed_commands_are_quoted_for_the_shell(tmp_path, capsys):
    """A folder with a blank in its name: the lines that are printed still work when they are typed."""
    folder = tmp_path / "my demo"
    stage = Stage(folder=folder, home=folder / "home", marker=folder / "electis-demo")
    demo._farewell(stage, 4711, keep=False, seconds=1.0)
    printed = capsys.readouterr().out
    (export,) = [line for line in printed.splitlines() if "ELECTIS_HOME=" in line]
    assert f"ELECTIS_HOME={folder / 'home'}" in shlex.split(export)
    (simulate,) = [line for line in printed.splitlines() if "aims simulate" in line]
    assert str(folder / "aims.json") in shlex.split(simulate, comments=True)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_demo_is_the_same_command():
    """`electis demo` is behind `make demo`."""
    done = subprocess.run(
        ["make", "--dry-run", "demo", "ARGS=--keep"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.rstrip().endswith("electis demo --keep")
