"""The token that processes share: one login for all of them, sealed in a file, never more than a convenience (Q26)."""

from __future__ import annotations

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.adapters.sealing import Sealer
from electis_cli.adapters.token_file import TokenFile
from electis_cli.aims.tokens import Token, TokenKeeper, TokenShelf, token_from_text, token_to_text
from tests.world.databases import FakeClock

ACCOUNT = ("org-1", "https://eu.common.solumesl.com/common", "support")
KEY = Sealer(bytes(range(32)))


class Source:
    """Hands out numbered tokens of 100 seconds, and remembers with which token it was asked."""

    def __init__(self, clock):
        self.clock = clock
        self.asked = []

    def __call__(self, old):
        self.asked.append(old and old.access)
        now, number = self.clock(), len(self.asked)
        return Token(
            access=f"secret-{number}", refresh="r", renew_at=now + timedelta(seconds=100), fetched_at=now
        )


@pytest.fixture
def token_file(tmp_path):
    """Return how to open the account's file as one more process does."""

    def make(password="sealed-1", sealer=KEY, **changes):
        options = {"account": ACCOUNT, "sealed_password": password, "sealer": sealer, "patience": 0.0}
        return TokenFile(tmp_path / "state", **{**options, "pause": lambda _: None, **changes})

    return make


@pytest.fixture
def source(clock):
    return Source(clock)


@pytest.fixture
def keeper(token_file, source, clock):
    """Return how to make the keeper of one more process."""
    return lambda **changes: TokenKeeper(source, clock, TokenShelf(token_file(**changes)))


def files(tmp_path):
    return sorted(path for path in (tmp_path / "state").iterdir() if path.suffix != ".lock")


def test_the_second_process_takes_the_token_of_the_first(keeper, source):
    assert [keeper().get().access for _ in range(3)] == ["secret-1"] * 3
    assert source.asked == [None]


def test_a_token_that_ended_is_replaced_for_all(keeper, source, clock):
    first, second = keeper(), keeper()
    first.get(), second.get()
    clock.advance(100)
    assert [second.get().access, first.get().access, keeper().get().access] == ["secret-2"] * 3
    assert source.asked == [None, "secret-1"]


def test_a_refused_token_is_replaced_once_and_the_others_find_the_new_one(keeper, source):
    first, second = keeper(), keeper()
    refused = first.get()
    assert second.get().access == refused.access
    assert first.replace(refused).access == "secret-2"
    assert second.replace(refused).access == "secret-2"
    assert keeper().get().access == "secret-2"
    assert source.asked == [None, "secret-1"]


def test_an_older_token_in_the_file_does_not_replace_a_refused_one(keeper, source, token_file, clock):
    keeper().get()
    stale = token_file().read()
    mine = keeper()
    newer = mine.replace(mine.get())
    clock.advance(1)
    newest = mine.replace(newer)
    token_file().write(stale)  # as a process that was stopped in the middle of it does
    assert mine.replace(newest).access == "secret-4"
    assert len(source.asked) == 4


@pytest.mark.parametrize(
    "changes",
    [{"password": "sealed-2"}, {"account": ("org-2", *ACCOUNT[1:])}, {"sealer": Sealer(bytes(32))}],
    ids=["another password", "another organization", "another master key"],
)
def test_nobody_else_gets_the_token(keeper, source, changes):
    keeper().get()
    assert keeper(**changes).get().access == "secret-2"
    assert source.asked == [None, None]


def test_a_new_password_leaves_no_token_of_the_old_one_behind(keeper, tmp_path):
    keeper().get()
    old = files(tmp_path)
    keeper(password="sealed-2").get()
    assert len(files(tmp_path)) == 1
    assert files(tmp_path) != old


