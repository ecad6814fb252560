"""What AIMS said, without the values of the rows it was about."""

from __future__ import annotations

import html
import json
import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from electis_cli.domain.errors import AimsAmbiguous, AimsRejected, AimsThrottled
from electis_cli.domain.redaction import PSEUDONYM, redact, without_values

CONTENT = {
    "ARTICLE_ID": "4-117",
    "ITEM_NAME": "Dana Levi",
    "TITLE": "דנה הנטועה",
    "PHONE": "405",
    "FLOOR": "4",
    "ROLE": "The value is too long",
}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("value 'Dana Levi' too long", "value '<ITEM_NAME>' too long"),
        ("value DANA  LEVI too long", "value <ITEM_NAME> too long"),
        ("Dana\nLevi: דנה הנטועה", "<ITEM_NAME>: <TITLE>"),
        ("ARTICLE_DATA_IS_INVALID(4-117)", "ARTICLE_DATA_IS_INVALID(<ARTICLE_ID>)"),
        ("STORE_CODE_NOT_FOUND", "STORE_CODE_NOT_FOUND"),
        # Short values stand in every other word; in quotes they go.
        ("floor 4 of '4' is 4", f"floor 4 of '{PSEUDONYM}' is 4"),
        # What is quoted may be somebody's, or a value of before; a column's name says what to look at.
        ("'Noa Cohen' is not \"Dana Levi Junior\"", f"'{PSEUDONYM}' is not \"{PSEUDONYM}\""),
        ("«Noa» “Noa” ‘Noa’ `Noa` b'Noa'", "«<…>» “<…>” ‘<…>’ `<…>` b'<…>'"),  # noqa: RUF001
        ("column 'TITLE' is too long", "column 'TITLE' is too long"),
        ("it can't take the users' 'Noa's desk' now", f"it can't take the users' '{PSEUDONYM}' now"),
        # Cut off: our own limit on a reason, or AIMS's.
        ("too long: Dana Le", "too long: <ITEM_NAME>"),
        ("Dana Lev... is too long", "<ITEM_NAME>... is too long"),
        ("too long: 'No", f"too long: '{PSEUDONYM}"),
        # Half a name names somebody too; what every refusal says does not.
        ("LEVI is not allowed", "<ITEM_NAME> is not allowed"),
        ("the value for dana is too long", "the value for <ITEM_NAME> is too long"),
        ("DANA_IS_INVALID", "DANA_IS_INVALID"),
        # One gap for what overlaps.
        ("'the Dana Levi room'", f"'{PSEUDONYM}'"),
        ("", ""),
    ],
)
def test_values_and_quoted_literals_are_replaced(said, kept):
    assert redact(said, [CONTENT]) == kept


