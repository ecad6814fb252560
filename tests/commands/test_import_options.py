"""What can be said to `import`: columns, keys, constants, choices, sheets, modes, brakes, progress."""

from __future__ import annotations

import io
import json

import pytest
import xlsxwriter

from electis_cli.domain.bulk.options import MOST_DELETES_FLOOR

COUNTS = ("created", "updated", "unchanged", "deleted", "rejected")


def counts(done):
    return tuple(done.json[name] for name in COUNTS)


def data_of(office, noun, key):
    return office(noun, "show", key, "-o", "json").json["data"]


def load(office, noun, content, *options, check=0):
    return office(noun, "import", "-", *options, "-o", "json", stdin=content, check=check)


def book(**sheets):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as made:
        for name, rows in sheets.items():
            page = made.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    page.write_string(at, column, cell)
    return content.getvalue()


def test_a_dry_run_in_json_counts_also_the_labels_that_redraw(office):
    file = office.home / "people.xlsx"
    file.write_bytes(
        book(Staff=[("external_id", "space", "TITLE"), ("A", "4-3", "x"), ("E", "4-1", "y"), ("D", "", "")])
    )

    view = office("people", "import", str(file), "--dry-run", "-o", "json").json

    assert {*COUNTS, "label_redraws"} <= set(view)
    # The label shows space 4-1, which E fills in place of A.
    assert [view[name] for name in (*COUNTS, "label_redraws")] == [1, 1, 1, 0, 0, 1]
    assert [(one["key"], one["change"], one["fields"]["space"]) for one in view["differences"]] == [
        ("A", "update", {"before": "4-1", "after": "4-3"}),
        ("E", "create", {"before": None, "after": "4-1"}),
    ]
    shown = office("people", "import", str(file), "--dry-run").out
    assert "label_redraws  1" in shown
    assert "update person A  space: 4-1 -> 4-3; TITLE: (empty) -> x" in shown
    assert office("people", "show", "A", "-o", "json").json["space"] == "4-1"


# --- which column is what -------------------------------------------------------------------------------------------


def test_columns_are_named_with_map_and_key_and_the_naming_is_kept_under_a_name(office):
    content = "Desk,Full title,Floor\n4-1,Head,4\n4-2,Cook,5\n"
    naming = ("--map", "Full title=TITLE", "--map", "Floor=", "--key", "Desk")

    refused = load(office, "space", content, check=8).error["problems"]
    assert [(one["where"], one["code"]) for one in refused] == [
        ("<stdin>:1:1", "E-COLUMN-UNKNOWN"),
        ("<stdin>:1:2", "E-COLUMN-UNKNOWN"),
        ("<stdin>:1:3", "E-COLUMN-UNKNOWN"),
    ]
    assert counts(load(office, "space", content, *naming, "--save-mapping", "facility")) == (0, 2, 0, 0, 0)
    assert data_of(office, "space", "4-1") == {"TITLE": "Head"}
    assert counts(load(office, "space", content, "--mapping", "facility")) == (0, 0, 2, 0, 0)
    missing = load(office, "space", content, "--mapping", "nothing", check=6).error
    assert missing["why"] == "Saved are: facility."
    assert load(office, "space", content, "--save-mapping", "x", check=2).error["code"] == "E-USAGE"


def test_a_dry_run_keeps_no_naming(office):
    content = "Desk\n4-1\n"
    load(office, "space", content, "--key", "Desk", "--save-mapping", "facility", "--dry-run")

    assert (
        load(office, "space", content, "--mapping", "facility", check=6).error["why"] == "None was saved yet."
    )