def test_the_file_is_its_owners_and_tells_nothing(keeper, tmp_path):
    keeper().get()
    (path,) = files(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    for file in (tmp_path / "state").iterdir():
        assert b"secret" not in file.read_bytes()
        assert "support" not in file.name


@pytest.mark.parametrize("content", [b"", b"v1.", b"\xff\xfe", b"v1." + b"A" * 100, b"{}", b"x" * 100_000])
def test_a_damaged_file_is_no_token(keeper, source, tmp_path, content):
    keeper().get()
    (path,) = files(tmp_path)
    path.write_bytes(content)
    assert keeper().get().access == "secret-2"
    assert keeper().get().access == "secret-2", "the damaged one was replaced"


def test_a_token_of_another_place_is_not_taken(keeper, token_file, tmp_path):
    keeper().get()
    (path,) = files(tmp_path)
    sealed = path.read_bytes()
    other = token_file(account=("org-2", *ACCOUNT[1:]))
    other.write("x")
    (theirs,) = [file for file in files(tmp_path) if file != path]
    theirs.write_bytes(sealed)
    assert other.read() is None


def test_a_file_that_others_may_read_or_a_link_is_not_trusted(keeper, source, tmp_path):
    keeper().get()
    (path,) = files(tmp_path)
    path.chmod(0o644)
    assert keeper().get().access == "secret-2"
    moved = tmp_path / "elsewhere"
    path.rename(moved)
    path.symlink_to(moved)
    assert keeper().get().access == "secret-3"
    assert not path.is_symlink()


def test_a_folder_that_can_not_be_made_costs_a_login_and_no_more(source, clock, tmp_path):
    (tmp_path / "file").touch()
    shared = TokenFile(
        tmp_path / "file" / "state", account=ACCOUNT, sealed_password="s", sealer=KEY, patience=0.0
    )
    assert TokenKeeper(source, clock, TokenShelf(shared)).get().access == "secret-1"
    assert TokenKeeper(source, clock, TokenShelf(shared)).get().access == "secret-2"


def test_who_waits_for_another_login_too_long_logs_in_without_it(keeper, source, token_file):
    """A process that hangs in its login keeps no other from its work."""
    with token_file().alone():
        assert keeper().get().access == "secret-1"
    assert source.asked == [None]


def test_of_many_processes_one_logs_in(token_file, clock):
    """Each keeper has a file of its own, as each process has; the lock is the kernel's."""
    entered, release = threading.Event(), threading.Event()
    source = Source(clock)

    def slow(old):
        entered.set()
        assert release.wait(10)
        return source(old)

    def wait_a_little(_):
        release.set()
        threading.Event().wait(0.01)

    keepers = [
        TokenKeeper(slow, clock, TokenShelf(token_file(patience=30.0, pause=wait_a_little))) for _ in range(6)
    ]
    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(keepers[0].get)]
        assert entered.wait(10)
        futures += [pool.submit(keeper.get) for keeper in keepers[1:]]
        assert {future.result(20).access for future in futures} == {"secret-1"}
    assert source.asked == [None]


def test_a_login_that_fails_frees_the_lock(token_file, clock, source, tmp_path):
    def fail(_):
        raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        TokenKeeper(fail, clock, TokenShelf(token_file())).get()
    (lock,) = (tmp_path / "state").glob("*.lock")
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


tokens = st.builds(
    Token,
    access=st.text(min_size=1),
    refresh=st.none() | st.text(),
    renew_at=st.integers(-(10**8), 10**6).map(lambda seconds: FakeClock()() + timedelta(seconds=seconds)),
    seconds=st.none() | st.integers(1, 10**6),
    fetched_at=st.none() | st.just(FakeClock()()),
)


@given(tokens)
def test_a_token_comes_back_from_its_text_as_it_was(token):
    assert token_from_text(token_to_text(token), now=FakeClock()()) == token


@given(st.text() | st.sampled_from(["null", "[]", "7", '{"access": ""}', "[" * 5000]))
def test_any_other_text_is_no_token(text):
    assert token_from_text(text, now=FakeClock()()) is None


def test_a_token_that_would_never_end_is_not_believed(clock):
    far = Token(access="a", refresh=None, renew_at=clock() + timedelta(days=31))
    assert token_from_text(token_to_text(far), now=clock()) is None
