"""Replacing a label and flipping pages: only wishes, on both databases."""

from __future__ import annotations

import pytest

from electis_cli.db import trail
from electis_cli.domain.access import Role
from electis_cli.domain.errors import Conflict, InvalidInput, LabelNotFound, PermissionRefused
from electis_cli.services import conferences, label_actions, labels, spaces
from electis_cli.services.showing.showing import show_label
from tests.world.ledger import wish_of

OLD, NEW, THIRD = "0848A6EBE2BA", "0A1B2C3DB290", "0A1B2C4FB295"


@pytest.fixture
def stocked(scope):
    """A store with spaces 4-1 and 4-2, the free room 3, and the label OLD on 4-1."""
    for space in ("4-1", "4-2"):
        spaces.create_space(scope, space, data={})
    conferences.create_room(scope, "3")
    labels.link_label(scope, OLD, "4-1")
    return scope


def audit_of(scope, entity_id):
    with scope.runtime.database.read(scope.org_id) as uow:
        return [
            (row["action"], row["after"])
            for row in trail.list_audit(uow, entity="label", entity_id=entity_id)
        ]


def test_a_new_label_takes_over_what_the_old_one_shows(stocked):
    new, old = label_actions.replace_label(stocked, OLD.lower(), NEW)
    assert (new.label_code, new.article, new.status) == (NEW, "4-1", "pending")
    assert (old.label_code, old.article) == (OLD, None)
    assert audit_of(stocked, NEW)[-1] == ("label:linked", {"article": "4-1", "page": None, "replaces": OLD})
    assert audit_of(stocked, OLD)[-1] == (
        "label:unlinked",
        {"article": None, "page": None, "replaced_by": NEW},
    )


def test_the_page_moves_along_and_a_rooms_page_is_its_own(stocked):
    label_actions.flip_label(stocked, OLD, 3)
    assert label_actions.replace_label(stocked, OLD, NEW)[0].page == 3
    conferences.toggle_meeting(stocked, "3", turn_on=True)
    labels.link_label(stocked, OLD, "C3")
    assert label_actions.replace_label(stocked, OLD, THIRD)[0].page == 2
    # A label that comes from a busy room does not stay on the meeting's page.
    labels.link_label(stocked, OLD, "4-2")
    labels.unlink_label(stocked, THIRD)
    with stocked.runtime.database.write(stocked.org_id) as uow:
        from electis_cli.db.labels import update_wish

        update_wish(uow, THIRD, {"desired_page": 2})
        uow.commit()
    assert label_actions.replace_label(stocked, OLD, THIRD)[0].page == 1


def test_what_can_not_be_replaced(stocked):
    with pytest.raises(InvalidInput):
        label_actions.replace_label(stocked, OLD, OLD)
    with pytest.raises(InvalidInput):
        label_actions.replace_label(stocked, OLD, "nonsense")
    with pytest.raises(LabelNotFound):
        label_actions.replace_label(stocked, THIRD, NEW)
    labels.link_label(stocked, NEW, "4-2")
    with pytest.raises(Conflict, match="4-2"):
        label_actions.replace_label(stocked, OLD, NEW)
    labels.unlink_label(stocked, OLD)
    with pytest.raises(Conflict, match="nothing"):
        label_actions.replace_label(stocked, OLD, THIRD)
    assert wish_of(stocked, NEW).desired_article == "4-2"


def test_a_label_that_shows_the_same_already_may_take_over(stocked):
    labels.link_label(stocked, NEW, "4-1")
    new, old = label_actions.replace_label(stocked, OLD, NEW)
    assert (new.article, old.article) == ("4-1", None)


def test_a_dry_run_replaces_nothing(stocked):
    assert label_actions.replace_label(stocked, OLD, NEW, dry_run=True)[0].article == "4-1"
    assert wish_of(stocked, OLD).desired_article == "4-1"
    with pytest.raises(LabelNotFound):
        show_label(stocked, NEW)


def test_a_page_is_wished(stocked):
    assert label_actions.flip_label(stocked, OLD, 2).page == 2
    version = wish_of(stocked, OLD).version
    label_actions.flip_label(stocked, OLD, 2)
    assert wish_of(stocked, OLD).version == version, "the same page again is no change"
    assert label_actions.flip_label(stocked, OLD, 1, dry_run=True).page == 1
    assert wish_of(stocked, OLD).desired_page == 2
    assert audit_of(stocked, OLD)[-1] == ("label:flipped", {"page": 2, "forced": False})


@pytest.mark.parametrize("page", [0, 8, -1])
def test_a_page_that_no_label_has(stocked, page):
    with pytest.raises(InvalidInput, match="page"):
        label_actions.flip_label(stocked, OLD, page)


def test_a_rooms_label_is_flipped_by_force_only(stocked):
    labels.link_label(stocked, OLD, "C3")
    with pytest.raises(Conflict, match="room 3") as refused:
        label_actions.flip_label(stocked, OLD, 2)
    assert "toggle 3" in refused.value.fix
    assert label_actions.flip_label(stocked, OLD, 2, force=True).page == 2
    conferences.toggle_meeting(stocked, "3", turn_on=True)
    conferences.toggle_meeting(stocked, "3", turn_on=False)
    assert wish_of(stocked, OLD).desired_page == 1, "the meeting has the last word"


def test_an_unlinked_label_has_no_page(stocked):
    labels.unlink_label(stocked, OLD)
    with pytest.raises(Conflict, match="shows nothing"):
        label_actions.flip_label(stocked, OLD, 2)
    with pytest.raises(LabelNotFound):
        label_actions.flip_label(stocked, NEW, 2)


def test_viewers_other_stores_and_other_organizations_change_no_label(bench, stocked):
    viewer, other = bench.as_role(stocked, Role.VIEWER), bench.organization("OTHER")
    for act in (
        lambda who: label_actions.replace_label(who, OLD, NEW),
        lambda who: label_actions.flip_label(who, OLD, 2),
    ):
        with pytest.raises(PermissionRefused):
            act(viewer)
        with pytest.raises(LabelNotFound):
            act(other)
    two = bench.organization("TWOST", store_codes=("001", "002"))
    spaces.create_space(two, "4-1", data={}, store="001")
    labels.link_label(two, OLD, "4-1", store="001")
    with pytest.raises(LabelNotFound):
        label_actions.flip_label(bench.as_role(two, Role.MANAGER, store="002"), OLD, 2)
    assert label_actions.flip_label(two, OLD, 2).store == "001", "a label's store need not be said"
