"""From a row to an article (design section 4)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.articles import (
    ABSENT,
    affected_by_person,
    affected_by_spaces,
    check_external_id,
    clean_text,
    content_hash,
    content_of,
    content_of_article,
    content_of_space,
    fold_own_fields,
    merge_data,
    render_room,
    render_space,
    room_external_id,
    undo_quoting,
)
from electis_cli.domain.conference import Room
from electis_cli.domain.errors import InvalidInput, UnknownColumn
from electis_cli.domain.organizations import ArticleFormat, ColumnMapping, MeetingColumns, propose_mapping
from electis_cli.domain.people import Person
from electis_cli.domain.spaces import Space
from tests.world.organizations import FORMAT

SMALL = ArticleFormat(
    columns=("STORE_ID", "ARTICLE_ID", "ITEM_NAME", "NFC_URL", "TITLE"),
    store_column="STORE_ID",
    id_column="ARTICLE_ID",
    name_column="ITEM_NAME",
    nfc_column="NFC_URL",
)
SETTABLE = [column for column in FORMAT.content_columns if column != FORMAT.id_column]
values = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30)
rows = st.dictionaries(st.sampled_from(SETTABLE), values)


def space(**data):
    return Space(id="s", store_id="st", external_id="4-117", data=data)


def person(space_id="4-117", **data):
    return Person(id="p", store_id="st", external_id="00007", data=data, assigned_space=space_id)


def rendered(space, person, article_format, mapping):
    return render_space(
        space.external_id, space.data, person.data if person else None, article_format, mapping
    )


def test_the_example_of_the_design():
    article = rendered(space(), person(ITEM_NAME="Dana Levi"), SMALL, ColumnMapping())

    assert {
        "articleId": article.article_id,
        "articleName": article.name,
        "nfcUrl": article.nfc_url,
        "data": dict(article.data),
    } == {
        "articleId": "4-117",
        "articleName": "Dana Levi",
        "nfcUrl": "",
        "data": {"ARTICLE_ID": "4-117", "ITEM_NAME": "Dana Levi", "NFC_URL": "", "TITLE": ""},
    }


@given(rows, st.none() | rows, rows)
def test_a_space_is_compared_by_what_its_article_would_be(own, theirs, defaults):
    mapping = ColumnMapping(defaults=defaults)
    occupant = None if theirs is None else person(**theirs)
    article = rendered(space(**own), occupant, FORMAT, mapping)

    assert content_of_space("4-117", own, theirs, FORMAT, mapping) == content_of_article(article)


def test_a_space_is_compared_by_its_own_id_and_no_private_or_unknown_column():
    kept = {"ARTICLE_ID": "other", "_badge": "7", "GONE": "x", "TITLE": " Desk "}

    content = content_of_space("4-117", kept, None, SMALL, ColumnMapping())

    assert content == {"ARTICLE_ID": "4-117", "TITLE": "Desk"}


def test_a_free_space_without_a_name_has_an_empty_name_and_never_its_id():
    article = rendered(space(TITLE="Desk"), None, SMALL, ColumnMapping(defaults={"ITEM_NAME": "Nobody"}))

    assert article.name == ""
    assert article.data["ITEM_NAME"] == ""
    assert article.data["TITLE"] == "Desk"


def test_a_person_is_put_over_the_space_and_the_space_over_the_defaults():
    mapping = ColumnMapping(defaults={"TITLE": "default", "ITEM_NAME": "default", "NFC_URL": "default"})

    article = rendered(
        space(TITLE="space", ITEM_NAME="space"), person(ITEM_NAME="person", _badge="7"), SMALL, mapping
    )

    assert (article.data["NFC_URL"], article.data["TITLE"], article.data["ITEM_NAME"]) == (
        "default",
        "space",
        "person",
    )
    assert "_badge" not in article.data


@given(rows, rows, st.booleans())
def test_an_article_has_every_column_but_the_store_and_its_id_is_forced(of_space, of_person, occupied):
    occupant = person(**merge_data({}, of_person, FORMAT)) if occupied else None
    article = rendered(space(**merge_data({}, of_space, FORMAT)), occupant, FORMAT, ColumnMapping())

    assert set(article.data) == set(FORMAT.columns) - {"STORE_ID"}
    assert article.data["ARTICLE_ID"] == article.article_id == "4-117"
    assert article.name == article.data["ITEM_NAME"]
    assert article.nfc_url == article.data["NFC_URL"]
    assert all(value == clean_text(value) for value in article.data.values())


@given(rows)
def test_clearing_every_column_gives_the_article_of_an_empty_space(data):
    cleared = merge_data(merge_data({}, data, FORMAT), dict.fromkeys(data, ""), FORMAT)

    assert cleared == {}
    empty = rendered(space(), None, FORMAT, ColumnMapping())
    assert rendered(space(**cleared), None, FORMAT, ColumnMapping()) == empty


@given(rows, rows)
def test_merging_twice_is_merging_once_and_never_keeps_an_empty_value(before, changes):
    once = merge_data(merge_data({}, before, FORMAT), changes, FORMAT)

    assert merge_data(once, changes, FORMAT) == once
    assert all(once.values())
    assert set(once) <= {*before, *changes}


@given(rows)
def test_what_an_article_is_compared_by_leaves_out_empty_columns(data):
    stored = merge_data({}, data, FORMAT)
    content = content_of_article(rendered(space(**stored), None, FORMAT, ColumnMapping()))

    assert content == {**stored, "ARTICLE_ID": "4-117"}
    assert fold_own_fields(content, FORMAT) == content
    assert content_hash({**content, "NEW": ""}) == content_hash(content) != ABSENT


@pytest.mark.parametrize(
    ("given_value", "stored"),
    [
        (None, ""),
        ("  a  ", "a"),
        (0, "0"),
        (False, "false"),
        ("e\u0301", "é"),
        ("\u00a0x\u2003", "x"),
        (12.5, "12.5"),
    ],
)
def test_values_become_trimmed_normalized_text(given_value, stored):
    assert clean_text(given_value) == stored


@given(st.text())
def test_cleaning_is_done_once(text):
    cleaned = clean_text(text)

    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize("column", ["COLOR", "item_name", "STORE_ID", "ARTICLE_ID", ""])
def test_columns_that_can_not_be_set_are_refused(column):
    with pytest.raises(InvalidInput):
        merge_data({}, {column: "x"}, FORMAT)


def test_an_unknown_column_is_named_with_those_that_exist():
    with pytest.raises(UnknownColumn) as caught:
        merge_data({}, {"COLOR": "red"}, SMALL)

    assert "'COLOR'" in caught.value.message
    assert "TITLE" in caught.value.why


def test_without_a_format_and_for_private_keys_every_column_is_accepted():
    assert merge_data({}, {"COLOR": "red"}, None) == {"COLOR": "red"}
    assert merge_data({}, {"_badge": "7"}, SMALL) == {"_badge": "7"}


@pytest.mark.parametrize("value", ["a\x07b", "a\x00", "\x1b[31m"])
def test_control_characters_are_refused(value):
    with pytest.raises(InvalidInput):
        merge_data({}, {"TITLE": value}, FORMAT)


def test_an_nfc_url_has_the_length_aims_takes():
    assert merge_data({}, {"NFC_URL": "u" * 254}, FORMAT)
    with pytest.raises(InvalidInput):
        merge_data({}, {"NFC_URL": "u" * 255}, FORMAT)


@pytest.mark.parametrize("identifier", ["", "   ", "a,b", "x" * 51, "a\nb", "a\x00"])
def test_ids_that_can_not_be_article_ids_are_refused(identifier):
    with pytest.raises(InvalidInput):
        check_external_id(identifier, noun="space")


@pytest.mark.parametrize(("given_id", "stored"), [(" 4-117 ", "4-117"), ("007", "007"), ("חדר 1", "חדר 1")])
def test_ids_are_stored_trimmed_with_their_leading_zeros(given_id, stored):
    assert check_external_id(given_id, noun="space") == stored


def test_a_room_shows_its_meeting_only_while_it_has_one():
    mapping = propose_mapping(FORMAT)
    room = Room(
        id="r",
        store_id="st",
        external_id="3",
        room_name="Galileo",
        has_meeting=True,
        meeting_name="Planning",
        start_time="09:00",
        end_time="10:00",
        participants=("Dana", "Noa"),
    )
    busy = render_room(room, "C", FORMAT, mapping)
    free = render_room(
        Room(id="r", store_id="st", external_id="3", room_name="Galileo"), "C", FORMAT, mapping
    )

    assert busy.article_id == free.article_id == free.data["ARTICLE_ID"] == "C3"
    assert busy.name == free.name == "Galileo"
    shown = [busy.data[column] for column in ("MEETING_NAME", "MEETING_TIME", "PARTICIPANTS")]
    assert shown == ["Planning", "09:00 - 10:00", "Dana, Noa"]
    assert not any(free.data[column] for column in ("MEETING_NAME", "MEETING_TIME", "PARTICIPANTS"))


def test_a_format_without_meeting_columns_still_renders_a_room():
    room = Room(
        id="r", store_id="st", external_id="3", room_name="Galileo", has_meeting=True, meeting_name="x"
    )

    article = render_room(room, "C", SMALL, propose_mapping(SMALL))

    assert propose_mapping(SMALL).meeting == MeetingColumns()
    assert article.data == {"ARTICLE_ID": "C3", "ITEM_NAME": "Galileo", "NFC_URL": "", "TITLE": ""}


@pytest.mark.parametrize(
    ("given_id", "stored"), [("C3", "3"), ("3", "3"), ("C", "C"), ("CC3", "C3"), ("c3", "c3")]
)
def test_a_room_id_given_with_the_prefix_loses_it(given_id, stored):
    assert room_external_id(given_id, "C") == stored


def test_a_person_touches_the_spaces_they_sat_and_sit_in():
    assert affected_by_person(person("4-1"), person("4-2")) == {"4-1", "4-2"}
    assert affected_by_person(None, person("4-2")) == {"4-2"}
    assert affected_by_person(person("4-1"), None) == {"4-1"}
    assert affected_by_person(person("4-1"), person("4-1")) == set()
    assert affected_by_person(person("4-1"), person("4-1", TITLE="x")) == {"4-1"}
    assert affected_by_person(person(None), person(None, TITLE="x")) == set()


def test_a_space_touches_its_own_article_when_its_data_change():
    assert affected_by_spaces([(None, space()), (space(), None)]) == {"4-117"}
    assert affected_by_spaces([(space(), space())]) == set()
    assert affected_by_spaces([(space(), space(TITLE="x"))]) == {"4-117"}


@pytest.mark.parametrize(
    ("column", "own"),
    [('"Dana"', "Dana"), ('"The ""blue"" room"', 'The "blue" room'), ('""', ""), ("Dana", "Dana")],
)
def test_quotes_around_a_column_are_no_edit_of_aims_own_field(column, own):
    """AIMS quotes the columns it loaded from a file (Q16), and its own name of the article never."""
    content = content_of(own, "", {"ITEM_NAME": column}, SMALL)
    assert "articleName" not in content
    assert undo_quoting(content, {"ITEM_NAME": own}).get("ITEM_NAME", "") == own


@pytest.mark.parametrize(("column", "own"), [("Dana", "Noa"), ('"Dana"', "Noa"), ("Dana", ""), ("", "Noa")])
def test_another_name_beside_the_column_is_seen(column, own):
    assert content_of(own, "", {"ITEM_NAME": column}, SMALL)["articleName"] == own
