"""The column mapping: what fits the format, and which articles a change of it pushes again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from electis_cli.db import organizations, trail
from electis_cli.domain.access import Role
from electis_cli.domain.articles import content_of
from electis_cli.domain.conference import Meeting
from electis_cli.domain.errors import FormatMissing, InvalidInput, PermissionRefused, UsageProblem
from electis_cli.domain.organizations import ColumnMapping, MeetingColumns, propose_mapping
from electis_cli.services import conferences, mapping, people, spaces
from electis_cli.services.mapping import MappingChange, change_mapping, check_mapping, parse_change
from tests.world.ledger import push, rows_of
from tests.world.organizations import FORMAT

PROPOSED = propose_mapping(FORMAT)


def dirty(scope):
    return {article_id for article_id, row in rows_of(scope).items() if row.is_dirty}


# --- what a person typed --------------------------------------------------------------------------------------------


def test_a_change_is_read_from_what_was_typed():
    change = parse_change(
        meeting={"name": "TITLE", "time": None, "participants": ""},
        friendly=["ITEM_NAME:he=שם מלא", "ITEM_NAME:en=  Full   name ", "A:B:en=x"],
        defaults=["TITLE=Guest", "PHONE=1=2"],
        no_defaults=["EMAIL"],
    )
    assert change.friendly == {
        ("ITEM_NAME", "he"): "שם מלא",
        ("ITEM_NAME", "en"): "Full name",
        ("A:B", "en"): "x",
    }
    assert change.defaults == {"TITLE": "Guest", "PHONE": "1=2", "EMAIL": ""}
    changed = change_mapping(PROPOSED, change)
    assert changed.meeting == MeetingColumns(name="TITLE", time="MEETING_TIME", participants=None)
    assert changed.defaults == {"TITLE": "Guest", "PHONE": "1=2"}


@pytest.mark.parametrize(
    "typed",
    [
        {"friendly": ["ITEM_NAME=x"]},
        {"friendly": ["ITEM_NAME:he"]},
        {"friendly": [":he=x"]},
        {"defaults": ["x"]},
        {"defaults": ["=x"]},
    ],
    ids=str,
)
def test_what_can_not_be_read(typed):
    with pytest.raises(UsageProblem):
        parse_change(meeting={}, **typed)


def test_an_empty_name_or_value_takes_away():
    have = replace(PROPOSED, friendly_names={"TITLE": {"he": "א", "en": "T"}}, defaults={"TITLE": "x"})
    gone = change_mapping(
        have, MappingChange(friendly={("TITLE", "he"): "", ("TITLE", "en"): ""}, defaults={"TITLE": ""})
    )
    assert (gone.friendly_names, gone.defaults) == ({}, {})


# --- what fits ------------------------------------------------------------------------------------------------------


def test_what_was_proposed_fits():
    assert check_mapping(PROPOSED, FORMAT) == []


@pytest.mark.parametrize(
    ("changed", "place", "word"),
    [
        ({"meeting": MeetingColumns(name="NOWHERE")}, "meeting name", "NOWHERE"),
        ({"meeting": MeetingColumns(name="ARTICLE_ID")}, "meeting name", "overwrite"),
        ({"meeting": MeetingColumns(name="ITEM_NAME")}, "meeting name", "overwrite"),
        ({"meeting": MeetingColumns(name="STORE_ID")}, "meeting name", "STORE_ID"),
        ({"meeting": MeetingColumns(name="TITLE", time="TITLE")}, "meeting time", "already"),
        ({"friendly_names": {"NOWHERE": {"en": "x"}}}, "friendly NOWHERE", "NOWHERE"),
        ({"friendly_names": {"TITLE": {"fr": "x"}}}, "friendly TITLE", "'fr'"),
        ({"friendly_names": {"TITLE": {"en": "X"}, "PHONE": {"en": "x"}}}, "friendly PHONE", "both"),
        ({"defaults": {"NOWHERE": "x"}}, "default NOWHERE", "NOWHERE"),
        ({"defaults": {"ARTICLE_ID": "x"}}, "default ARTICLE_ID", "id"),
        ({"defaults": {"STORE_ID": "x"}}, "default STORE_ID", "AIMS"),
        ({"defaults": {"TITLE": "a\x07b"}}, "default TITLE", "control"),
        ({"defaults": {"NFC_URL": "x" * 300}}, "default NFC_URL", "300"),
    ],
)
def test_what_does_not_fit_is_named(changed, place, word):
    (problem,) = [
        item for item in check_mapping(replace(PROPOSED, **changed), FORMAT) if item.severity == "error"
    ]
    assert problem.field == place
    assert word in problem.message


def test_a_meeting_that_is_not_shown_is_only_odd():
    problems = check_mapping(ColumnMapping(defaults={"NOWHERE": "x"}), FORMAT)
    assert [item.severity for item in problems] == ["error", "warning", "warning", "warning"]


# --- what is pushed again -------------------------------------------------------------------------------------------


@pytest.fixture
def settled(connected):
    """Spaces 1 (Dana, with a title of hers), 2 (Noa, without) and 3 (free), a busy room and a free one, all pushed."""
    for space in ("1", "2", "3"):
        spaces.create_space(connected, space, data={})
    people.create_person(connected, "P-1", data={"TITLE": "Boss"}, space="1")
    people.create_person(connected, "P-2", data={}, space="2")
    for room in ("8", "9"):
        conferences.create_room(connected, room)
    conferences.toggle_meeting(connected, "8", meeting=Meeting(name="Budget"))
    push(connected)
    assert dirty(connected) == set()
    return connected


def test_a_default_touches_the_occupied_spaces_it_shows_in(settled, cloud):
    view = mapping.set_mapping(settled, MappingChange(defaults={"TITLE": "Guest"}), dry_run=True)
    assert (view.rerendered, view.dry_run, dirty(settled)) == (1, True, set())
    assert mapping.show_mapping(settled).defaults == {}

    assert mapping.set_mapping(settled, MappingChange(defaults={"TITLE": "Guest"})).rerendered == 1
    assert dirty(settled) == {"2"}
    push(settled)
    shown = cloud.store("ACME", "001").articles
    assert [shown[one].data["TITLE"] for one in ("1", "2", "3")] == ["Boss", "Guest", ""]
    assert mapping.set_mapping(settled, MappingChange(defaults={"TITLE": ""})).rerendered == 1
    assert mapping.set_mapping(settled, MappingChange(defaults={"TITLE": ""})).rerendered == 0


def test_a_meeting_column_touches_busy_rooms_only(settled, cloud):
    assert mapping.set_mapping(settled, MappingChange(meeting={"name": "DEPARTMENT"})).rerendered == 1
    assert dirty(settled) == {"C8"}
    push(settled)
    data = cloud.store("ACME", "001").articles["C8"].data
    assert (data["DEPARTMENT"], data["MEETING_NAME"]) == ("Budget", "")
    assert content_of("", "", data, FORMAT)["DEPARTMENT"] == "Budget"


def test_a_friendly_name_touches_no_label(settled):
    view = mapping.set_mapping(settled, MappingChange(friendly={("ITEM_NAME", "he"): "שם"}))
    assert (view.rerendered, view.friendly_names) == (0, {"ITEM_NAME": {"he": "שם"}})
    assert dirty(settled) == set()
    with settled.runtime.database.read(settled.org_id) as uow:
        (row,) = [row for row in trail.list_audit(uow) if row["action"] == "aims:mapping_changed"]
    assert row["before"]["friendly_names"] == {}
    assert row["after"]["friendly_names"] == {"ITEM_NAME": {"he": "שם"}}


def test_a_mapping_that_does_not_fit_is_refused_whole(settled):
    wanted = MappingChange(meeting={"name": "NOWHERE"}, defaults={"TITLE": "x", "NONE": "y"})
    with pytest.raises(InvalidInput) as refused:
        mapping.set_mapping(settled, wanted)
    assert sorted(problem.field for problem in refused.value.problems) == ["default NONE", "meeting name"]
    assert mapping.show_mapping(settled).defaults == {}
    assert mapping.validate_mapping(settled) == []


def test_without_a_format_there_is_nothing_to_fit(settled):
    with settled.runtime.database.write(settled.org_id) as uow:
        organizations.update_organization(uow, settled.org_id, {"article_format": None})
        uow.commit()
    with pytest.raises(FormatMissing):
        mapping.set_mapping(settled, MappingChange(defaults={"TITLE": "x"}))
    with pytest.raises(FormatMissing):
        mapping.validate_mapping(settled)


def test_only_admins_change_it_and_only_their_own(bench, settled):
    for role in (Role.MANAGER, Role.VIEWER, Role.SUPPORT):
        with pytest.raises(PermissionRefused):
            mapping.set_mapping(bench.as_role(settled, role), MappingChange(defaults={"TITLE": "x"}))
    other = bench.organization("OTHER")
    mapping.set_mapping(other, MappingChange(defaults={"TITLE": "theirs"}))
    assert mapping.show_mapping(settled).defaults == {}
