"""A label as a drawing: well-formed whatever it holds, each text in its frame and direction, cut where need be."""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.label_lettering import (
    ELLIPSIS,
    clean_line,
    clusters,
    fit,
    runs_right_to_left,
    width_of,
)
from electis_cli.domain.label_picture import DrawnArticle, LabelPicture, draw_label

SVG = "{http://www.w3.org/2000/svg}"
CODE = "004E8FED703A"
FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 forbids, and the controls it discourages."""

anything = st.text(st.characters())  # also halves of surrogate pairs, controls, noncharacters
lines = st.lists(st.tuples(anything, anything), max_size=30).map(tuple)
articles = st.builds(DrawnArticle, article_id=anything, name=anything, lines=lines)
pictures = st.builds(
    LabelPicture,
    label_code=st.just(CODE),
    articles=st.lists(articles, max_size=6).map(tuple),
    page=st.sampled_from(["", "free", "busy", "page 7"]),
    is_busy=st.booleans(),
    has_image=st.booleans(),
    width=st.none() | st.integers(-10, 10_000),
    height=st.none() | st.integers(-10, 10_000),
    note=anything,
)


def parsed(svg):
    return ET.fromstring(svg.encode())  # noqa: S314 - our own drawing


def texts(svg):
    return [one.text for one in parsed(svg).iter(f"{SVG}text")]


def desk(name="Dana Levi", *, page="page 1", width=None, height=None, note="", **columns):
    article = DrawnArticle(article_id="4-117", name=name, lines=tuple(columns.items()))
    return draw_label(
        LabelPicture(label_code=CODE, articles=(article,), page=page, width=width, height=height, note=note)
    )


# --- whatever stands on it ------------------------------------------------------------------------------------------


@given(pictures)
def test_every_drawing_is_well_formed_and_holds_nothing_but_its_own_elements(picture):
    svg = draw_label(picture)
    assert FORBIDDEN.search(svg) is None
    root = parsed(svg)
    assert {one.tag for one in root.iter()} <= {f"{SVG}{name}" for name in ("svg", "title", "rect", "text")}
    for text in root.iter(f"{SVG}text"):
        assert text.text == clean_line(text.text)
        assert (text.get("direction"), text.get("unicode-bidi")) in {("rtl", "isolate"), ("ltr", "isolate")}
    assert any(CODE in text for text in texts(svg))


@given(pictures)
def test_every_text_stands_in_a_frame_inside_the_drawing(picture):
    root = parsed(draw_label(picture))
    width, height = float(root.get("width")), float(root.get("height"))
    assert width >= 96
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    frames = root.findall(f"{SVG}svg")
    assert len(frames) == len(list(root.iter(f"{SVG}text")))
    for frame in frames:
        left, top, wide, high = (float(frame.get(name)) for name in ("x", "y", "width", "height"))
        assert frame.get("overflow") == "hidden"
        assert (left >= 0, top >= 0, left + wide <= width + 0.02, top + high <= height + 0.02) == (True,) * 4
        text = frame.find(f"{SVG}text")
        size = float(text.get("font-size"))
        assert 0 < size <= high
        assert (
            width_of(text.text, size, bold="font-weight" in text.attrib) <= wide * 1.01 + 0.1
            or text.text == ELLIPSIS
        )
        at_start = 0.0 if text.get("direction") == "ltr" else wide
        expected = {"start": at_start, "middle": wide / 2, "end": wide - at_start}[text.get("text-anchor")]
        assert float(text.get("x")) == pytest.approx(expected, abs=0.02)


@given(anything)
def test_a_cleaned_line_keeps_every_letter(text):
    cleaned = clean_line(text)
    assert FORBIDDEN.search(cleaned) is None
    assert cleaned == clean_line(cleaned)
    kept = [one for one in text[:1000] if unicodedata.category(one)[0] in "LNPSM"]
    assert [one for one in cleaned if unicodedata.category(one)[0] in "LNPSM"] == kept


@given(anything, st.floats(0, 500), st.booleans())
def test_a_fitted_text_fits_or_is_cut_with_an_ellipsis(text, room, bold):
    line = fit(text, room, largest=20, smallest=10, bold=bold)
    whole = clean_line(text)
    assert 10 <= line.size <= 20
    assert line.right_to_left == runs_right_to_left(whole)
    if line.text != whole:
        assert line.text.endswith(ELLIPSIS)
        assert whole.startswith(line.text.removesuffix(ELLIPSIS).rstrip())
    assert line.text in {"", ELLIPSIS} or width_of(line.text, line.size, bold=bold) <= room * 1.01


@given(anything)
def test_pieces_that_belong_together_make_up_the_text(text):
    assert "".join(clusters(text)) == text


# --- particular labels ----------------------------------------------------------------------------------------------


def test_a_label_shows_id_name_fields_and_page():
    svg = desk(TITLE='Head of <Workplace> & "more"', PHONE="17", page="free", width=400)
    assert texts(svg) == [
        "Dana Levi", "FREE", "TITLE", 'Head of <Workplace> & "more"', "PHONE", "17", "4-117", CODE,
    ]  # fmt: skip
    root = parsed(svg)
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == f"Label {CODE}: Dana Levi, free"
    assert (root.get("width"), root.get("height")) == ("400", "128")


def test_text_can_not_break_out():
    bad = '</text><script>alert("1")</script>\x00\x1b[31m\ufffe\u202e]]>'
    svg = desk(bad, TITLE="a\r\nb\tc\u2066", note=bad)
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "a b c" in texts(svg)


def test_right_to_left_text_begins_at_the_right_and_mirrors_the_label():
    svg = desk("חדר ישיבות 3 (Blue)", TITLE="قاعة ٣", DEPARTMENT="Floor 2", width=300)
    found = {one.text: one for one in parsed(svg).iter(f"{SVG}text")}
    frames = {frame.find(f"{SVG}text").text: frame for frame in parsed(svg).findall(f"{SVG}svg")}
    ways = {text: (one.get("direction"), one.get("unicode-bidi")) for text, one in found.items()}
    assert ways["חדר ישיבות 3 (Blue)"] == ways["قاعة ٣"] == ("rtl", "isolate")
    assert ways["Floor 2"] == ("ltr", "isolate")
    assert found["חדר ישיבות 3 (Blue)"].get("x") == frames["חדר ישיבות 3 (Blue)"].get("width")
    # The name is on the right and the page on the left, each caption on the right of its value.
    assert float(frames["חדר ישיבות 3 (Blue)"].get("x")) > float(frames["PAGE 1"].get("x"))
    assert float(frames["TITLE"].get("x")) > float(frames["قاعة ٣"].get("x"))


def test_a_busy_page_is_inverted():
    def head(*, is_busy):
        picture = LabelPicture(label_code=CODE, articles=(DrawnArticle(article_id="C3"),), is_busy=is_busy)
        return parsed(draw_label(picture)).findall(f"{SVG}rect")[1].get("fill")

    assert head(is_busy=True) != head(is_busy=False)


def test_more_lines_than_room_are_counted():
    svg = desk(**{f"COLUMN_{place}": str(place) for place in range(20)})
    found = texts(svg)
    shown = [text for text in found if text.startswith("COLUMN ")]
    left_out = int(next(text for text in found if text.startswith("+")))
    assert 1 < len(shown) < 20
    assert len(shown) + left_out == 20
    one_row = desk(width=200, height=96, **{f"C{place}": str(place) for place in range(9)})
    assert "C0" in " ".join(texts(one_row))


def test_several_articles_stand_below_one_another_and_the_rest_is_counted():
    def drawn(count):
        several = tuple(
            DrawnArticle(article_id=f"A{place}", name=f"Name {place}", lines=(("TITLE", "x"),))
            for place in range(count)
        )
        return texts(draw_label(LabelPicture(label_code=CODE, articles=several, page="page 1")))

    assert [text for text in drawn(2) if text.startswith("Name")] == ["Name 0", "Name 1"]
    assert drawn(2).count("PAGE 1") == 1
    assert "A0 + A1" in drawn(2)
    assert [text for text in drawn(5) if text.startswith("Name")] == ["Name 0", "Name 1", "Name 2"]
    assert next(text for text in drawn(5) if "A0" in text).startswith("5 articles: A0")


def test_an_image_and_an_empty_label_say_what_they_are():
    covered = LabelPicture(
        label_code=CODE, articles=(DrawnArticle(article_id="A", lines=(("TITLE", "x"),)),), has_image=True
    )
    assert texts(draw_label(covered)) == ["A", "an image covers the fields", "A", CODE]
    assert texts(draw_label(LabelPicture(label_code=CODE))) == [CODE, "not linked"]


def test_a_note_stands_below_the_label():
    svg = desk(note="from the database", height=200)
    assert parsed(svg).get("height") == "216"
    assert texts(svg)[-1] == "from the database"


# --- lettering ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Blue", False), ("חדר", True), ("3 قاعة", True), ("(A) חדר", False), ("123", False), ("", False)],
)
def test_the_first_letter_with_a_direction_decides(text, expected):
    assert runs_right_to_left(text) is expected


def test_a_cut_keeps_direction_and_letters_whole():
    family = "\U0001f468‍\U0001f469‍\U0001f467"
    assert list(clusters(f"a{family}\U0001f1ee\U0001f1f1\U0001f1fa\U0001f1f8שָׁ")) == [
        "a", family, "\U0001f1ee\U0001f1f1", "\U0001f1fa\U0001f1f8", "שָׁ",
    ]  # fmt: skip
    cut = fit("123 חדר ישיבות גדול", 60, largest=20, smallest=20)
    assert (cut.right_to_left, cut.text[-1]) == (True, ELLIPSIS)
    assert fit(family * 3, 60, largest=20, smallest=20).text in {family + ELLIPSIS, ELLIPSIS}


def test_a_text_is_shrunk_before_it_is_cut():
    assert fit("Blue", 200, largest=20, smallest=10).size == 20
    smaller = fit("A rather long name of a room", 230, largest=20, smallest=10)
    assert 10 <= smaller.size < 20
    assert smaller.text == "A rather long name of a room"
    assert fit("x" * 100_000, 100, largest=20, smallest=10).text.endswith(ELLIPSIS)
    assert width_of("שָׁלוֹם", 10) == width_of("שלום", 10)
    assert width_of("会議", 10) > width_of("ab", 10)
