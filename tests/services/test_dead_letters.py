"""Dead letters: grouped by cause, and dealt with by name, by cause, or all at once."""

from __future__ import annotations

import pytest

from electis_cli.domain.access import Role
from electis_cli.domain.errors import NotFound, PermissionRefused
from electis_cli.domain.queue import Status
from electis_cli.services import labels, spaces
from electis_cli.services.dead_letters import (
    EVERYTHING,
    Choice,
    dead_letters,
    discard_dead_letters,
    group_dead_letters,
    retry_dead_letters,
)
from tests.world.ledger import events_of, label_codes, push, statuses, wish_of

LONG, BAD = "NAME_IS_TOO_LONG", "FIELD_IS_MISSING"


@pytest.fixture
def code(cloud):
    return label_codes(cloud, 1)[0]


@pytest.fixture
def buried(connected, cloud, code, clock):
    """Articles A and B of one cause, C of another, and a label whose link AIMS refused."""
    for name in ("A", "B", "C", "D"):
        spaces.create_space(connected, name, data={"TITLE": name})
    cloud.faults.add("reject-article", articles=("A", "B"), message=LONG)
    cloud.faults.add("reject-article", articles=("C",), message=BAD)
    push(connected)
    clock.advance(1)
    labels.link_label(connected, code, "D")
    cloud.faults.add("status", code=405, message="LABEL_IS_BROKEN", path="/labels/link")
    push(connected)
    cloud.faults.clear()
    return connected


def subjects(scope, choice=EVERYTHING):
    return sorted(letter.subject for letter in dead_letters(scope, choice))


def test_letters_name_their_cause_and_are_grouped_by_it(buried, code):
    assert {letter.subject: letter.cause for letter in dead_letters(buried)} == {
        "A": LONG, "B": LONG, "C": BAD, code: "LABEL_IS_BROKEN",
    }  # fmt: skip
    groups = group_dead_letters(buried)
    assert [(group.cause, group.count, group.kinds) for group in groups] == [
        (LONG, 2, ("article",)), (BAD, 1, ("article",)), ("LABEL_IS_BROKEN", 1, ("label",)),
    ]  # fmt: skip
    assert sorted(groups[0].examples) == ["A", "B"]
    assert groups[0].stores == ("001",)
    assert groups[0].first_at <= groups[0].last_at < groups[2].first_at
    assert LONG in groups[0].error


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (Choice(), ["A", "B", "C", "LABEL"]),
        (Choice(cause=LONG.lower()), ["A", "B"]),
        (Choice(articles=["A", "C"]), ["A", "C"]),
        (Choice(articles=["A", "C"], cause=LONG), ["A"]),
        (Choice(subjects=["B", "LABEL"]), ["B", "LABEL"]),
        (Choice(labels=["LABEL"]), ["LABEL"]),
        (Choice(labels=["LABEL"], articles=["A"]), ["A", "LABEL"]),
        (Choice(articles=["LABEL"]), []),
        (Choice(labels=["A"]), []),
        (Choice(cause="ELSE"), []),
    ],
    ids=str,
)
def test_a_choice_takes_what_fits_all_of_it(buried, code, choice, found):
    def real(names):
        return [code.lower() if name == "LABEL" else name for name in names]

    asked = Choice(
        subjects=real(choice.subjects),
        articles=real(choice.articles),
        labels=real(choice.labels),
        cause=choice.cause,
    )
    assert subjects(buried, asked) == sorted(code if name == "LABEL" else name for name in found)
    assert len(dead_letters(buried, asked, limit=1)) == min(1, len(found))


def test_those_of_a_cause_are_pushed_once_more_and_the_others_stay(buried, code):
    assert retry_dead_letters(buried, Choice(cause=LONG), dry_run=True) == 2
    assert len(subjects(buried)) == 4
    assert retry_dead_letters(buried, Choice(cause=LONG)) == 2
    assert subjects(buried) == sorted(["C", code])
    push(buried)
    assert {name: statuses(buried)[name] for name in "ABC"} == {
        "A": Status.SYNCED, "B": Status.SYNCED, "C": Status.FAILED,
    }  # fmt: skip


def test_all_are_pushed_once_more_at_once(buried, code):
    assert retry_dead_letters(buried, EVERYTHING) == 4
    push(buried)
    assert subjects(buried) == []
    assert set(statuses(buried).values()) == {Status.SYNCED}
    assert wish_of(buried, code).acked_article == "D"
    assert retry_dead_letters(buried, EVERYTHING) == 0


def test_those_of_a_cause_are_silenced_and_what_they_are_about_stays_failed(buried, code):
    assert discard_dead_letters(buried, Choice(cause=BAD)) == 1
    assert subjects(buried) == sorted(["A", "B", code])
    assert statuses(buried)["C"] is Status.FAILED
    assert discard_dead_letters(buried, Choice(labels=[code])) == 1
    assert discard_dead_letters(buried, EVERYTHING) == 2
    assert discard_dead_letters(buried, EVERYTHING) == 0
    assert len(events_of(buried, "queue:discarded")) == 3
    push(buried)
    assert {name: statuses(buried)[name] for name in "ABC"} == dict.fromkeys("ABC", Status.FAILED)


@pytest.mark.parametrize("deal", [retry_dead_letters, discard_dead_letters])
def test_a_name_or_a_cause_without_a_letter_changes_nothing(buried, deal):
    for choice in (
        Choice(subjects=["A", "D"]),
        Choice(labels=["A"]),
        Choice(cause="ELSE"),
        Choice(articles=["x"]),
    ):
        with pytest.raises(NotFound) as refused:
            deal(buried, choice)
        assert refused.value.fix
    assert len(subjects(buried)) == 4


@pytest.mark.parametrize("deal", [retry_dead_letters, discard_dead_letters])
def test_who_may_not_steer_deals_with_no_letter(bench, buried, deal, simulator_server):
    with pytest.raises(PermissionRefused):
        deal(bench.as_role(buried, Role.VIEWER), EVERYTHING)
    other = bench.organization("OTHER", base_url=simulator_server.base_url)
    assert deal(other, EVERYTHING) == 0
    with pytest.raises(NotFound):
        deal(other, Choice(subjects=["A"]))
    assert len(subjects(buried)) == 4


def test_letters_of_another_store_are_left_alone(bench, simulator_server, cloud):
    scope = bench.organization(base_url=simulator_server.base_url, store_codes=("001", "002"))
    cloud.faults.add("reject-article", articles=("A",), message=BAD)
    from electis_cli.services import draining

    for store in ("001", "002"):
        spaces.create_space(scope, "A", data={}, store=store)
    draining.drain(scope)
    (group,) = group_dead_letters(scope)
    assert (group.count, group.stores) == (2, ("001", "002"))
    assert discard_dead_letters(scope, Choice(subjects=["A"]), store="002") == 1
    assert [letter.store for letter in dead_letters(scope)] == ["001"]
    with pytest.raises(NotFound):
        discard_dead_letters(scope, Choice(subjects=["A"]), store="002")
