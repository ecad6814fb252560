"""Ctrl-C in the moments Python makes difficult: the exit code is 130, whoever started the command."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.world.command_line import ROOT

_SWALLOWED = """
from electis_cli import __main__
from electis_cli.commands import main

def run(arguments):
    try:
        exec("raise KeyboardInterrupt")  # as in the import of a module with dataclasses
    except KeyboardInterrupt:
        return 130

main.run = run
__main__.main()
"""
_WHILE_LOADING = """
import sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from electis_cli.__main__ import main
main()
"""


def run_module(folder, text):
    (folder / "interrupted.py").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "interrupted"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_an_interrupt_inside_an_import_that_was_handled_does_not_kill_the_process_after_all(tmp_path):
    done = run_module(tmp_path, _SWALLOWED)

    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupt_while_modules_are_loaded_is_told_in_one_word(tmp_path):
    done = run_module(tmp_path, _WHILE_LOADING)

    assert (done.returncode, done.stderr) == (130, "interrupted\n")
