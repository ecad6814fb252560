"""Labels: wishes that the queue carries out; nothing here talks to AIMS."""

from __future__ import annotations

import pytest

from electis_cli.db import labels as wishes
from electis_cli.db import trail
from electis_cli.domain.access import Role
from electis_cli.domain.conference import Meeting
from electis_cli.domain.errors import (
    ArticleNotFound,
    Conflict,
    InvalidInput,
    LabelNotFound,
    PermissionRefused,
    UsageProblem,
)
from electis_cli.services import conferences, labels, spaces
from electis_cli.services.showing.showing import show_label

LABEL = "0848A6EBE2B0"


@pytest.fixture
def stocked(scope):
    """The scope with spaces 4-1 and 4-2 and room 3."""
    for space in ("4-1", "4-2"):
        spaces.create_space(scope, space, data={})
    conferences.create_room(scope, "3")
    return scope


def acknowledge(scope, label=LABEL):
    """Let AIMS have carried out what is wished."""
    with scope.runtime.database.write(scope.org_id) as uow:
        wish = wishes.find_wish(uow, label)
        acked = {"acked_article": wish.desired_article, "acked_page": wish.desired_page}
        wishes.update_wish(uow, label, {**acked, "synced_version": wish.version})
        uow.commit()


def actions(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [row["action"] for row in trail.list_audit(uow, entity="label")]


def test_linking_wishes_the_article(stocked):
    view = labels.link_label(stocked, "08:48:a6:eb:e2:b0", "4-1")

    assert (view.label_code, view.article, view.page, view.acked_article, view.status) == (
        LABEL,
        "4-1",
        None,
        None,
        "pending",
    )
    assert spaces.show_space(stocked, "4-1").labels == 1
    acknowledge(stocked)
    assert show_label(stocked, LABEL).status == "synced"


def test_a_label_of_a_room_shows_the_page_of_its_meeting(stocked):
    assert labels.link_label(stocked, LABEL, "C3").page == 1
    conferences.toggle_meeting(stocked, "3", meeting=Meeting(name="x"))
    assert show_label(stocked, LABEL).page == 2
    assert labels.link_label(stocked, "0848A6EBE2B1", "C3").page == 2


def test_linking_again_changes_the_wish_and_the_same_link_changes_nothing(stocked):
    labels.link_label(stocked, LABEL, "4-1")
    acknowledge(stocked)

    assert labels.link_label(stocked, LABEL, "4-1").status == "synced"
    moved = labels.link_label(stocked, LABEL, "4-2")

    assert (moved.article, moved.acked_article, moved.status) == ("4-2", "4-1", "pending")
    assert actions(stocked) == ["label:linked", "label:linked"]


def test_unlinking_wishes_nothing(stocked):
    labels.link_label(stocked, LABEL, "4-1")
    acknowledge(stocked)

    view = labels.unlink_label(stocked, LABEL)

    assert (view.article, view.page, view.acked_article, view.status) == (None, None, "4-1", "pending")
    assert [one.label_code for one in labels.list_labels(stocked)] == [LABEL]
    labels.unlink_label(stocked, LABEL)
    assert actions(stocked) == ["label:linked", "label:unlinked"]
    acknowledge(stocked)
    assert labels.list_labels(stocked) == []
    assert show_label(stocked, LABEL).status == "synced"


@pytest.mark.parametrize("article", ["9-9", "3", "C4", "C", ""])
def test_an_article_must_be_a_space_or_a_prefixed_room(stocked, article):
    with pytest.raises(ArticleNotFound):
        labels.link_label(stocked, LABEL, article)

    assert labels.list_labels(stocked) == []


def test_the_fix_names_the_room_that_was_meant(stocked):
    with pytest.raises(ArticleNotFound) as caught:
        labels.link_label(stocked, LABEL, "3")

    assert caught.value.fix == "electis label link LABEL C3"


@pytest.mark.parametrize("code", ["", "xyz", "0848A6EBE2B"])
def test_what_is_no_label_code_is_refused(stocked, code):
    for attempt in (
        lambda: labels.link_label(stocked, code, "4-1"),
        lambda: labels.unlink_label(stocked, code),
        lambda: show_label(stocked, code),
    ):
        with pytest.raises(InvalidInput):
            attempt()


def test_a_label_that_was_never_linked_is_not_found(stocked):
    for attempt in (show_label, labels.unlink_label):
        with pytest.raises(LabelNotFound):
            attempt(stocked, LABEL)


def test_a_label_belongs_to_one_store_at_a_time(bench):
    scope = bench.organization(store_codes=("001", "002"))
    for store in ("001", "002"):
        spaces.create_space(scope, "4-1", data={}, store=store)
    with pytest.raises(UsageProblem):
        labels.link_label(scope, LABEL, "4-1")
    labels.link_label(scope, LABEL, "4-1", store="001")
    acknowledge(scope)

    with pytest.raises(Conflict) as caught:
        labels.link_label(scope, LABEL, "4-1", store="002")
    assert "001" in caught.value.message

    assert labels.unlink_label(scope, LABEL).store == "001"
    with pytest.raises(Conflict) as caught:
        labels.link_label(scope, LABEL, "4-1", store="002")
    assert "still being unlinked" in caught.value.message
    acknowledge(scope)

    assert labels.link_label(scope, LABEL, "4-1", store="002").store == "002"
    with pytest.raises(LabelNotFound):
        show_label(scope, LABEL, store="001")


def test_a_failed_link_is_revived_by_linking_again(stocked):
    labels.link_label(stocked, LABEL, "4-1")
    with stocked.runtime.database.write(stocked.org_id) as uow:
        wishes.update_wish(uow, LABEL, {"state": "failed", "error_text": "not whitelisted"})
        uow.commit()
    assert show_label(stocked, LABEL).status == "failed"

    revived = labels.link_label(stocked, LABEL, "4-1")

    assert (revived.status, revived.error) == ("pending", None)


def test_dry_runs_change_nothing(stocked):
    assert labels.link_label(stocked, LABEL, "4-1", dry_run=True).article == "4-1"
    assert labels.list_labels(stocked) == []

    labels.link_label(stocked, LABEL, "4-1")
    assert labels.unlink_label(stocked, LABEL, dry_run=True).article is None
    assert show_label(stocked, LABEL).article == "4-1"


def test_viewers_and_other_organizations_change_no_label(bench, stocked):
    labels.link_label(stocked, LABEL, "4-1")
    viewer, other = bench.as_role(stocked, Role.VIEWER), bench.organization("OTHER")
    spaces.create_space(other, "4-1", data={})

    assert labels.list_labels(other) == []
    with pytest.raises(LabelNotFound):
        labels.unlink_label(other, LABEL)
    labels.link_label(other, LABEL, "4-1")  # each organization has a company of its own at AIMS
    with pytest.raises(PermissionRefused):
        labels.unlink_label(viewer, LABEL)
    assert len(labels.list_labels(viewer)) == 1
