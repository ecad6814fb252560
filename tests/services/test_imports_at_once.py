"""Two who change the same at once: one bulk change is refused, and an edit between look and lock is not lost."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from electis_cli.domain.errors import ChangedMeanwhile, LockHeld
from electis_cli.services import conferences, labels, people, spaces
from electis_cli.services.bulk.history import list_history
from tests.world.facts import facts_of
from tests.world.importing import import_labels, import_people, import_rooms, import_spaces

pytestmark = pytest.mark.slow


def fill(scope, store="001"):
    import_spaces(scope, b"external_id,TITLE\n4-1,a\n4-2,b\n4-3,c\n", store=store)
    import_people(scope, b"external_id,space,TITLE\nA,4-1,x\nB,4-2,y\n", store=store)
    return scope


@pytest.fixture
def beside(open_database, make_runtime):
    """Return how somebody else sees an organization: another process' worth of connections."""
    runtime = make_runtime(open_database())
    return lambda scope: replace(scope, runtime=runtime)


class Held:
    """An import that stands still at a point until it is let go on."""

    def __init__(self, scope, make_runtime, point):
        self._point, self._there, self._go_on = point, threading.Event(), threading.Event()
        self.scope = replace(scope, runtime=make_runtime(scope.runtime.database, reached=self._reached))
        self.result = None
        self._thread = None

    def _reached(self, point):
        if point == self._point:
            self._there.set()
            assert self._go_on.wait(30)

    def start(self, load, content, **more):
        def run():
            self.result = load(self.scope, content, **more)

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert self._there.wait(30)

    def finish(self):
        self._go_on.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.result


@pytest.mark.parametrize("point", ["bulk:written", "bulk:committing"])
def test_of_two_imports_at_once_the_second_is_refused_and_nothing_is_mixed(
    scope, make_runtime, beside, point
):
    fill(scope)
    first = Held(scope, make_runtime, point)
    first.start(import_people, b"external_id,space,TITLE\nA,4-2,first\nB,4-1,first\n")
    other = b"external_id,space,TITLE\nA,4-3,second\nB,4-1,second\nE,4-2,second\n"

    with pytest.raises(LockHeld) as caught:
        import_people(beside(scope), other)

    assert caught.value.fix == "electis history list, then run the command again"
    assert first.finish().updated == 2
    assert facts_of(scope)["people"] == {
        ("001", "A"): ({"TITLE": "first"}, "4-2"),
        ("001", "B"): ({"TITLE": "first"}, "4-1"),
    }
    assert import_people(beside(scope), other).created == 1, "the place is free again"


def test_who_was_refused_or_failed_leaves_the_place_free(scope, beside):
    fill(scope)
    with pytest.raises(Exception, match="one error"):
        import_people(scope, b"external_id,space\nE,9-9\n")

    assert import_people(beside(scope), b"external_id\nE\n").created == 1


def test_on_a_server_the_stores_of_an_organization_and_other_organizations_go_on(
    bench, make_runtime, engine_kind
):
    acme = bench.organization(store_codes=("001", "002"))
    other = bench.organization("OTHER")
    first = Held(acme, make_runtime, "bulk:written")
    first.start(import_spaces, b"external_id\n4-1\n", store="001")

    if engine_kind == "sqlite":  # one file has one writer at a time anyway
        with pytest.raises(LockHeld):
            import_spaces(other, b"external_id\n4-1\n")
    else:
        assert import_spaces(acme, b"external_id\n4-1\n", store="002").created == 1
        assert import_spaces(other, b"external_id\n4-1\n").created == 1
    assert first.finish().created == 1