@pytest.mark.parametrize(
    "header",
    [
        "external_id,TITLE",
        "External ID,title",
        " EXTERNAL-ID , Title ",
        "ARTICLE_ID,TITLE",
        "article id,TITLE",
        "id,TITLE",
        "external_id,תפקיד",
        "external_id,Job Title",
        "\u200fexternal_id\u200e,job  title",
    ],
)
def test_columns_are_known_by_their_names_in_both_languages_in_any_spelling(office, header):
    office("aims", "mapping", "set", "--friendly", "TITLE:en=Job title", "--friendly", "TITLE:he=תפקיד")

    assert counts(load(office, "space", f"{header}\n4-1,Head\n")) == (0, 1, 0, 0, 0)
    assert data_of(office, "space", "4-1") == {"TITLE": "Head"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--map", "Nothing=TITLE"), "The file has no column 'Nothing'."),
        (("--map", "TITLE=COLOR"), "A space has no column 'COLOR'."),
        (("--key", "Nothing"), "The file has no column 'Nothing' to take the key from."),
    ],
)
def test_a_naming_that_does_not_fit_is_told(office, options, told):
    problems = load(office, "space", "external_id,TITLE\n4-1,x\n", *options, check=8).error["problems"]

    assert told in [one["message"] for one in problems]


# --- which rows, and what is set in all of them ---------------------------------------------------------------------


def test_constants_are_set_in_every_row_and_only_wanted_rows_are_read(office):
    content = "external_id,TITLE,Floor\n4-1,a,4\n4-2,b,5\n4-3,c,4\n"
    options = ("--map", "Floor=", "--where", "Floor=4", "--set", "DEPARTMENT=Kitchen", "--set", "TITLE=cook")

    assert counts(load(office, "space", content, *options)) == (0, 2, 0, 0, 0)
    assert data_of(office, "space", "4-1") == {"TITLE": "cook", "DEPARTMENT": "Kitchen"}
    assert data_of(office, "space", "4-2") == {}
    assert counts(load(office, "space", content, *options, "--max-rows", "1", "--set", "PHONE=03")) == (
        0,
        1,
        0,
        0,
        0,
    )
    assert (data_of(office, "space", "4-1")["PHONE"], "PHONE" in data_of(office, "space", "4-3")) == (
        "03",
        False,
    )
    assert counts(load(office, "people", "external_id\nA\nB\n", "--set", "space=")) == (0, 2, 0, 0, 0)


def test_lines_above_the_header_are_skipped_and_problems_still_point_at_the_files_own_lines(office):
    content = "Report of Monday\nnobody reads this\nexternal_id,space\nA,4-3\nB,9-9\n"

    (problem,) = load(office, "people", content, "--skip-rows", "2", check=8).error["problems"]

    assert problem["where"] == "<stdin>:5:2"
    told = load(office, "people", content, check=8).error["problems"]
    assert told[0]["hint"] == "add --skip-rows 2"


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        (("--set", "COLOR=red"), "electis space import --help"),
        (("--set", "external_id=1"), "electis space import --help"),
        (("--set", "TITLE=\x07"), "electis space import --help"),
        (("--where", "Nothing=1"), "electis space import --help"),
        (("--where", "TITLE"), "--where COLUMN=VALUE"),
        (("--map", "TITLE"), "--map HEADER=COLUMN"),
        (("--max-errors", "3"), "add --on-error skip"),
        (("--on-error", "ask"), "--on-error stop|skip"),
        (("--on-error", "skip", "--max-errors", "many"), "--max-errors 20, or --max-errors 5%"),
        (("--on-error", "skip", "--max-errors", "101%"), "--max-errors 5%"),
        (("--mode", "replace", "--yes", "--batch", "5"), "leave out --batch or --mode replace"),
        (
            ("--mode", "replace", "--yes", "--where", "TITLE=a"),
            "leave out --where and --max-rows, or --mode replace",
        ),
        (
            ("--mode", "replace", "--yes", "--max-rows", "1"),
            "leave out --where and --max-rows, or --mode replace",
        ),
        (
            ("--mode", "replace", "--yes", "--on-error", "skip"),
            "leave out --on-error skip, or --mode replace",
        ),
    ],
)
def test_what_can_not_be_wanted_is_a_usage_problem_and_changes_nothing(office, options, fix):
    before = office("space", "list", "-o", "json").out

    refused = load(office, "space", "external_id,TITLE\n4-1,changed\n", *options, check=2).error

    assert (refused["code"], refused["fix"]) == ("E-USAGE", fix)
    assert office("space", "list", "-o", "json").out == before


