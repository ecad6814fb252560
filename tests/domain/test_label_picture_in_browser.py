"""Drawn labels in a real browser: right-to-left text runs from the right, and nothing sticks out of its frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from electis_cli.domain.label_picture import DrawnArticle, LabelPicture, draw_label
from tests.simulator.browser import FOUND, Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        FOUND is None, reason="no chromium on the PATH: drawn labels are not tried in a browser"
    ),
]

PLACES = """Object.fromEntries([...document.querySelectorAll("text")].map((one) => {
  const frame = one.parentNode.getAttribute("width");
  const starts = [...Array(one.getNumberOfChars()).keys()].map((place) => one.getStartPositionOfChar(place).x);
  return [one.textContent, { starts, frame: Number(frame), length: one.getComputedTextLength() }];
}))"""
"""By text: where each of its letters starts, from its frame's left edge, the frame's width and the text's length."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def look(browser, tmp_path):
    """Return how to draw an article and learn where the browser put each letter."""

    def look(name, *lines, **picture):
        article = DrawnArticle(article_id="4-117", name=name, lines=lines)
        file: Path = tmp_path / "label.svg"
        file.write_text(
            draw_label(LabelPicture(label_code="004E8FED703A", articles=(article,), **picture)),
            encoding="utf-8",
        )
        browser.go(file.as_uri())
        assert browser.errors == []
        return browser.evaluate(PLACES)

    return look


def test_hebrew_is_laid_out_from_the_right(look):
    """The first letter is the rightmost, a number and Latin words inside keep their own order."""
    name, title, floor = "חדר ישיבות 3 (Blue)", "משאבי אנוש", "Floor 2"

    found = look(name, ("TITLE", title), ("DEPARTMENT", floor), width=400, height=200)

    for text in (name, title):
        starts, frame = found[text]["starts"], found[text]["frame"]
        assert starts[0] == pytest.approx(frame, abs=1), "it begins at the right edge of its frame"
        assert starts[:8] == sorted(starts[:8], reverse=True)
    starts = found[name]["starts"]
    digit, word = name.index("3"), name.index("Blue")
    assert starts[digit] < starts[name.index("ת")], "the number follows, so it is on the left"
    assert starts[word : word + 4] == sorted(starts[word : word + 4]), "Latin letters run to the right"
    assert starts[word + 3] < starts[digit], "and stand left of the number"
    starts = found[floor]["starts"]
    assert (starts[0], starts == sorted(starts)) == (pytest.approx(0, abs=1), True)


def test_a_cut_hebrew_text_ends_on_the_left(look):
    found = look("חדר ישיבות גדול מאוד בקומה הרביעית ליד המטבח ומול המעלית", width=200)

    cut = next(text for text in found if text.endswith("…"))
    starts = found[cut]["starts"]
    assert starts[-1] == min(starts)
    assert starts[0] == max(starts)


@pytest.mark.parametrize(
    "text",
    [
        "Dana Levi, Head of Workplace and Real Estate, Tel Aviv",
        "WWWWW MMMMM @@@@@ %%%%% mmmmm wwwww",
        "0123456789 0123456789 0123456789 +972-3-1234567",
        "משאבי אנוש והדרכה, מחלקת המחקר והפיתוח",
        "قاعة الاجتماعات الرئيسية في الطابق الرابع",
        "Übergrößenträger-Ausrüstungsgegenstände",
        "会議室三〇一番、四階",
    ],
)
def test_no_text_is_wider_than_its_frame(look, text):
    """Widths are estimates: they must be no smaller than what a browser makes of its fonts."""
    found = look(text, ("TITLE", text), (text, "x"), width=250, height=150, page="busy", note=text)

    assert len(found) >= 5
    for drawn, place in found.items():
        assert place["length"] <= place["frame"] + 1, drawn
