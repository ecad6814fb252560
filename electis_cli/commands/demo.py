"""`electis demo`: the whole job on this machine, with real processes, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from electis_cli.commands.demo_stage import Stage, examples_folder, show_labels
from electis_cli.commands.output import talk
from electis_cli.commands.tree import Command, new_app
from electis_cli.domain.errors import Misconfigured

app = new_app()

_PATIENCE = 30.0
ADMIN = "admin@acme.example"
SPACES = ("4-117", "1-001", "1-002")
ROOM_ARTICLE = "C1"


@app.command("demo", cls=Command)
def demo(
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where everything is put.")] = Path(
        ".demo"
    ),
    keep: Annotated[bool, typer.Option("--keep", help="Leave simulator and daemon running.")] = False,
) -> None:
    """Import people, spaces and rooms, push them to a simulated AIMS, and show what the labels show."""
    began = time.monotonic()
    stage = _set_up(folder.absolute())
    examples = examples_folder()
    with _running(stage, keep=keep):
        stage.say("1. An AIMS on this machine, and an empty database")
        port = stage.start_simulator()
        password = secrets.token_urlsafe(18)
        stage.run(
            "init", "--org-code", "ACME", "--org-name", "Acme Ltd", "--admin-email", ADMIN,
            "--admin-password-stdin", stdin=password,
        )  # fmt: skip
        stage.run("login", ADMIN, "--password-stdin", "-o", "name", stdin=password)
        stage.run(
            "aims", "configure", "--base-url", f"http://127.0.0.1:{port}", "--company", "ACME",
            "--username", "demo", "--password-stdin", "--fields", "columns,meeting_columns,aims_stores",
            stdin=secrets.token_urlsafe(12),
        )  # fmt: skip
        stage.run("store", "create", "001", "--name", "Main", "--timezone", "Asia/Jerusalem", "-o", "name")

        stage.say("2. The spreadsheets go in, whole or not at all")
        for noun, file in (("space", "spaces"), ("people", "people"), ("conference", "conference-rooms")):
            stage.run(
                noun,
                "import",
                str(examples / f"{file}.csv"),
                "--store",
                "001",
                "--fields",
                "created,updated,rejected",
                shown=f"examples/{file}.csv",
            )

        stage.say("3. Labels are linked; nothing has been pushed yet, so they are blank")
        newcomer, free_space = stage.unseated_person(), stage.free_space()
        articles = (*SPACES, free_space, ROOM_ARTICLE)
        codes = stage.label_codes("001", len(articles))
        for code, article in zip(codes, articles, strict=True):
            stage.run("label", "link", code, article, "--fields", "label_code,article,status", "-o", "csv")
        show_labels(stage.labels("001", codes))
        stage.run("queue", "status")

        stage.say("4. The daemon starts and pushes everything")
        stage.start_daemon()
        stage.run("queue", "drain", "--fields", "empty")
        stage.run("queue", "status")
        stage.wait_for_labels("001", codes)
        show_labels(stage.labels("001", codes))

        stage.say("5. Somebody is seated, a meeting starts")
        stage.run("people", "assign", newcomer, free_space, "--fields", "external_id,space,status")
        stage.run(
            "conference", "toggle", "1", "--meeting-name", "Design review", "--start", "14:00", "--end", "15:00",
            "--participants", "Dana Levi; Noa Yosef",
            "--fields", "article_id,meeting_name,start_time,end_time,status",
        )  # fmt: skip
        stage.run("queue", "drain", "--fields", "empty")
        stage.wait_for_labels("001", codes[-2:])
        show_labels(stage.labels("001", codes[-2:]))

        stage.say("6. A full sync compares every article with AIMS and finds nothing to do")
        result = stage.run("sync", "full", "-o", "json", "--fields", "state,counts,writes")
        if '"writes": 0' not in result:
            raise Misconfigured("The full sync found something to do; the demo should not have.", why=result)
        stage.run("queue", "status")
    _farewell(stage, port, keep=keep, seconds=time.monotonic() - began)


def _set_up(folder: Path) -> Stage:
    """Prepare an empty folder; a demo left running there is stopped first."""
    marker = folder / "electis-demo"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise Misconfigured(
            f"The folder {folder} holds something that is no demo.", fix="electis demo --folder OTHER"
        )
    if marker.exists():
        for line in marker.read_text(encoding="ascii").split():
            _end(int(line), folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.touch()
    return Stage(folder=folder, home=folder / "home", marker=marker)


def _end(process_id: int, folder: Path) -> None:
    """End a process of an earlier demo, and wait: it saves its state into the folder while it ends."""
    deadline = time.monotonic() + _PATIENCE
    while _is_ours(process_id, folder):
        last_word = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process_id, last_word)
        time.sleep(0.1)


def _is_ours(process_id: int, folder: Path) -> bool:
    """Tell whether a remembered process is still that of this folder; numbers are used again."""
    with contextlib.suppress(OSError):
        return str(folder).encode() in Path(f"/proc/{process_id}/environ").read_bytes()
    return False


@contextlib.contextmanager
def _running(stage: Stage, *, keep: bool) -> Iterator[None]:
    try:
        yield
    except BaseException:
        stage.stop()
        raise
    if keep:
        stage.remember()
    else:
        stage.stop()


def _farewell(stage: Stage, port: int, *, keep: bool, seconds: float) -> None:
    stage.say(f"Done in {seconds:.1f} s")
    lines = [f"export ELECTIS_HOME={shlex.quote(str(stage.home))}"]
    if shutil.which("electis") is None:
        lines.insert(0, f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
    if not keep:
        lines += [
            f"electis aims simulate --port {port} --state {shlex.quote(str(stage.state_file))} &  # the same AIMS",
            "electis daemon run &                      # pushes within a second",
        ]
    lines += [
        "electis people list --limit 5",
        "electis people unassign 00014             # then look at the queue",
        "electis queue drain",
        "electis conference toggle 1 --off",
        "electis space show 4-117 -o json",
        "electis sync history",
    ]
    print("Go on with what is left:\n")
    for line in lines:
        print(f"  {line}")
    if keep:
        talk(f"\nSimulator and daemon go on running; stop them with: kill {' '.join(stage.process_ids)}")