def test_a_sheet_is_chosen_by_its_name_and_problems_point_at_its_cells(office):
    file = office.home / "book.xlsx"
    file.write_bytes(book(Notes=[("nothing",)], Desks=[("external_id", "TITLE"), ("4-1", "Head"), ("", "x")]))

    refused = office("space", "import", str(file), "--sheet", "Desks", "-o", "json", check=8).error
    assert [one["where"] for one in refused["problems"]] == ["Desks!A3"]
    wrong = office("space", "import", str(file), "--sheet", "Chairs", "-o", "json", check=8).error
    assert "Desks" in json.dumps(wrong)
    done = office(
        "space", "import", str(file), "--sheet", "Desks", "--on-error", "skip", "-o", "json", check=3
    )
    assert counts(done) == (0, 1, 0, 0, 1)


def test_in_json_an_absent_key_leaves_a_field_and_an_empty_one_clears_it(office):
    load(office, "people", '[{"external_id": "A", "TITLE": "Head", "PHONE": "03"}]')
    rows = '{"external_id": "A", "PHONE": ""}\n{"external_id": "B", "space": ""}\n{"external_id": "D", "TITLE": null}\n'

    assert counts(load(office, "people", rows)) == (0, 2, 1, 0, 0)
    shown = office("people", "show", "A", "-o", "json").json
    assert (shown["data"], shown["space"]) == (
        {"ITEM_NAME": shown["data"]["ITEM_NAME"], "TITLE": "Head"},
        "4-1",
    )
    assert office("people", "show", "B", "-o", "json").json["space"] is None


# --- modes and the brake --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "expected", "code"),
    [
        ("upsert", (1, 1, 0, 0, 0), 0),
        ("create", (1, 0, 0, 0, 1), 3),
        ("update", (0, 1, 0, 0, 1), 3),
    ],
)
def test_a_mode_says_what_rows_may_do(office, mode, expected, code):
    content = "external_id,TITLE\n4-1,new\n9-1,new\n"

    assert (
        counts(load(office, "space", content, "--mode", mode, "--on-error", "skip", check=code)) == expected
    )
    if mode != "upsert":
        refused = load(office, "space", "external_id\n4-2\n9-9\n", "--mode", mode, check=8).error
        assert [one["code"] for one in refused["problems"]] == [
            "E-EXISTS" if mode == "create" else "E-UNKNOWN"
        ]


def test_replace_deletes_what_the_file_does_not_hold_once_it_is_allowed_to(office):
    content = "external_id\n4-1\n4-2\n"
    asked = load(office, "space", content, "--mode", "replace", check=2).error
    assert asked["fix"] == "add --yes"

    occupied = load(office, "space", "external_id\n4-1\n", "--mode", "replace", "--yes", check=8).error
    assert [(one["code"], one["field"]) for one in occupied["problems"]] == [("E-SPACE-OCCUPIED", "4-2")]
    assert counts(load(office, "space", content, "--mode", "replace", "--yes")) == (0, 0, 2, 3, 0)
    done = load(office, "space", "external_id\n4-1\n", "--mode", "replace", "--yes", "--unassign")
    # B stands up: that is a change of a person.
    assert counts(done) == (0, 1, 1, 1, 0)
    assert office("people", "show", "B", "-o", "json").json["space"] is None


