"""What an unsuccessful answer means: one class for each, and how long to wait (design 5.2, contract 3)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.aims.failures import failure_of, needs_new_token, retry_after
from electis_cli.domain import errors

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (400, "NO_UNREGISTERED_GATEWAY_FOUND", errors.AimsRejected),
        (401, "", errors.AimsLoginRefused),
        (401, "Unauthorized: TOKEN_EXPIRED", errors.AimsLoginRefused),
        (402, "", errors.AimsCompanyRefused),
        (403, "LICENSE_EXPIRED", errors.AimsCompanyRefused),
        (403, "COMPANY_NOT_FOUND", errors.AimsCompanyRefused),
        (403, "TOKEN_EXPIRED", errors.AimsLoginRefused),
        (403, "label not in WHITELIST", errors.AimsRejected),
        (405, "ARTICLE_ID_NOT_FOUND", errors.AimsRejected),
        (409, "", errors.AimsRejected),
        (429, "", errors.AimsThrottled),
        (500, "Internal Server Error", errors.AimsAmbiguous),
        (502, "", errors.AimsAmbiguous),
        (503, "", errors.AimsAmbiguous),
        (504, "", errors.AimsAmbiguous),
        (599, "", errors.AimsAmbiguous),
    ],
)
def test_every_status_has_its_class(status, word, kind):
    error = failure_of(status, word, {}, now=NOW)
    assert type(error) is kind
    assert str(status) in error.why
    assert word in error.why


@pytest.mark.parametrize(
    "word", ["label is not in the whiteList", "NOT_IN_WHITELIST", "Not on the White List"]
)
def test_a_whitelist_is_recognized_in_any_casing_and_explained(word):
    error = failure_of(405, word, {}, now=NOW)
    assert error.why == f"AIMS answered 405: {word}. The store has a whitelist, and this label is not on it."
    assert error.fix == "electis aims whitelist add LABEL"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_rejection_of_what_was_sent(status):
    assert not isinstance(failure_of(status, "", {}, now=NOW), errors.AimsRefused)


def test_a_request_timeout_of_the_gateway_is_no_rejection_of_what_was_sent():
    assert not isinstance(failure_of(408, "", {}, now=NOW), errors.AimsRefused)


@given(st.integers(300, 599), st.text(max_size=400))
def test_no_answer_is_without_a_class_or_endless(status, word):
    error = failure_of(status, word, {}, now=NOW)
    assert isinstance(error, (errors.Unreachable, errors.AimsRefused, errors.Throttled))
    assert len(error.why) < 300


def test_a_throttled_call_says_how_long_to_wait():
    error = failure_of(429, "", {"retry-after": "7"}, now=NOW)
    assert error.details["retry_after"] == 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 5.0),
        ("7", 7.0),
        ("2.5", 2.5),
        ("0", 0.5),
        ("-30", 0.5),
        ("999999999", 3600.0),
        ("inf", 3600.0),
        ("-inf", 0.5),
        ("nan", 5.0),
        ("NaN", 5.0),
        ("", 5.0),
        ("soon", 5.0),
        ("7 seconds", 5.0),
        ("Mon, 23 Nov 2026 06:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 08:00:30 +0200", 30.0),
        ("Monday, 23-Nov-26 06:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 05:00:00 GMT", 0.5),
        ("Wed, 23 Nov 2099 05:00:00 GMT", 3600.0),
        ("Mon, 99 Nov 2026 05:00:00 GMT", 5.0),
    ],
)
def test_a_wish_to_wait_is_read_in_every_form_and_kept_in_bounds(value, seconds):
    assert retry_after(value, now=NOW) == seconds


HEADER = st.text(st.characters(codec="latin-1"), max_size=40) | st.builds(
    "Mon, {} Nov {} 05:00:00 {}".format,
    st.integers(0, 99),
    st.integers(0, 99999),
    st.sampled_from(["GMT", "+9999", "-2400", "+99999999999999999999"]),
)


@given(HEADER)
def test_no_header_makes_the_wait_crash_or_last_for_ever(value):
    assert 0.5 <= retry_after(value, now=NOW) <= 3600


@pytest.mark.parametrize(
    ("status", "word", "helps"),
    [
        (401, "", True),
        (401, "LICENSE_EXPIRED", True),
        (403, "", True),
        (403, "TOKEN_IS_INVALID", True),
        (403, "Unauthorized: token_expired", True),
        (403, "LICENSE_EXPIRED", False),
        (403, "COMPANY_NOT_FOUND", False),
        (405, "TOKEN_EXPIRED", False),
        (500, "", False),
    ],
)
def test_a_new_token_is_fetched_only_where_it_may_help(status, word, helps):
    assert needs_new_token(status, word) is helps
