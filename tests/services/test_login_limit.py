"""Flow 1.1: how often a password may be guessed, counted in the database or in Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis

from electis_cli.adapters.access_tokens import hash_token
from electis_cli.adapters.redis import SharedCounter
from electis_cli.domain.errors import LoginThrottled, Misconfigured, Unreachable, WrongCredentials
from electis_cli.services import auth, users
from electis_cli.services.login_limit import MOST_ATTEMPTS, WINDOW, take_attempt
from tests.world.planted import PASSWORD

EMAIL = "admin@acme.example"


def fail(runtime, times=MOST_ATTEMPTS):
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            auth.log_in(runtime, EMAIL, "wrong password 1")


@pytest.fixture
def shared(runtime, make_runtime, valkey_server):
    """A runtime whose attempts are counted in Valkey."""
    return make_runtime(runtime.database, login_counter=SharedCounter(valkey_server.url))


def test_after_ten_failures_the_time_to_wait_is_told_and_runs_out_with_the_clock(scope, runtime, clock):
    """Flow 1.1, blocked: the right password does not help either, until the time is over."""
    fail(runtime)
    clock.advance(60)

    with pytest.raises(LoginThrottled) as caught:
        auth.log_in(runtime, EMAIL, PASSWORD)

    assert caught.value.details["wait_seconds"] == WINDOW.total_seconds() - 60 + 1
    assert "841 seconds" in caught.value.why
    clock.advance(WINDOW.total_seconds() - 60)
    assert auth.log_in(runtime, EMAIL, PASSWORD)


def test_the_right_password_starts_the_count_again(scope, runtime):
    fail(runtime, MOST_ATTEMPTS - 1)
    auth.log_in(runtime, EMAIL, PASSWORD)

    fail(runtime, MOST_ATTEMPTS - 1)

    assert auth.log_in(runtime, EMAIL, PASSWORD)


def test_failures_of_long_ago_do_not_count(scope, runtime, clock):
    fail(runtime, MOST_ATTEMPTS - 1)
    clock.advance(WINDOW.total_seconds() + 1)

    fail(runtime, MOST_ATTEMPTS - 1)

    assert auth.log_in(runtime, EMAIL, PASSWORD)


def test_one_address_does_not_block_another(scope, bench, runtime):
    stranger = bench.organization("OTHER")
    fail(runtime)

    assert auth.log_in(runtime, stranger.actor.email, PASSWORD)


def test_guesses_at_once_all_count(scope, runtime, make_runtime, open_database):
    """Every attempt is counted before its password is checked, so that none slips through beside another."""
    runtimes = [make_runtime(open_database()) for _ in range(4)]
    barrier = Barrier(len(runtimes))

    def guess(one):
        barrier.wait()
        allowed = 0
        for _ in range(5):
            try:
                take_attempt(one, EMAIL)
                allowed += 1
            except LoginThrottled:
                pass
        return allowed

    with ThreadPoolExecutor(len(runtimes)) as pool:
        assert sum(pool.map(guess, runtimes)) == MOST_ATTEMPTS


def test_a_wrong_old_password_counts_as_a_guess(scope, runtime):
    user = auth.log_in(runtime, EMAIL, PASSWORD).user
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(WrongCredentials):
            auth.change_password(runtime, user, "wrong password 1", "better battery 10")

    with pytest.raises(LoginThrottled):
        auth.change_password(runtime, user, PASSWORD, "better battery 10")


def test_an_admin_unlocks(scope, bench, runtime):
    fail(runtime)

    users.unlock_user(scope, EMAIL)

    assert auth.log_in(runtime, EMAIL, PASSWORD)


def test_with_redis_the_count_is_shared_and_expires_there(scope, shared, runtime, valkey_server):
    fail(shared, MOST_ATTEMPTS)

    with pytest.raises(LoginThrottled) as caught:
        auth.log_in(shared, EMAIL, PASSWORD)

    assert WINDOW.total_seconds() - 30 < caught.value.details["wait_seconds"] <= WINDOW.total_seconds() + 1
    with redis.Redis.from_url(valkey_server.url) as client:
        [key] = client.keys("electis:login:*")
        assert key == f"electis:login:{{{hash_token(EMAIL)}}}:blocked".encode()
        assert client.pttl(key) > 0
        client.delete(key)  # as when its time is over
    assert auth.log_in(shared, EMAIL, PASSWORD)


def test_with_redis_counts_expire_and_the_right_password_or_an_admin_clears_them(
    scope, shared, runtime, valkey_server
):
    fail(shared, MOST_ATTEMPTS - 1)
    with redis.Redis.from_url(valkey_server.url) as client:
        [key] = client.keys("electis:login:*")
        assert 0 < client.pttl(key) <= WINDOW.total_seconds() * 1000
        auth.log_in(shared, EMAIL, PASSWORD)
        assert client.keys("*") == []
        fail(shared)
        users.unlock_user(type(scope)(runtime=shared, actor=scope.actor, org_id=scope.org_id), EMAIL)
        assert client.keys("*") == []


def test_without_an_answer_from_redis_the_database_counts(scope, shared, valkey_server):
    """Nobody is locked out, and nobody gets through: after ten failures the wait begins just the same."""
    valkey_server.kill()

    assert auth.log_in(shared, EMAIL, PASSWORD)
    fail(shared)

    with pytest.raises(LoginThrottled):
        auth.log_in(shared, EMAIL, PASSWORD)


def test_a_redis_url_that_is_none_is_told_and_locks_nobody_out(scope, runtime, make_runtime):
    counter = SharedCounter("nonsense")
    with pytest.raises(Misconfigured):
        counter.take("x", most=10, window=WINDOW)

    assert auth.log_in(make_runtime(runtime.database, login_counter=counter), EMAIL, PASSWORD)


def test_a_redis_url_with_a_password_is_not_told(scope):
    with pytest.raises(Unreachable) as caught:
        SharedCounter("redis://:sesame@127.0.0.1:1/0").forget("x")

    assert "sesame" not in f"{caught.value.message} {caught.value.why} {caught.value.fix}"
