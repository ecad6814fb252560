"""The test servers themselves: what the other tests rely on."""

import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, make_url, text

from tests.servers.postgres import EmbeddedPostgres, PostgresServer
from tests.servers.scratch import Scratch
from tests.servers.smtp import SmtpServer
from tests.servers.valkey import ValkeyServer

ROOT = Path(__file__).parent.parent.parent


def connect(url: str) -> psycopg.Connection:
    """Open a connection without SQLAlchemy's pool, which would keep it open."""
    return psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(False), autocommit=True
    )


def test_a_database_is_made_from_a_template_and_dropped(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database()
    with connect(template) as connection:
        connection.execute("CREATE TABLE labels (code text)")
        connection.execute("INSERT INTO labels VALUES ('תווית')")
    copy = postgres_server.create_database(template=template)
    with connect(copy) as connection:
        assert connection.execute("SELECT code FROM labels").fetchall() == [("תווית",)]
    postgres_server.drop_database(copy)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(copy)
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)


def test_open_connections_stop_neither_a_copy_nor_a_drop(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database()
    left_open = connect(template)
    copy = postgres_server.create_database(template=template)
    also_open = connect(copy)
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)
    for connection in (left_open, also_open):
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


def test_urls_work_with_sqlalchemy(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW server_encoding")).scalar() == "UTF8"
    engine.dispose()
    postgres_server.drop_database(url)


def test_committed_rows_survive_kill_and_restart(crash_postgres: EmbeddedPostgres) -> None:
    url = crash_postgres.create_database()
    connection = connect(url)
    assert connection.execute("SHOW fsync").fetchone() == ("on",)
    connection.execute("CREATE TABLE facts (n int)")
    connection.execute("INSERT INTO facts SELECT generate_series(1, 1000)")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO facts VALUES (-1)")
    crash_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    crash_postgres.restart()
    with connect(url) as connection:
        assert connection.execute("SELECT count(*), min(n) FROM facts").fetchone() == (1000, 1)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a server as another user")
def test_root_without_user_namespaces_starts_it_as_nobody() -> None:
    server = EmbeddedPostgres(as_nobody=True)
    try:
        with connect(server.create_database()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.close()


def test_valkey_starts_empty_and_can_die(valkey_server: ValkeyServer) -> None:
    with redis.Redis.from_url(valkey_server.url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
        valkey_server.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("key")
        valkey_server.restart()
        assert client.get("key") is None


def test_mails_arrive_and_can_be_refused(smtp_server: SmtpServer) -> None:
    message = EmailMessage()
    message["Subject"] = "ברוכים הבאים"
    message.set_content("Welcome, שלום\n")
    with smtplib.SMTP("127.0.0.1", smtp_server.port) as client:
        client.send_message(message, "electis@acme.example", ["dana@acme.example"])
        smtp_server.refuse("451 try later")
        with pytest.raises(smtplib.SMTPDataError, match="try later"):
            client.send_message(message, "electis@acme.example", ["dana@acme.example"])
    (mail,) = smtp_server.wait_for(1)
    assert (mail.sender, mail.recipients) == ("electis@acme.example", ("dana@acme.example",))
    assert (mail.subject, mail.text) == ("ברוכים הבאים", "Welcome, שלום\n")


def test_the_mail_server_can_be_down_for_a_while(smtp_server: SmtpServer) -> None:
    port = smtp_server.port
    smtp_server.stop()
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", port)
    smtp_server.start()
    with smtplib.SMTP("127.0.0.1", port) as client:
        assert client.noop()[0] == 250


KILLED_RUN = """
import os, signal
from tests.servers.postgres import EmbeddedPostgres
from tests.servers.valkey import ValkeyServer
postgres, valkey = EmbeddedPostgres(), ValkeyServer()
print(postgres.pid, valkey.pid, postgres.scratch, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_killed_test_run_leaves_nothing_running_and_its_files_are_removed_by_the_next() -> None:
    command = [sys.executable, "-W", "ignore", "-c", KILLED_RUN]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr
    *pids, folder = run.stdout.split()
    eventually(lambda: not any(alive(int(pid)) for pid in pids))
    assert Path(folder).exists()
    Scratch("next").close()
    assert not Path(folder).exists()


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)
