"""The bearer token: fetched once, renewed in time, replaced when refused (contract 2, Q26)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.aims.tokens import Token, TokenKeeper, decode_token
from tests.world.databases import FakeClock

SECRET = "very-secret"


def answer(**changes):
    return {"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", **changes}


def life_of(payload):
    clock = FakeClock()
    return (decode_token(payload, now=clock()).renew_at - clock()).total_seconds()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (3600, 3540), ("3600", 3540), (86400, 86340), (10, 9), ("x", 3540), ("", 3540), (None, 3540),
        (0, 3540), (-5, 0.9), (1, 0.9),
    ],
    ids=repr,
)  # fmt: skip
def test_a_token_is_renewed_a_little_before_the_time_aims_names(said, seconds):
    assert life_of(answer(expires_in=said)) == pytest.approx(seconds)


def test_a_token_without_a_stated_life_lives_an_hour():
    payload = answer()
    del payload["expires_in"]
    assert life_of(payload) == 3540


@given(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just([]) | st.just({})
)
def test_no_stated_life_makes_the_login_crash(said):
    token = decode_token(answer(expires_in=said), now=FakeClock()())
    assert token.renew_at > FakeClock()()


def test_the_nested_answer_of_the_newer_refresh_is_understood():
    token = decode_token({"success": True, "tokens": answer(access_token="b")}, now=FakeClock()())
    assert (token.access, token.refresh) == ("b", "r")


@pytest.mark.parametrize(
    "payload", [None, "Unauthorized", [], {}, {"access_token": ""}, {"access_token": None}, 7]
)
def test_an_answer_without_a_token_is_none(payload):
    assert decode_token(payload, now=FakeClock()()) is None


@pytest.mark.parametrize("refresh", [None, "", 7])
def test_a_login_without_a_refresh_token_is_a_login(refresh):
    assert decode_token(answer(refresh_token=refresh), now=FakeClock()()).refresh is None


def test_a_token_does_not_show_itself():
    token = Token(access=SECRET, refresh=SECRET, renew_at=FakeClock()())
    assert SECRET not in repr(token)
    assert SECRET not in f"{token}"


# --- the keeper -----------------------------------------------------------------------------------------------------


class Source:
    """Hands out numbered tokens and remembers what it was asked with."""

    def __init__(self, clock, seconds=100.0):
        self.clock = clock
        self.seconds = seconds
        self.asked = []

    def __call__(self, old):
        self.asked.append(old)
        number = len(self.asked)
        return Token(
            access=f"t{number}", refresh=f"r{number}", renew_at=self.clock() + timedelta(seconds=self.seconds)
        )


def test_a_token_is_fetched_once_and_kept_for_its_life(clock):
    source = Source(clock)
    keeper = TokenKeeper(source, clock)
    assert keeper.get().access == "t1"
    clock.advance(99)
    assert keeper.get().access == "t1"
    clock.advance(1)
    assert keeper.get().access == "t2"
    assert [old and old.access for old in source.asked] == [None, "t1"]


def test_a_refused_token_is_replaced_once_for_all_who_hold_it(clock):
    source = Source(clock)
    keeper = TokenKeeper(source, clock)
    refused = keeper.get()
    assert keeper.replace(refused).access == "t2"
    assert keeper.replace(refused).access == "t2", "somebody else fetched it already"
    assert len(source.asked) == 2


def test_of_many_threads_one_logs_in_and_the_others_wait(clock):
    entered, release = threading.Event(), threading.Event()
    source = Source(clock)

    def slow(old):
        entered.set()
        assert release.wait(10)
        return source(old)

    keeper = TokenKeeper(slow, clock)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(keeper.get) for _ in range(8)]
        assert entered.wait(10)
        release.set()
        found = {future.result(10).access for future in futures}
    assert found == {"t1"}
    assert len(source.asked) == 1


def test_of_many_threads_with_a_refused_token_one_fetches_a_new_one(clock):
    source = Source(clock)
    keeper = TokenKeeper(source, clock)
    refused = keeper.get()
    with ThreadPoolExecutor(8) as pool:
        found = {token.access for token in pool.map(lambda _: keeper.replace(refused), range(32))}
    assert found == {"t2"}
    assert len(source.asked) == 2


def test_a_failed_fetch_leaves_the_keeper_usable(clock):
    source = Source(clock)
    failing = [OSError("no network")]

    def fetch(old):
        if failing:
            raise failing.pop()
        return source(old)

    keeper = TokenKeeper(fetch, clock)
    with pytest.raises(OSError, match="no network"):
        keeper.get()
    assert keeper.get().access == "t1"
