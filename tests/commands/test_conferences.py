"""`electis conference` as a process."""

from __future__ import annotations

import pytest

VIEW = [
    "external_id", "store", "article_id", "room_name", "has_meeting", "meeting_name", "start_time", "end_time",
    "participants", "status", "labels", "version",
]  # fmt: skip


@pytest.mark.slow
def test_a_room_and_its_meeting(shop):
    created = shop("conference", "create", "C3", "--name", "Board room", "-o", "json").json
    assert list(created) == VIEW
    assert (created["external_id"], created["article_id"], created["room_name"]) == ("3", "C3", "Board room")
    assert shop("conference", "create", "4", "-o", "json").json["room_name"] == "Conference 4"

    toggle = ("conference", "toggle", "3", "-o", "json")
    busy = shop(
        *toggle, "--meeting-name", "X", "--start", "14:00", "--end", "15:00", "--participants", "A; B,C"
    ).json
    assert (busy["has_meeting"], busy["meeting_name"], busy["start_time"], busy["end_time"], busy["participants"]) == (
        True, "X", "14:00", "15:00", ["A", "B,C"],
    )  # fmt: skip
    assert shop(*toggle, "--on").json["version"] == busy["version"]
    assert shop(*toggle, "--end", "16:00").json["end_time"] == "16:00"
    free = shop(*toggle).json
    assert (free["has_meeting"], free["meeting_name"], free["start_time"], free["participants"]) == (
        False, None, None, [],
    )  # fmt: skip
    assert shop(*toggle, "--off").json["version"] == free["version"]

    assert shop("conference", "update", "3", "--name", "Lab", "-o", "json").json["room_name"] == "Lab"
    assert shop("conference", "list", "-o", "name").out == "3\n4\n"
    shop("conference", "delete", "C3", "--yes")
    assert shop("conference", "show", "3", "-o", "json", check=6).error["code"] == "E-ROOM-NOT-FOUND"


@pytest.mark.slow
def test_errors_have_their_exit_codes_and_change_nothing(shop):
    shop("conference", "create", "3")
    shop("space", "create", "C5")
    before = shop("conference", "list", "-o", "json").out
    for code, word, *arguments in (
        (8, "E-TIME", "toggle", "3", "--start", "25:99", "--end", "26:00"),
        (8, "E-TIME", "toggle", "3", "--start", "14:00"),
        (2, "E-USAGE", "toggle", "3", "--off", "--meeting-name", "X"),
        (6, "E-ROOM-NOT-FOUND", "toggle", "9"),
        (7, "E-EXISTS", "create", "C3"),
        (7, "E-ARTICLE-ID-TAKEN", "create", "5"),
        (2, "E-USAGE", "delete", "3"),
    ):
        finished = shop("conference", *arguments, "-o", "json", check=code)
        assert (finished.error["code"], finished.out) == (word, "")
    shop("conference", "toggle", "3", "--dry-run")
    shop("conference", "delete", "3", "--dry-run")

    assert shop("conference", "list", "-o", "json").out == before
