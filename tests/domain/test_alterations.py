"""What AIMS itself makes of our values: quotes taken off, forms recognized, echoes put back (design 5.3, quirk Q16)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from electis_cli.domain.articles import LEAST_CUT, looks_altered, undo_echo, undo_quoting

# Few letters, so that equal values, prefixes and quoted forms meet often; and everything else.
VALUES = st.text(alphabet="ab \"'1.0", min_size=1, max_size=6) | st.text(min_size=1, max_size=40)
CONTENT = st.dictionaries(st.sampled_from("XYZ"), VALUES)
WORDS = st.text(alphabet="abcdefאבג ", min_size=1, max_size=40).filter(str.strip)


def quoted(content):
    """Return what AIMS shows of a content that it loaded from a file."""
    return {column: '"' + value.replace('"', '""') + '"' for column, value in content.items()}


# --- CSV quotes -----------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(ours=CONTENT)
def test_quotes_that_aims_put_on_come_off(ours):
    assert undo_quoting(quoted(ours), ours) == ours


@settings(deadline=None)
@given(ours=CONTENT, empty=st.sampled_from("XYZ"))
def test_an_empty_value_in_quotes_is_none(ours, empty):
    without = {column: value for column, value in ours.items() if column != empty}
    assert undo_quoting({**without, empty: '""'}, without) == without
    # Also where we say something: AIMS shows nothing there, and a person must not see two quotes.
    assert undo_quoting({empty: '""'}, {empty: "ours"}) == undo_quoting({empty: '""'}) == {}


@settings(deadline=None)
@given(local=CONTENT, base=CONTENT)
@example(local={"X": "a"}, base={"X": '"a"'})
@example(local={"X": '"a"'}, base={"X": "a"})
@example(local={"X": '""'}, base={})
def test_what_equals_one_of_ours_stays_as_it_is(local, base):
    assert undo_quoting(local, local, base) == local
    assert undo_quoting(base, local, base) == base


@settings(deadline=None)
@given(remote=CONTENT, ours=st.lists(st.none() | CONTENT, max_size=2))
def test_only_quotes_around_a_value_of_ours_are_taken_off(remote, ours):
    plain = undo_quoting(remote, *ours)
    assert set(plain) <= set(remote)
    for column, value in remote.items():
        if plain.get(column) != value:
            own = plain.get(column, "")
            assert value == '"' + own.replace('"', '""') + '"'
            assert not own or own in [(content or {}).get(column) for content in ours]


# --- forms ----------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(ours=CONTENT, theirs=CONTENT)
def test_equal_contents_are_not_altered_and_no_text_is_too_strange(ours, theirs):
    assert not looks_altered(ours, ours)
    looks_altered(ours, theirs)  # "sNaN", "1e99999999999", "٣" and the like raise nothing


@pytest.mark.parametrize("value", ["sNaN", "NaN", "-sNaN123", "1e999999999999999999", "Infinity", "٣", "1_0"])
def test_words_that_are_nearly_numbers_are_compared_as_any_other(value):
    assert not looks_altered({"X": value}, {"X": "other"})
    assert not looks_altered({"X": "other"}, {"X": value})
    assert looks_altered({"X": value}, {"X": f" {value} "})


@settings(deadline=None)
@given(words=st.lists(WORDS, min_size=2, max_size=4), data=st.data())
def test_other_blanks_and_quotes_are_aims_hand(words, data):
    blanks = st.sampled_from([" ", "  ", "\t", "\u00a0", "\n"])
    one = "".join(word + data.draw(blanks) for word in words)
    other = "".join(word + data.draw(blanks) for word in words)
    quote = data.draw(st.sampled_from(['"', "'", ""]))
    assert looks_altered({"X": one}, {"X": quote + other + quote}) == (one != quote + other + quote)


@settings(deadline=None)
@given(number=st.decimals(-(10**9), 10**9, places=3), zeros=st.integers(1, 4))
def test_another_way_to_write_a_number_is_aims_hand_and_another_number_is_not(number, zeros):
    text = str(number)
    assert looks_altered({"X": text}, {"X": f"{number:f}" + "0" * zeros})
    assert not looks_altered({"X": text}, {"X": str(number + Decimal("0.001"))})


@settings(deadline=None)
@given(value=st.text(alphabet="abcdef", min_size=LEAST_CUT + 1, max_size=80), data=st.data())
def test_a_long_value_may_be_cut_and_a_short_beginning_is_somebodys_edit(value, data):
    length = data.draw(st.integers(1, len(value) - 1))
    assert looks_altered({"X": value}, {"X": value[:length]}) == (length >= LEAST_CUT)
    assert not looks_altered({"X": value[:length]}, {"X": value}), "AIMS makes nothing longer"


@settings(deadline=None)
@given(value=VALUES)
def test_what_was_cleared_or_filled_in_is_somebodys_edit(value):
    assert not looks_altered({"X": value}, {})
    assert not looks_altered({}, {"X": value})


@settings(deadline=None)
@given(ours=CONTENT, form=st.sampled_from(["  ", '"']), column=st.sampled_from("XYZ"))
def test_one_column_that_somebody_edited_makes_the_whole_article_edited(ours, form, column):
    altered = {name: form + value + form for name, value in ours.items()}
    edited = {**altered, column: "something else"}
    assert looks_altered(ours, altered) == bool(ours)
    assert not looks_altered(ours, edited)


# --- echoes ---------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(base=CONTENT, echo=CONTENT)
def test_an_echo_is_read_as_what_was_agreed_on(base, echo):
    assert undo_echo(echo, base, echo) == base
    assert undo_echo(base, base, echo) == base


@settings(deadline=None)
@given(remote=CONTENT, base=CONTENT, echo=CONTENT)
def test_only_columns_that_aims_altered_are_put_back(remote, base, echo):
    plain = undo_echo(remote, base, echo)
    for column in "XYZ":
        is_echo = echo.get(column) != base.get(column) and remote.get(column) == echo.get(column)
        assert plain.get(column) == (base if is_echo else remote).get(column)
    assert undo_echo(plain, base, echo) == plain, "done once"


@settings(deadline=None)
@given(remote=CONTENT, content=CONTENT)
def test_without_a_base_or_an_echo_nothing_is_put_back(remote, content):
    assert undo_echo(remote, None, content) == undo_echo(remote, content, None) == remote
    assert undo_echo(remote, content, content) == remote


@settings(deadline=None)
@given(base=CONTENT, echo=CONTENT, column=st.sampled_from("XYZ"))
def test_an_edit_beside_an_echo_is_still_seen(base, echo, column):
    edited = {**echo, column: "somebody's"}
    assert undo_echo(edited, base, echo).get(column) == "somebody's"


# --- AIMS's own name field beside the column it repeats -------------------------------------------------------------


def test_a_name_field_that_keeps_what_was_sent_is_no_edit():
    base, theirs = {"ITEM_NAME": "117", "TITLE": "Window"}, {"ITEM_NAME": "117.00", "TITLE": "Window"}
    shown = {**theirs, "articleName": "117"}
    assert looks_altered(base, shown)
    assert undo_echo(shown, base, shown) == base
    assert not looks_altered(base, {**theirs, "articleName": "Noa"}), "somebody wrote another name"
    assert not looks_altered(base, {**base, "articleName": "118"}), "the column says ours, the name does not"
    assert not looks_altered(base, {**shown, "TITLE": "Door"})
    assert not looks_altered(base, {**theirs, "TITLE": "Window", "articleName": "Window"}), (
        "not the name that was sent"
    )