@pytest.mark.parametrize("noun", ["spaces", "people", "rooms"])
def test_many_imports_at_once_leave_the_database_as_some_order_of_them(
    scope, make_runtime, open_database, noun
):
    """Four threads with databases of their own, again and again: each import is whole, or refused."""
    fill(scope)
    load = {"spaces": import_spaces, "people": import_people, "rooms": import_rooms}[noun]
    column = "room_name" if noun == "rooms" else "TITLE"
    together, told = threading.Barrier(4), []

    def run(number, mine):
        content = f"external_id,{column}\n" + "".join(f"X{row},by {number}\n" for row in range(40))
        together.wait(30)
        for _ in range(3):
            try:
                load(mine, content.encode())
                told.append("done")
            except (LockHeld, ChangedMeanwhile):
                told.append("refused")

    scopes = [replace(scope, runtime=make_runtime(open_database())) for _ in range(4)]
    threads = [threading.Thread(target=run, args=(number, mine)) for number, mine in enumerate(scopes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(told) == 12
    assert "done" in told
    found = facts_of(scope)[noun]
    data = [row[0] if noun == "people" else row for (_, key), row in found.items() if key.startswith("X")]
    assert len(data) == 40
    assert len({one[column] for one in data}) == 1, "a mixture of two imports"


# --- a single edit between an import's look and its lock ------------------------------------------------------------


class Between:
    """Somebody edits a row when an import has looked, and does not hold the row yet."""

    def __init__(self, monkeypatch, edit, *, times=1):
        from electis_cli.db.staged import carrying_out

        self.done = 0
        run = carrying_out.Writer.run

        def edit_then_run(writer):
            if self.done < times:
                self.done += 1
                edit(self.done)
            run(writer)

        monkeypatch.setattr(carrying_out.Writer, "run", edit_then_run)


EDITS = {
    "the same space": (
        import_spaces,
        b"external_id,TITLE\n4-1,file\n4-2,file\n",
        lambda other: spaces.update_space(other, "4-1", data={"PHONE": "03"}),
        lambda facts: facts["spaces"]["001", "4-1"] == {"TITLE": "file", "PHONE": "03"},
    ),
    "the same person's seat": (
        import_people,
        b"external_id,TITLE\nA,file\nB,file\n",
        lambda other: people.assign_person(other, "A", "4-3"),
        lambda facts: facts["people"]["001", "A"] == ({"TITLE": "file"}, "4-3"),
    ),
    "a room that the file creates": (
        import_rooms,
        b"external_id,meeting_name\n4,file\n",
        lambda other: conferences.create_room(other, "4", name="Board"),
        lambda facts: (
            (
                facts["rooms"]["001", "4"]["room_name"],
                facts["rooms"]["001", "4"]["meeting_name"],
            )
            == ("Board", "file")
        ),
    ),
    "a row that the file creates": (
        import_spaces,
        b"external_id,TITLE\n5-1,file\n",
        lambda other: spaces.create_space(other, "5-1", data={"PHONE": "03"}),
        lambda facts: facts["spaces"]["001", "5-1"] == {"TITLE": "file", "PHONE": "03"},
    ),
    "a row that the file changes is deleted": (
        import_spaces,
        b"external_id,TITLE\n4-3,file\n",
        lambda other: spaces.delete_space(other, "4-3"),
        lambda facts: facts["spaces"]["001", "4-3"] == {"TITLE": "file"},
    ),
    "a label": (
        import_labels,
        b"label,article\n0848A6EBE2B0,4-1\n",
        lambda other: labels.link_label(other, "0848A6EBE2B0", "4-3"),
        lambda facts: facts["labels"]["0848A6EBE2B0"][1] == "4-1",
    ),
}


@pytest.mark.parametrize(("load", "content", "edit", "is_right"), EDITS.values(), ids=EDITS)
def test_an_edit_between_look_and_lock_is_looked_at_again_and_not_lost(
    scope, beside, monkeypatch, engine_kind, load, content, edit, is_right
):
    if engine_kind == "sqlite":
        pytest.skip("an import on SQLite holds the one lock from its look on")
    fill(scope)
    import_rooms(scope, b"external_id\n3\n")
    other = beside(scope)
    between = Between(monkeypatch, lambda _: edit(other))

    view = load(scope, content)

    assert between.done == 1
    assert is_right(facts_of(scope)), facts_of(scope)
    assert view.changeset is not None
    assert [one.id for one in list_history(scope)].count(view.changeset) == 1


def test_who_edits_again_and_again_makes_the_import_give_up_with_nothing_written(
    scope, beside, monkeypatch, engine_kind
):
    if engine_kind == "sqlite":
        pytest.skip("an import on SQLite holds the one lock from its look on")
    fill(scope)
    other = beside(scope)
    Between(monkeypatch, lambda count: spaces.update_space(other, "4-1", data={"PHONE": str(count)}), times=9)

    with pytest.raises(ChangedMeanwhile):
        import_spaces(scope, b"external_id,TITLE\n4-1,file\n4-2,file\n")

    found = facts_of(scope)["spaces"]
    assert (found["001", "4-1"], found["001", "4-2"]) == ({"TITLE": "a", "PHONE": "3"}, {"TITLE": "b"})
