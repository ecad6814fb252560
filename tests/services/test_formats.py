"""The article format: shown, compared, and taken over on purpose (design 4.7)."""

from __future__ import annotations

import pytest

from electis_cli.db import organizations
from electis_cli.domain.access import Role
from electis_cli.domain.errors import FormatMissing, PermissionRefused, UnknownColumn
from electis_cli.domain.queue import Status
from electis_cli.services import formats, people, spaces
from electis_cli.services.push.report import Ending
from tests.world.ledger import (
    SETTLED,
    account_of,
    article,
    article_writes,
    push,
    rows_of,
    spaces_deleted,
    statuses,
    sync,
)
from tests.world.organizations import FORMAT


def change_format(cloud, *, add=(), remove=()):
    with cloud.lock:
        company = cloud.company("ACME")
        columns = [column for column in company.format["articleData"] if column not in remove]
        company.format = {**company.format, "articleData": [*columns, *add]}


def test_the_format_is_shown_with_its_meeting_columns(connected, clock):
    view = formats.show_format(connected)
    assert (view.columns, view.id_column, view.name_column, view.store_column) == (
        FORMAT.columns, "ARTICLE_ID", "ITEM_NAME", "STORE_ID",
    )  # fmt: skip
    assert view.meeting_columns["name"] == "MEETING_NAME"
    assert view.fetched_at == clock()


def test_fetching_the_same_format_changes_no_article(connected, clock):
    spaces.create_space(connected, "A", data={})
    push(connected)
    before = rows_of(connected)
    clock.advance(60)
    view = formats.fetch_format(connected)
    assert (view.added, view.removed, view.fetched_at) == ((), (), clock())
    assert rows_of(connected) == before


def test_a_new_column_is_taken_over_and_everything_rendered_again(connected, cloud):
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    push(connected)
    change_format(cloud, add=["FLOOR"])
    with pytest.raises(UnknownColumn):
        spaces.update_space(connected, "A", data={"FLOOR": "4"})
    view = formats.fetch_format(connected)
    assert (view.added, view.removed) == (("FLOOR",), ())
    assert statuses(connected) == {"A": Status.PENDING}
    spaces.update_space(connected, "A", data={"FLOOR": "4"})
    push(connected)
    assert article(cloud, "A").data["FLOOR"] == "4"


def test_a_column_that_is_gone_is_not_pushed_any_more_and_its_values_stay_here(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "x", "PHONE": "7"})
    push(connected)
    clock.advance(SETTLED)
    change_format(cloud, remove=["PHONE"])
    view = formats.fetch_format(connected)
    assert view.removed == ("PHONE",)
    push(connected)
    clock.advance(SETTLED)
    push(connected)
    assert statuses(connected) == {"A": Status.SYNCED}
    assert spaces.show_space(connected, "A").data == {"TITLE": "x", "PHONE": "7"}
    assert sync(connected).writes == 0


def test_a_new_column_that_others_filled_is_taken_in_and_not_wiped(connected, cloud, clock):
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    push(connected)
    clock.advance(SETTLED)
    with cloud.lock:
        held = article(cloud, "A")
        held.data = {**held.data, "FLOOR": "4"}
    change_format(cloud, add=["FLOOR"])
    formats.fetch_format(connected)
    for _ in range(3):
        push(connected)
        clock.advance(SETTLED)
    assert article(cloud, "A").data["FLOOR"] == "4"
    assert spaces.show_space(connected, "A").data == {"TITLE": "x", "FLOOR": "4"}


def test_deleted_articles_are_not_rendered_again(connected, cloud):
    for name in ("A", "B"):
        spaces.create_space(connected, name, data={})
    push(connected)
    spaces.delete_space(connected, "B")
    push(connected)
    change_format(cloud, add=["FLOOR"])
    formats.fetch_format(connected)
    assert statuses(connected) == {"A": Status.PENDING, "B": Status.SYNCED}
    push(connected)
    assert spaces_deleted(cloud) == ["B"]


def test_a_dry_fetch_shows_the_difference_and_changes_nothing(connected, cloud):
    spaces.create_space(connected, "A", data={})
    push(connected)
    change_format(cloud, add=["FLOOR"])
    assert formats.fetch_format(connected, dry_run=True).added == ("FLOOR",)
    assert formats.show_format(connected).columns == FORMAT.columns
    assert statuses(connected) == {"A": Status.SYNCED}


def test_a_format_that_vanished_is_not_taken_over(connected, cloud):
    with cloud.lock:
        cloud.company("ACME").format = None
    with pytest.raises(FormatMissing):
        formats.fetch_format(connected)
    with pytest.raises(FormatMissing):
        sync(connected)
    assert formats.show_format(connected).columns == FORMAT.columns


def test_without_a_format_nothing_is_pushed_and_nothing_blank_appears(connected, cloud):
    spaces.create_space(connected, "A", data={"TITLE": "x"})
    with connected.runtime.database.write(connected.org_id) as uow:
        organizations.update_organization(uow, connected.org_id, {"article_format": None})
        uow.commit()
    assert push(connected).ending is Ending.NO_FORMAT
    for work in (sync, formats.show_format):
        with pytest.raises(FormatMissing):
            work(connected)
    assert (article_writes(cloud), rows_of(connected)["A"].is_dirty) == (0, True)
    formats.fetch_format(connected)
    push(connected)
    assert article(cloud, "A").data["TITLE"] == "x"


def test_only_those_who_may_change_settings_take_a_format_over(bench, connected, cloud):
    change_format(cloud, add=["FLOOR"])
    with pytest.raises(PermissionRefused):
        formats.fetch_format(bench.as_role(connected, Role.MANAGER))
    assert formats.show_format(bench.as_role(connected, Role.VIEWER)).columns == FORMAT.columns


def test_taking_a_format_over_does_not_lift_a_stop_for_another_reason(connected, cloud):
    cloud.faults.add("status", code=503, path="/store")
    from electis_cli.services import ping

    ping.ping(connected)
    change_format(cloud, add=["FLOOR"])
    formats.fetch_format(connected)
    assert (account_of(connected).breaker, account_of(connected).breaker_reason) == ("open", "health")


def test_a_persons_data_fill_the_new_column_at_once(connected, cloud):
    spaces.create_space(connected, "A", data={})
    people.create_person(connected, "P1", data={"ITEM_NAME": "Dana"}, space="A")
    push(connected)
    change_format(cloud, add=["BADGE"])
    formats.fetch_format(connected)
    people.update_person(connected, "P1", data={"BADGE": "007"})
    push(connected)
    assert article(cloud, "A").data["BADGE"] == "007"
