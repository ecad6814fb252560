"""The wheel: what is in it, and that it works where the repository is not."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "Correct-Horse-41-Battery"


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None, stdin: str = "") -> str:
    """Run a command that must succeed, and return what it printed."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the backend of the lock file and nothing from the network."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (built,) = folder.glob("electis-*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_below(folder: str, suffixes: tuple[str, ...] = (".py",)) -> set[str]:
    """The files below a folder of the repository that matter, as paths from its root."""
    found = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.suffix in suffixes
    }
    assert found, f"{folder} is empty"
    return found


@pytest.mark.parametrize("package", ["electis_cli", "daemon"])
def test_the_wheel_holds_every_module(contents: set[str], package: str) -> None:
    assert files_below(package) <= contents


def test_the_wheel_holds_the_migrations_inside_the_package(contents: set[str]) -> None:
    assert {f"electis_cli/{path}" for path in files_below("migrations", (".py", ".mako"))} <= contents


def test_the_wheel_holds_the_completions_as_shared_data(contents: set[str]) -> None:
    shared = {name.partition(".data/data/")[2] for name in contents if ".data/data/" in name}
    assert shared == {
        "share/bash-completion/completions/electis",
        "share/zsh/site-functions/_electis",
        "share/fish/vendor_completions.d/electis.fish",
        "share/electis/completions/electis.ps1",
    }


def test_the_wheel_holds_nothing_else(contents: set[str]) -> None:
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.startswith("electis-")} == {"electis_cli", "daemon"}
    assert not [name for name in contents if "__pycache__" in name or name.endswith("daemon/daemon.py")]


def test_no_other_distribution_provides_daemon() -> None:
    owners = {
        distribution.name
        for distribution in metadata.distributions()
        for file in distribution.files or ()
        if file.parts[0] in {"daemon", "daemon.py"}
    }
    assert owners <= {"electis"}


def test_electis_init_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", fresh, cwd=tmp_path)
    python = fresh / "bin" / "python"
    run(
        sys.executable, "-m", "pip", "--quiet", "--python", python,
        "install", "--no-deps", "--no-index", "--no-cache-dir", wheel, cwd=tmp_path,
    )  # fmt: skip
    # The dependencies are those of this environment; its link to the repository does not come along, because
    # Python follows such links only in the site-packages folder it started with.
    site = next((fresh / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n"
    )

    home = tmp_path / "home"
    home.mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ELECTIS_HOME": str(tmp_path / "electis"),
        "LC_ALL": "C.UTF-8",
    }
    locate = "import electis_cli, daemon; print(electis_cli.__file__); print(daemon.__file__)"
    for line in run(python, "-c", locate, cwd=tmp_path, env=env).splitlines():
        assert Path(line).is_relative_to(fresh)

    electis = fresh / "bin" / "electis"
    assert metadata.version("electis") in run(electis, "--version", cwd=tmp_path, env=env)
    run(
        electis, "init", "--org-code", "ACME", "--org-name", "Acme",
        "--admin-email", "a@acme.example", "--admin-password-stdin",
        cwd=tmp_path, env=env, stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    assert (tmp_path / "electis" / "data" / "electis.db").stat().st_size > 0
    assert (tmp_path / "electis" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert list(home.iterdir()) == []
