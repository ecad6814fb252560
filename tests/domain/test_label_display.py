"""What a label displays: pages, images and differences, as tables."""

from __future__ import annotations

import pytest

from electis_cli.domain.label_display import Told, differences, image_over, lines_on_page, word_of_page
from electis_cli.domain.organizations import ArticleFormat, MeetingColumns

FORMAT = ArticleFormat(
    columns=("STORE_ID", "ARTICLE_ID", "ITEM_NAME", "NFC_URL", "TITLE", "MEETING_NAME", "MEETING_TIME"),
    store_column="STORE_ID",
    id_column="ARTICLE_ID",
    name_column="ITEM_NAME",
    nfc_column="NFC_URL",
)
MEETING = MeetingColumns(name="MEETING_NAME", time="MEETING_TIME")
CONTENT = {
    "MEETING_TIME": "09:00 - 10:00",
    "MEETING_NAME": "Standup",
    "TITLE": "8 seats",
    "NFC_URL": "https://example.com",
    "ITEM_NAME": "Board room",
    "ARTICLE_ID": "C3",
    "articleName": "Other",
}
TITLE, NAME, TIME = ("TITLE", "8 seats"), ("MEETING_NAME", "Standup"), ("MEETING_TIME", "09:00 - 10:00")


@pytest.mark.parametrize(
    ("page", "is_room", "lines"),
    [
        (1, True, (TITLE,)),
        (2, True, (NAME, TIME, TITLE)),
        (3, True, (TITLE, NAME, TIME)),
        (None, True, (TITLE, NAME, TIME)),
        (1, False, (TITLE, NAME, TIME)),
    ],
)
def test_a_rooms_pages_hide_and_lead_with_its_meeting(page, is_room, lines):
    assert lines_on_page(CONTENT, FORMAT, MEETING, page=page, is_room=is_room) == lines


def test_empty_columns_and_a_mapping_without_meetings():
    content = {"TITLE": "", "MEETING_NAME": "Standup"}
    assert lines_on_page(content, FORMAT, MeetingColumns(), page=1, is_room=True) == (NAME,)
    assert lines_on_page({}, FORMAT, MEETING, page=2, is_room=True) == ()


@pytest.mark.parametrize(
    ("page", "is_room", "word"),
    [(1, True, "free"), (2, True, "busy"), (3, True, "page 3"), (2, False, "page 2"), (None, True, "")],
)
def test_a_page_in_words(page, is_room, word):
    assert word_of_page(page, is_room=is_room) == word


def told(kind, page=1, state="SUCCESS"):
    return Told(kind=kind, page=page, state=state, at=f"{kind} {page}")


@pytest.mark.parametrize(
    ("orders", "page", "is_covered"),
    [
        ([told("IMAGEPUSH")], 1, True),
        ([told("IMAGEPUSH", 2)], 1, False),
        ([told("IMAGEPUSH")], None, False),
        ([told("PAGE", 2), told("IMAGEPUSH", 1), told("IMAGEPUSH", 2)], 2, True),
        ([told("ARTICLE", state="SKIP CASE DUE TO IMAGE PUSH"), told("IMAGEPUSH")], 1, True),
        ([told("RESEND"), told("IMAGEPUSH", state="TIMEOUT")], 1, True),
        ([told("ARTICLE"), told("IMAGEPUSH")], 1, False),
        ([told("REGENERATE"), told("IMAGEPUSH")], 1, False),
        ([told("ASSIGN"), told("IMAGEPUSH")], 1, False),
        ([told("UNASSIGN"), told("IMAGEPUSH")], 1, False),
        ([told(None)], 1, False),
        ([], 1, False),
    ],
)
def test_an_image_covers_a_page_until_the_label_is_drawn_anew(orders, page, is_covered):
    found = image_over(orders, page)
    assert (found is not None) is is_covered
    assert found is None or found.at == f"IMAGEPUSH {page}"


SAME = {
    "stores": ("001", "001"),
    "articles": (("A",), ("A",)),
    "pages": (1, 1),
    "update_status": "SUCCESS",
    "has_image": False,
    "differing_columns": False,
}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, ()),
        ({"stores": (None, "001"), "articles": (None, ("A",)), "pages": (None, 2)}, ()),
        ({"articles": (("A",), None), "pages": (2, None), "update_status": None}, ()),
        ({"update_status": "UNASSIGNED", "articles": ((), ())}, ()),
        ({"stores": ("001", "002")}, ("store",)),
        ({"articles": ((), ("A",))}, ("link",)),
        ({"articles": (("A",), ("B", "A"))}, ("link",)),
        ({"pages": (2, 1)}, ("page",)),
        ({"differing_columns": True, "has_image": True}, ("fields", "image")),
        ({"update_status": "TIMEOUT"}, ("drawing",)),
        ({"update_status": "PROCESSING"}, ("drawing",)),
    ],
)
def test_differences_are_named_and_what_is_unknown_is_none(change, found):
    assert differences(**{**SAME, **change}) == found