def test_replace_is_braked_before_it_deletes_much(office):
    many = "".join(f"X{number}\n" for number in range(MOST_DELETES_FLOOR + 8))
    load(office, "space", f"external_id\n{many}")
    content = "external_id\n4-1\n4-2\n4-3\n4-4\n4-5\n"
    before = office("space", "list", "-o", "json").out

    tried = load(office, "space", content, "--mode", "replace", "--dry-run").json
    braked = load(office, "space", content, "--mode", "replace", "--yes", check=15).error

    assert (
        tried["brake"]
        == braked["message"]
        == "The file would delete 18 of 23; at most 10 go without being told."
    )
    assert braked["fix"] == "look at it with --dry-run, then add --max-deletes 18"
    assert load(office, "space", content, "--mode", "replace", "--yes", "--max-deletes", "17", check=15)
    assert office("space", "list", "-o", "json").out == before
    done = load(office, "space", content, "--mode", "replace", "--yes", "--max-deletes", "18")
    assert counts(done) == (0, 0, 5, 18, 0)
    assert office("undo", done.json["changeset"], "--yes", "-o", "json").json["created"] == 18


def test_people_and_rooms_and_links_are_replaced_too(office):
    assert counts(load(office, "people", "external_id,space\nA,4-2\n", "--mode", "replace", "--yes")) == (
        0,
        1,
        0,
        2,
        0,
    )
    assert counts(load(office, "conference", "external_id\n4\n", "--mode", "replace", "--yes")) == (
        1,
        0,
        0,
        1,
        0,
    )
    links = "label,article\n0848A6EBE2B1,C4\n"
    assert counts(load(office, "label", links, "--mode", "replace", "--yes")) == (1, 0, 0, 1, 0)
    assert [one["article"] for one in office("label", "list", "-o", "json").json] == ["C4"]


def test_labels_are_linked_moved_and_unlinked_by_a_file(office):
    links = "label,article\n0848a6ebe2b0,C3\n0848A6EBE2B1,4-2\n"
    view = load(office, "label", links).json
    assert (view["created"], view["updated"], view["label_redraws"]) == (1, 1, 2)
    assert counts(load(office, "label", links)) == (0, 0, 2, 0, 0)

    undone = load(office, "label", "label,article\n0848A6EBE2B1,\n").json

    assert (undone["deleted"], undone["label_redraws"]) == (1, 0)
    wrong = load(office, "label", "label,article\nXYZ,4-1\n0848A6EBE2B0,9-9\n", check=8).error["problems"]
    assert [(one["where"], one["code"]) for one in wrong] == [
        ("<stdin>:2:1", "E-INPUT"),
        ("<stdin>:3:2", "E-ARTICLE-NOT-FOUND"),
    ]


# --- rejects and progress -------------------------------------------------------------------------------------------


def test_skipped_rows_are_told_written_down_and_end_with_3(office):
    rejects = office.home / "rejects.csv"
    content = "external_id,space\nA,9-9\nB,4-3\n"

    told = office(
        "people", "import", "-", "--on-error", "skip", "--rejects", str(rejects), stdin=content, check=3
    )

    assert "left out: <stdin>:2:2: There is no space 9-9 in this store." in told.err
    put_right = rejects.read_bytes().replace(b"'9-9,", b"4-5,")
    rejects.write_bytes(put_right)
    assert counts(office("people", "import", str(rejects), "-o", "json")) == (0, 1, 0, 0, 0)
    assert office("people", "show", "A", "-o", "json").json["space"] == "4-5"


def test_progress_is_told_in_json_lines_or_not_at_all(office):
    content = "external_id\n" + "".join(f"X{number}\n" for number in range(1500))

    told = office("space", "import", "-", "--progress", "json", "-o", "json", stdin=content)
    lines = [json.loads(line)["progress"] for line in told.err.splitlines()]
    assert [line["step"] for line in lines] == ["reading", "comparing", "writing", "done"]
    assert {"step", "done", "total", "rows_per_second", "seconds_left"} == set(lines[0])
    assert (lines[-1]["done"], told.json["created"]) == (1500, 1500)
    for options in (("-q",), ("--progress", "none"), ()):
        assert office("space", "import", "-", *options, stdin=content).err == ""
    assert "1,500" not in office("space", "import", "-", "-q", stdin=content).out
