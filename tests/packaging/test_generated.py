"""Files that a program writes and git keeps: they must be what the program writes today.

Run as a program (`make generate`), this writes them.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.command_reference import all_commands, reference

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "docs" / "commands.md"
FAULTS = ROOT / "docs" / "aims-faults.md"
COMPLETIONS = {
    "bash": "electis.bash",
    "zsh": "_electis",
    "fish": "electis.fish",
    "powershell": "electis.ps1",
}


def completion(shell: str) -> bytes:
    """What `electis completion SHELL` prints, whatever terminal or shell this runs in."""
    electis = Path(sys.executable).with_name("electis")
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": os.devnull}
    done = subprocess.run(
        [str(electis), "completion", shell], env=env, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def faults() -> str:
    """What the tests of the faults say about each of them."""
    return str(importlib.import_module("tests.aims.test_fault_classes").rendering())


@pytest.mark.parametrize(("shell", "name"), COMPLETIONS.items(), ids=COMPLETIONS)
def test_the_completion_script_is_up_to_date(shell: str, name: str) -> None:
    assert (ROOT / "completions" / name).read_bytes() == completion(shell), "run `make generate` and commit"


def test_the_command_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run `make generate` and commit"


def test_the_page_about_faults_is_up_to_date() -> None:
    assert FAULTS.read_text(encoding="utf-8") == faults(), "run `make generate` and commit"


def test_every_command_and_option_has_help() -> None:
    silent = [
        " ".join([*path, *param.opts])
        for path, command in all_commands()
        for param in command.params
        if not param.help and not param.hidden
    ]
    assert silent == []
    assert [" ".join(path) for path, command in all_commands() if not command.help] == []


def main() -> None:
    """Write all generated files."""
    REFERENCE.write_text(reference(), encoding="utf-8")
    FAULTS.write_text(faults(), encoding="utf-8")
    for shell, name in COMPLETIONS.items():
        (ROOT / "completions" / name).write_bytes(completion(shell))


if __name__ == "__main__":
    main()