WRITTEN = {
    "upper": str.upper,
    "casefold": str.casefold,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "json": json.dumps,
    "url": quote,
    "form": quote_plus,
    "html": html.escape,
    "invisible": "\u200b".join,
    "blanks": lambda text: text.replace(" ", "\u00a0\n"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_value_is_known_however_it_is_written(written):
    value = "Zoë & Émile Levi"
    said = f"refused: {WRITTEN[written](value)}, try again"
    assert redact(said, [{"ITEM_NAME": value}]).replace('"', "") == "refused: <ITEM_NAME>, try again"


def test_a_column_that_is_named_like_a_value_gets_a_pseudonym():
    assert redact("no ITEM here", [{"ITEM_NAME": "item"}]) == f"no {PSEUDONYM} here"


def test_values_of_several_articles_are_taken_out():
    contents = [CONTENT, None, {"ITEM_NAME": "Noa Cohen"}]
    assert redact("Noa Cohen or Dana Levi", contents) == "<ITEM_NAME> or <ITEM_NAME>"


# --- whatever it takes ----------------------------------------------------------------------------------------------

# Few letters, so that values overlap one another and the words around them; marks of escapes and placeholders too.
LETTERS = st.sampled_from("abcAB 4'\"<>…_%\\u0e\u0301ßİ\u017fÉдנ\u200b\n")
TEXT = st.text(LETTERS, max_size=30) | st.text(max_size=30)
CONTENTS = st.dictionaries(st.sampled_from(["ITEM_NAME", "TITLE", "ab", "articleName"]), TEXT, min_size=1)
FORMS = [str, str.upper, json.dumps, quote, lambda text: f"'{text}'"]


@given(
    content=CONTENTS,
    parts=st.lists(st.tuples(TEXT, st.integers(0, 3), st.integers(0, len(FORMS) - 1)), max_size=4),
)
@example(content={"ITEM_NAME": "a<…"}, parts=[("a'b'", 0, 0)])
@example(content={"ITEM_NAME": "\u0301ab"}, parts=[("e", 0, 0), ("", 0, 1)])
@example(content={"ITEM_NAME": "ITEM"}, parts=[("", 0, 1)])
def test_no_value_of_three_characters_survives(content, parts):
    values = list(content.values())
    said = "".join(around + FORMS[form](values[which % len(values)]) for around, which, form in parts)
    kept = redact(said, [content])
    for value in map(str.strip, values):
        if len(value) >= 3:
            assert value not in kept
        wanted = unicodedata.normalize("NFC", value).casefold()
        visible = "".join(sign for sign in wanted if unicodedata.category(sign) != "Cf")
        if len(visible.strip()) >= 3:
            assert wanted not in unicodedata.normalize("NFC", kept).casefold()


@given(TEXT)
def test_what_quotes_nothing_is_kept_as_it_is(said):
    quoted = set("'\"`‘’“”„«‹")  # noqa: RUF001
    if not quoted & set(said):
        assert redact(said, [{}]) == said


# --- errors ---------------------------------------------------------------------------------------------------------


def test_only_the_words_of_aims_are_changed_in_an_error():
    """Room 405 has nothing to do with the status."""
    error = AimsRejected(
        why="AIMS answered 405: Dana Levi is too long.", fix="do", word="Dana Levi is too long", status=405
    )
    told = without_values(error, [CONTENT])
    assert type(told) is AimsRejected
    assert told.why == "AIMS answered 405: <ITEM_NAME> is too long."
    assert (told.fix, told.details) == ("do", {"word": "<ITEM_NAME> is too long", "status": 405})
    assert "Dana Levi" in error.why  # whoever asked by hand still reads it all


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("STORE_CODE_NOT_FOUND", "STORE_CODE_NOT_FOUND"),
        ("PAGE_CAN_NOT_BE_GREATER_THAN_MAX_PAGES(3)", "PAGE_CAN_NOT_BE_GREATER_THAN_MAX_PAGES(3)"),
        ("FIELD_IS_MISSING(company)", "FIELD_IS_MISSING(company)"),
        ("Unauthorized: TOKEN_EXPIRED", "Unauthorized: TOKEN_EXPIRED"),
        ("Service Unavailable", "Service Unavailable"),
        ("ARTICLE_DATA_IS_INVALID(Dana)", PSEUDONYM),
        ("label is not in the whiteList", "label is not in the whiteList"),
        ("Dana is NOT ON THE WHITELIST of Noa", "NOT ON THE WHITELIST"),
        ("DANA", PSEUDONYM),
        ("Dana broke it", PSEUDONYM),
    ],
)
def test_of_a_call_about_nothing_known_only_aims_own_words_are_kept(word, kept):
    told = without_values(AimsAmbiguous(why=f"AIMS answered 500: {word}.", word=word), None)
    assert told.why == f"AIMS answered 500: {kept}."


def test_an_error_without_words_of_aims_is_the_same():
    error = AimsAmbiguous("AIMS at 405 did not answer in time.")
    assert without_values(error, [CONTENT]) is error
    throttled = AimsThrottled(why="AIMS answered 429: 'Noa'.", retry_after=7, word="'Noa'")
    assert without_values(throttled, ()).details == {"retry_after": 7, "word": f"'{PSEUDONYM}'"}
