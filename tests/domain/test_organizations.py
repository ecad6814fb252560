"""Organizations' codes and addresses, and the mapping a format suggests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.organizations import (
    ArticleFormat,
    ColumnMapping,
    MeetingColumns,
    check_email,
    check_organization_code,
    check_room_prefix,
    check_store_code,
    check_timezone,
    column_title,
    format_from_stored,
    format_to_stored,
    mapping_from_stored,
    mapping_to_stored,
    propose_mapping,
)


def format_of(*columns, **changes):
    return ArticleFormat(
        columns=("STORE_ID", "ID", *columns), id_column="ID", store_column="STORE_ID", **changes
    )


@pytest.mark.parametrize("code", ["ABC", "A1B", "000", "ABCDEFGHIJ0123456789"])
def test_an_organization_code_is_three_to_twenty_capitals_and_digits(code):
    assert check_organization_code(code) == code


@pytest.mark.parametrize(
    "code", ["", "AB", "ABCDEFGHIJ01234567890", "abc", "A-B", "A B C", "ABC ", "ÄBC", "ABC\n", "١٢٣"]
)
def test_anything_else_is_no_organization_code(code):
    with pytest.raises(InvalidInput, match="organization code"):
        check_organization_code(code)


@pytest.mark.parametrize("code", ["1", "001", "000", "TLV-1", "חנות", "'12", "x" * 50])
def test_a_store_code_is_kept_as_it_is_with_its_zeros(code):
    assert check_store_code(code) == code


@pytest.mark.parametrize("code", ["", " ", "0 1", "1,2", "x" * 51, "001\n", "\t"])
def test_a_store_code_has_no_blanks_and_no_commas(code):
    with pytest.raises(InvalidInput, match="store code"):
        check_store_code(code)


@pytest.mark.parametrize("code", ["MASTER", "master", "Master"])
def test_a_store_named_master_would_be_copied_everywhere_and_is_refused(code):
    with pytest.raises(InvalidInput, match="MASTER"):
        check_store_code(code)


@pytest.mark.parametrize("prefix", ["C", "room-", "A_1", "12345"])
def test_a_room_prefix_is_short_and_plain(prefix):
    assert check_room_prefix(prefix) == prefix


@pytest.mark.parametrize("prefix", ["", "123456", "C ", "C,", "ח", "C\n"])
def test_any_other_room_prefix_is_refused(prefix):
    with pytest.raises(InvalidInput, match="room prefix"):
        check_room_prefix(prefix)


@pytest.mark.parametrize(
    ("given_email", "stored"),
    [("a@b.example", "a@b.example"), ("  Dana.Levi@Example.COM ", "dana.levi@example.com")],
)
def test_an_email_address_is_stored_trimmed_and_without_case(given_email, stored):
    assert check_email(given_email) == stored


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "a@b",
        "@b.example",
        "a@",
        "a b@c.example",
        "a@b@c.example",
        "a@b.x",
        "a@b.example,c@d.example",
    ],
)
def test_what_is_no_email_address_is_refused(email):
    with pytest.raises(InvalidInput, match="email address"):
        check_email(email)


@given(st.text(max_size=30))
def test_checking_an_email_address_twice_is_the_same_as_once(text):
    try:
        stored = check_email(text)
    except InvalidInput:
        return
    assert check_email(stored) == stored
    assert stored.strip() == stored


def test_a_time_zone_must_be_a_known_one():
    assert check_timezone("Asia/Jerusalem", {"Asia/Jerusalem"}) == "Asia/Jerusalem"
    with pytest.raises(InvalidInput, match="time zone"):
        check_timezone("Jerusalem", {"Asia/Jerusalem"})


# --- the proposed mapping -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "meeting"),
    [
        (("MEETING_NAME", "MEETING_TIME", "PARTICIPANTS"), ("MEETING_NAME", "MEETING_TIME", "PARTICIPANTS")),
        (("Meeting Name", "meeting-time", "Participants"), ("Meeting Name", "meeting-time", "Participants")),
        (("Subject", "MEETING HOURS", "Attendees"), ("Subject", "MEETING HOURS", "Attendees")),
        (("MEETING", "MEETING_TITLE"), ("MEETING_TITLE", None, None)),
        (("MEETING_TIME",), (None, "MEETING_TIME", None)),
        (("TITLE", "PHONE"), (None, None, None)),
        (("MEETING_NAME_OLD", "NOT_PARTICIPANTS"), (None, None, None)),
        (("MEETING_NAME", "MeetingName"), ("MEETING_NAME", None, None)),
        ((), (None, None, None)),
    ],
)
def test_meeting_columns_are_recognized_by_their_names(columns, meeting):
    proposed = propose_mapping(format_of(*columns)).meeting
    assert (proposed.name, proposed.time, proposed.participants) == meeting


@given(st.lists(st.text(max_size=12), max_size=8))
def test_a_proposal_names_only_columns_that_the_format_has(columns):
    meeting = propose_mapping(format_of(*columns)).meeting
    named = {meeting.name, meeting.time, meeting.participants} - {None}
    assert named <= set(columns)


def test_aims_fills_the_store_column_itself():
    assert format_of("TITLE").content_columns == ("ID", "TITLE")
    without = ArticleFormat(columns=("ID", "TITLE"), id_column="ID")
    assert without.content_columns == ("ID", "TITLE")


@given(
    columns=st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=6),
    name=st.none() | st.text(max_size=8),
)
def test_a_format_is_read_back_as_it_was_stored(columns, name):
    article_format = format_of(*columns, name_column=name, nfc_column="NFC")
    assert format_from_stored(format_to_stored(article_format)) == article_format


def test_a_mapping_is_read_back_as_it_was_stored():
    mapping = ColumnMapping(
        meeting=MeetingColumns(name="MEETING_NAME", time=None, participants="P"),
        friendly_names={"TITLE": {"he": "תפקיד", "en": "Title"}},
        defaults={"LOGO": "blue"},
    )
    assert mapping_from_stored(mapping_to_stored(mapping)) == mapping


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_stored_mapping_is_an_empty_one(nothing):
    assert mapping_from_stored(nothing) == ColumnMapping()


@pytest.mark.parametrize(
    ("names", "title"),
    [
        ({}, "TITLE"),
        ({"en": "Role"}, "TITLE (Role)"),
        ({"he": "תפקיד", "en": "Role"}, "TITLE (Role, תפקיד)"),
        ({"he": "Role", "en": "Role"}, "TITLE (Role)"),
        ({"en": "TITLE", "he": ""}, "TITLE"),
    ],
)
def test_a_column_is_read_with_what_people_call_it(names, title):
    assert column_title("TITLE", {"PHONE": {"en": "Telephone"}, "TITLE": names}) == title
    assert column_title("EMAIL", {"TITLE": names}) == "EMAIL"
