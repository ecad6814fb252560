"""Brakes and approvals: what a plan is held for, and that an approval releases exactly that plan (design 5.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from electis_cli.db import runs
from electis_cli.db import spaces as rows
from electis_cli.domain.errors import BrakeTripped
from electis_cli.domain.organizations import Strategy
from electis_cli.services import configuring, labels, spaces
from electis_cli.services.full_sync import Choice, approve_run, choice_of
from electis_cli.simulator import Settings, Simulator, SimulatorServer
from tests.world.ledger import (
    SETTLED,
    Through,
    article,
    articles_at,
    edit,
    label_codes,
    link,
    push,
    put,
    remove,
    rows_of,
    runs_of,
    statuses,
    steps,
    store_of,
    sync,
    sync_twice,
    through,
    wish_of,
)
from tests.world.planted import AIMS_PASSWORD

NAMES = [f"S{number:02}" for number in range(12)]


@pytest.fixture
def make_site(bench, simulator_server, clock):
    """Return how to make an organization of a strategy with twelve spaces and one more, synced and settled."""

    def make(strategy=Strategy.MERGE):
        scope = bench.organization(base_url=simulator_server.base_url, strategy=strategy)
        for name in [*NAMES, "KEPT"]:
            spaces.create_space(scope, name, data={"TITLE": name})
        push(scope)
        sync(scope)
        clock.advance(SETTLED)
        sync(scope)
        return scope

    return make


@pytest.fixture
def site(make_site):
    return make_site()


def held(scope, **choice):
    """Run a full sync that is held, and return its run and the names of its brakes."""
    with pytest.raises(BrakeTripped) as caught:
        sync(scope, **choice)
    run = runs_of(scope)[0]
    assert (run["state"], run["id"]) == ("held", caught.value.details["run"])
    return run["id"], [brake["name"] for brake in run["brakes"]]


def reconfigure(scope, base_url, company="ACME"):
    configuring.configure(
        scope, base_url=base_url, company=company, username="tester", password=AIMS_PASSWORD,
        replace_existing=True,
    )  # fmt: skip


# --- removals -------------------------------------------------------------------------------------------------------


@pytest.fixture
def emptied(make_site, cloud, clock):
    """AIMS wins, and lost twelve articles a window ago."""
    scope = make_site(Strategy.AIMS_WINS)
    for name in NAMES:
        remove(cloud, name)
    sync(scope)
    clock.advance(SETTLED)
    return scope


def test_removals_over_the_brake_are_held_and_released_by_an_approval(emptied):
    run, brakes = held(emptied)
    assert brakes == ["removals"]
    assert len(spaces.list_spaces(emptied)) == 13
    assert approve_run(emptied, run).counts["remove"] == 12
    assert [space.external_id for space in spaces.list_spaces(emptied)] == ["KEPT"]
    push(emptied)
    assert {one["state"] for one in runs_of(emptied)[:2]} == {"approved", "completed"}


def test_the_most_deletions_are_said_for_one_run(emptied, cloud):
    assert sync(emptied, most_deletions=12).counts["remove"] == 12


def test_fewer_deletions_than_the_usual_limit_can_be_held_too(make_site, cloud, clock):
    scope = make_site(Strategy.AIMS_WINS)
    remove(cloud, "S00")
    sync(scope, most_deletions=0)
    clock.advance(SETTLED)
    run, brakes = held(scope, most_deletions=0)
    assert brakes == ["removals"]
    assert spaces.show_space(scope, "S00")
    # Whoever approves does not lift the limit that was set for the run, but answers for its plan.
    assert approve_run(scope, run).counts["remove"] == 1


# --- an approval ----------------------------------------------------------------------------------------------------


def test_a_held_run_keeps_what_was_chosen_for_it_and_is_approved_under_the_same_choices(site, cloud, clock):
    put(cloud, "4-9", TITLE="theirs")
    for name in NAMES:
        edit(cloud, name, TITLE="there")
        spaces.update_space(site, name, data={"TITLE": "here"})
    choice = {"strategy": Strategy.AIMS_WINS, "believe_at_once": True, "take_in": True, "most_deletions": 3}
    run, brakes = held(site, **choice)
    assert brakes == ["overwritten"]
    with site.runtime.database.read(site.org_id) as uow:
        assert choice_of(runs.find_run(uow, run)["terms"]) == Choice(**choice)
    view = approve_run(site, run)
    assert (view.counts["adopt"], view.counts["import"]) == (12, 1)
    assert spaces.show_space(site, "S03").data == {"TITLE": "there"}
    assert spaces.show_space(site, "4-9").data == {"TITLE": "theirs"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda site, cloud: edit(cloud, "S00", TITLE="yet another"), id="value-at-aims"),
        pytest.param(
            lambda site, cloud: spaces.update_space(site, "S00", data={"TITLE": "yet another"}),
            id="value-here",
        ),
        pytest.param(lambda site, cloud: edit(cloud, "KEPT", TITLE="one more"), id="one-more"),
        pytest.param(lambda site, cloud: edit(cloud, "S00", TITLE="S00"), id="one-less"),
    ],
)
def test_a_plan_that_changed_since_is_held_anew(site, cloud, change):
    for name in NAMES:
        edit(cloud, name, TITLE="there")
    run, _ = held(site, believe_at_once=True)
    before = rows_of(site)
    change(site, cloud)
    moved = {name for name in before if rows_of(site)[name] != before[name]}
    with pytest.raises(BrakeTripped) as caught:
        approve_run(site, run)
    assert caught.value.details["run"] != run
    assert {name: row for name, row in rows_of(site).items() if name not in moved} == {
        name: row for name, row in before.items() if name not in moved
    }
    assert [one["state"] for one in runs_of(site)[:2]] == ["held", "held"]
    assert approve_run(site, caught.value.details["run"]).counts["adopt"] >= 11


def test_a_value_that_changed_here_without_a_trace_is_another_plan_too(make_site, cloud):
    scope = make_site(Strategy.AIMS_WINS)
    for name in NAMES:
        edit(cloud, name, TITLE="there")
        spaces.update_space(scope, name, data={"TITLE": "here"})
    run, _ = held(scope, believe_at_once=True)
    with scope.runtime.database.write(scope.org_id) as uow:
        space = rows.find_space(uow, store_of(scope).id, "S00")
        rows.save_space(uow, replace(space, data={"TITLE": "silent"}), scope.runtime.clock())
        uow.commit()
    with pytest.raises(BrakeTripped):
        approve_run(scope, run)
    assert spaces.show_space(scope, "S00").data == {"TITLE": "silent"}


def test_an_approval_is_good_once(emptied, clock):
    run, _ = held(emptied)
    approve_run(emptied, run)
    with pytest.raises(Exception, match="not held"):
        approve_run(emptied, run)


# --- other brakes ---------------------------------------------------------------------------------------------------


def test_an_empty_aims_is_held_whatever_the_strategy(site, cloud, clock):
    for name in [*NAMES, "KEPT"]:
        remove(cloud, name)
    run, brakes = held(site)
    assert "empty_remote" in brakes
    approve_run(site, run)
    clock.advance(SETTLED)
    run, brakes = held(site)
    assert "empty_remote" in brakes
    assert approve_run(site, run).counts["push_again"] == 13
    push(site)
    assert len(articles_at(cloud)) == 13


def test_a_store_that_is_filled_while_it_is_listed_is_not_taken_for_an_emptied_one(connected):
    for name in NAMES:
        spaces.create_space(connected, name, data={})

    class Filled(Through):
        def count_articles(self, store):
            push(connected)
            return 0

    assert sync(through(connected, Filled)).counts["pending"] == len(NAMES)


def test_a_held_run_does_not_forget_what_it_saw_so_one_approval_is_enough(site, cloud, clock):
    for name in [*NAMES, "KEPT"]:
        remove(cloud, name)
    held(site)
    clock.advance(SETTLED)
    second, brakes = held(site)
    assert ("empty_remote" in brakes, runs_of(site)[0]["counts"]["push_again"]) == (True, 13)
    assert approve_run(site, second).counts["push_again"] == 13
    push(site)
    assert len(articles_at(cloud)) == 13
    assert sync(site).state == "completed"


def test_a_held_run_notes_what_it_saw_of_the_others(emptied, cloud, clock):
    """Whatever holds the plan, an edit at AIMS is believed when it stays, and a link of others is adopted."""
    (code,) = label_codes(cloud, 1)
    edit(cloud, "KEPT", TITLE="there")
    link(cloud, code, "KEPT")
    held(emptied)
    assert rows_of(emptied)["KEPT"].odd_since == clock()
    assert (rows_of(emptied)["S00"].has_base, len(spaces.list_spaces(emptied))) == (True, 13)
    clock.advance(SETTLED)
    run, _ = held(emptied)
    assert runs_of(emptied)[0]["counts"]["adopt"] == 1
    assert wish_of(emptied, code).desired_article == "KEPT"
    assert spaces.show_space(emptied, "KEPT").data == {"TITLE": "KEPT"}
    approve_run(emptied, run)
    assert spaces.show_space(emptied, "KEPT").data == {"TITLE": "there"}


def test_an_article_with_labels_is_not_deleted_again_without_being_asked(site, cloud, clock):
    (code,) = label_codes(cloud, 1)
    ghost = article(cloud, "S00")
    spaces.delete_space(site, "S00")
    push(site)
    clock.advance(SETTLED)
    with cloud.lock:
        store = cloud.store("ACME", "001")
        store.articles["S00"] = ghost
        store.labels[code].articles = ["S00"]
        store.articles_changed()
        store.links_changed()
    run, brakes = held(site)
    assert brakes == ["linked_deletions"]
    push(site)
    assert "S00" in articles_at(cloud)
    assert approve_run(site, run).counts["delete_again"] == 1
    push(site)
    assert "S00" not in articles_at(cloud)
    assert labels.list_labels(site) == []


# --- another binding ------------------------------------------------------------------------------------------------


def test_another_company_is_compared_only_after_somebody_said_so(site, simulator_server, cloud, clock):
    assert store_of(site).bound_to == f"{simulator_server.base_url} ACME 001"
    reconfigure(site, simulator_server.base_url, company="OTHER")
    before = rows_of(site)
    run, brakes = held(site)
    assert brakes == ["changed_binding", "empty_remote"]
    assert rows_of(site) == before
    assert cloud.store("OTHER", "001").articles == {}
    held(site)
    approve_run(site, runs_of(site)[0]["id"])
    assert store_of(site).bound_to == f"{simulator_server.base_url} OTHER 001"
    clock.advance(SETTLED)
    run, brakes = held(site)
    assert brakes == ["empty_remote"], "the binding is known now, an empty store is still asked about"
    assert approve_run(site, run).counts["push_again"] == 13
    push(site)
    assert sorted(cloud.store("OTHER", "001").articles) == sorted([*NAMES, "KEPT"])
    assert set(statuses(site).values()) == {"synced"}


def test_another_cloud_that_shows_the_same_is_asked_about_too(site, cloud):
    with SimulatorServer(Simulator(Settings())) as other:
        with cloud.lock:
            other.simulator.store("ACME", "001").articles.update(cloud.store("ACME", "001").articles)
            other.simulator.store("ACME", "001").articles_changed()
        reconfigure(site, other.base_url)
        run, brakes = held(site)
        assert brakes == ["changed_binding"]
        assert approve_run(site, run).writes == 0
        assert sync(site).state == "completed", "asked once"


def test_the_same_account_with_another_password_is_no_other_binding(site, simulator_server, clock):
    reconfigure(site, simulator_server.base_url)
    assert sync_twice(site, clock).writes == 0


def test_a_dry_run_tells_the_brakes_and_holds_nothing(emptied):
    count = len(runs_of(emptied))
    view = sync(emptied, dry_run=True)
    assert (view.state, [brake["name"] for brake in view.brakes]) == ("planned", ["removals"])
    assert len(runs_of(emptied)) == count
    run, _ = held(emptied)
    assert runs_of(emptied)[0]["digest"] == view.digest
    assert steps(approve_run(emptied, run)) == dict.fromkeys(NAMES, "remove")
