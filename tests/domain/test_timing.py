"""Times of day and waiting times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.errors import InvalidTime
from electis_cli.domain.timing import (
    BACKOFF_LEAST,
    BACKOFF_LIMIT,
    backoff_delay,
    check_meeting_times,
    iso,
    parse_time_of_day,
)


@pytest.mark.parametrize(
    ("text", "stored"), [("9:05", "09:05"), (" 23:59 ", "23:59"), ("00:00", "00:00"), ("0:00", "00:00")]
)
def test_times_of_day_are_stored_with_two_digits(text, stored):
    assert parse_time_of_day(text) == stored


@pytest.mark.parametrize(
    "text",
    ["25:99", "24:00", "12:60", "12", "", "12:5", "noon", "-1:00", "12:00:00", "9.30", "1200"],
)
def test_what_is_no_time_of_day_is_refused(text):
    with pytest.raises(InvalidTime):
        parse_time_of_day(text)


@given(st.text())
def test_any_text_is_a_time_or_refused(text):
    try:
        stored = parse_time_of_day(text)
    except InvalidTime:
        return
    assert parse_time_of_day(stored) == stored


@pytest.mark.parametrize(
    ("start", "end"), [("09:00", None), (None, "09:00"), ("10:00", "09:00"), ("09:00", "09:00")]
)
def test_meetings_end_after_they_start(start, end):
    with pytest.raises(InvalidTime):
        check_meeting_times(start, end)


def test_meetings_may_have_no_times():
    check_meeting_times(None, None)
    check_meeting_times("09:00", "09:01")


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_waiting_times_stay_within_their_bounds(attempts, fraction):
    assert BACKOFF_LEAST <= backoff_delay(attempts, fraction) <= BACKOFF_LIMIT


def test_waiting_times_grow_by_four():
    delays = [backoff_delay(attempts, 1.0).total_seconds() for attempts in range(6)]

    assert delays == [2, 8, 32, 128, 512, 900]


def test_moments_are_written_in_utc():
    moment = datetime(2026, 11, 23, 8, 0, tzinfo=timezone(timedelta(hours=2)))

    assert iso(moment) == "2026-11-23T06:00:00Z" == iso(moment.astimezone(UTC))
    assert iso(None) is None
