"""`electis label show`: both sides for people and programs, the drawing, and an AIMS that does not answer."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.world.command_line import CommandLine
from tests.world.ledger import edit, link, put

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "0848A6EBE2B0"
VIEW = [
    "label_code", "store", "article", "page", "acked_article", "acked_page", "status", "error", "display",
    "in_database", "page_word", "aims", "aims_error", "articles", "differences",
]  # fmt: skip
AIMS = [
    "store", "articles", "page", "update_status", "updated_at", "image", "image_at", "online", "battery",
    "low_battery", "signal", "gateway", "model", "last_response", "width", "height", "pages",
]  # fmt: skip
ARTICLE = [
    "article_id", "store", "name", "linked", "wanted", "at_aims", "in_database", "is_room", "status",
    "last_updated", "fields",
]  # fmt: skip


@pytest.fixture
def code(desk):
    """A label that shows 4-1, where Dana sits."""
    desk("label", "link", desk.labels[0], "4-1")
    desk("queue", "drain")
    return desk.labels[0]


def silence(desk):
    """Let AIMS answer nothing that can be understood."""
    desk.cloud.faults.add("html", path="*")


def texts(svg):
    return [one.text for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own


# --- what is shown --------------------------------------------------------------------------------------------------


def test_programs_get_both_sides(desk, code):
    view = desk.json("label", "show", code.lower())

    assert (list(view), list(view["aims"]), list(view["articles"][0])) == (VIEW, AIMS, ARTICLE)
    assert (view["article"], view["status"], view["differences"]) == ("4-1", "synced", [])
    assert (view["aims"]["articles"], view["aims"]["page"]) == (["4-1"], 1)
    assert list(view["aims"]["pages"][0]) == ["page", "state", "processed_at", "answered_at", "batch"]
    title = next(field for field in view["articles"][0]["fields"] if field["field"] == "TITLE")
    assert title == {"field": "TITLE", "ours": "Corner", "aims": "Corner", "equal": True}
    assert desk("label", "show", code, "-o", "name").out == f"{code}\n"
    assert desk.json("label", "show", code, "--fields", "label_code,article") == {
        "label_code": code,
        "article": "4-1",
    }


def test_people_read_what_it_displays(desk, code):
    shown = desk("label", "show", code).out

    assert shown.startswith(
        f"label {code} in store 001\n\nat AIMS\n  linked to        4-1\n  page             1\n"
    )
    assert "  update_status    SUCCESS\n" in shown
    assert "article 4-1: Dana Levi\n    ARTICLE_ID       4-1\n    ITEM_NAME        Dana Levi\n" in shown
    assert shown.endswith("\n\nThe label shows what the database says.\n")
    assert "*" not in shown


def test_what_differs_is_marked_and_named(desk, code):
    edit(desk.cloud, "4-1", name="Dana Levi-Cohen", TITLE="\x1b[31mred", PHONE="17")

    shown = desk("label", "show", code).out

    assert "  * ITEM_NAME        'Dana Levi-Cohen', database: 'Dana Levi'\n" in shown
    assert "  * PHONE            '17', database: empty\n" in shown
    assert "    ARTICLE_ID       4-1\n" in shown
    assert "\x1b" not in shown
    assert shown.endswith(
        "\n\nThe label is not as it should be: the fields marked * differ.\n"
        f"why: electis explain label {code} --store 001\n"
    )


def test_columns_are_called_what_people_call_them(desk, code):
    desk("aims", "mapping", "set", "--friendly", "TITLE:he=תפקיד")

    assert "    TITLE (תפקיד)    Corner\n" in desk("label", "show", code).out
    assert "TITLE" in {pair["field"] for pair in desk.json("label", "show", code)["articles"][0]["fields"]}


def test_a_label_that_the_database_does_not_know(desk):
    foreign, free = desk.labels[4:6]
    put(desk.cloud, "X", name="Stranger", TITLE="\x1b[31mtheirs")
    link(desk.cloud, foreign, "X")

    shown = desk("label", "show", foreign).out
    assert "in the database\n  nothing was ever wished of this label\n" in shown
    assert "article X: Stranger (not in the database)\n" in shown
    assert "    TITLE            \\u001b[31mtheirs\n" in shown
    assert "The label" not in shown
    assert "  linked to        none\n" in desk("label", "show", free).out
    assert desk("label", "show", UNKNOWN, "-o", "json", check=6).error["code"] == "E-LABEL-NOT-FOUND"


def test_a_viewer_may_look_and_calls_can_be_watched(desk, code):
    viewer = desk.log_in_as("viewer")

    assert "article 4-1: Dana Levi\n" in viewer("label", "show", code).out
    assert "/common/labels/detail" in desk("label", "show", code, "--debug-http").err


def test_a_busy_room(desk, tmp_path):
    room, file = desk.labels[1], tmp_path / "room.svg"
    desk("label", "link", room, "C3")
    desk("conference", "toggle", "3", "--meeting-name", "ישיבת צוות", "--start", "09:00", "--end", "10:00")
    desk("queue", "drain")

    assert "  page             2 (busy)\n" in desk("label", "show", room, "--svg", str(file)).out
    found = texts(file.read_text(encoding="utf-8"))
    assert found[:2] == ["Board room", "BUSY"]
    assert {"ישיבת צוות", "09:00 - 10:00", "C3", room} <= set(found)


# --- an AIMS that does not answer -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_without_an_answer_the_database_is_shown(desk, code):
    silence(desk)

    shown = desk("label", "show", code).out

    assert "at AIMS\n  AIMS did not answer (E-AIMS-CONTRACT): " in shown
    assert "in the database\n  article          4-1\n" in shown
    assert "    TITLE            Corner\n" in shown
    assert "*" not in shown
    assert shown.splitlines()[-1].startswith("fix: ")
    record = desk.json("label", "show", code)
    assert (record["aims"], record["aims_error"]["code"]) == (None, "E-AIMS-CONTRACT")
    assert desk("label", "show", UNKNOWN, "-o", "json", check=12).error["code"] == "E-AIMS-CONTRACT"


@pytest.mark.slow
def test_a_drawing_without_an_answer_is_the_databases_and_says_so(desk, code, tmp_path):
    edit(desk.cloud, "4-1", name="Somebody else")
    silence(desk)
    file = tmp_path / "label.svg"

    done = desk("label", "show", code, "--svg", str(file), check=12)

    assert "warning: drawn from the database: AIMS did not answer (E-AIMS-CONTRACT)\n" in done.err
    assert "AIMS did not answer" in done.out
    assert {"Dana Levi", "Corner"} <= set(texts(file.read_text(encoding="utf-8")))
    piped = desk("label", "show", code, "--svg", "-", check=12)
    assert "Dana Levi" in texts(piped.out)


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_drawing_goes_into_a_file_or_to_standard_output(desk, code, tmp_path):
    file = tmp_path / "label.svg"
    file.write_text("old")

    done = desk("label", "show", code, "--svg", str(file), "-o", "json")

    assert (done.json["label_code"], done.err) == (code, f"drawn into {file}\n")
    svg = file.read_text(encoding="utf-8")
    assert {"Dana Levi", "Corner", "4-1", code} <= set(texts(svg))
    assert desk("label", "show", code, "--svg", "-").out == svg
    for more in (("-o", "json"), ("--fields", "article")):
        refused = desk("label", "show", code, "--svg", "-", *more, check=2)
        assert (refused.out, "standard output" in refused.err) == ("", True)


def test_what_can_not_be_written_is_said_and_nothing_is_shown(desk, code, tmp_path):
    for place in (tmp_path, tmp_path / "no" / "such.svg", Path(os.devnull)):
        failed = desk("label", "show", code, "--svg", str(place), "-o", "json", check=8)
        assert (failed.out, failed.error["code"]) == ("", "E-INPUT")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    assert list(tmp_path.iterdir()) == [tmp_path / desk.electis.home.name]


@pytest.mark.slow
def test_a_process_shows_and_draws(desk, code):
    electis = CommandLine(desk.electis.home, dict(desk.electis.extra))

    assert "article 4-1: Dana Levi\n" in electis("label", "show", code).out
    piped = electis("label", "show", code, "--svg", "-")
    assert piped.err == ""
    assert piped.out.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<svg ')
    assert {"Dana Levi", code} <= set(texts(piped.out.encode()))
    assert electis("label", "show", UNKNOWN, check=6).err.startswith("error[E-LABEL-NOT-FOUND]")
    silence(desk)
    assert "AIMS did not answer (E-AIMS-CONTRACT)" in electis("label", "show", code).out
    assert "drawn from the database" in electis("label", "show", code, "--svg", "-", check=12).err


def test_a_drawing_has_the_fields_that_aims_holds(desk, code, tmp_path):
    edit(desk.cloud, "4-1", TITLE="theirs")
    file = tmp_path / "label.svg"
    desk("label", "show", code, "--svg", str(file))
    assert {"theirs", "Dana Levi"} <= set(texts(file.read_text(encoding="utf-8")))


def test_a_label_that_aims_refused_says_so_at_its_end(desk):
    code = desk.labels[0]
    with desk.cloud.lock:
        desk.store.whitelist_on = True
    desk("label", "link", code, "4-1")
    desk("queue", "drain", check=3)

    shown = desk("label", "show", code).out

    assert "is not on it" in shown
    assert shown.endswith(f"why: electis explain label {code} --store 001\n")


def test_a_label_that_never_drew_anything_did_so_at_no_time(desk):
    assert "1970-01-01" not in desk("label", "show", desk.labels[0]).out
    assert "1970-01-01" not in desk("label", "show", desk.labels[0], "-o", "json").out
