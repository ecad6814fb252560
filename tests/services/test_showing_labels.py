"""What a label displays: AIMS's side beside the database's, on both databases, against the simulator."""

from __future__ import annotations

import base64
from xml.etree import ElementTree as ET

import pytest

from electis_cli.db import organizations
from electis_cli.domain.access import Role
from electis_cli.domain.conference import Meeting
from electis_cli.domain.errors import AimsRejected, AimsUnreachable, InvalidInput, LabelNotFound
from electis_cli.services import conferences, labels, people, spaces
from electis_cli.services.push.store import push_store
from electis_cli.services.showing.drawing import draw_label
from electis_cli.services.showing.showing import show_label
from tests.world.ledger import calls, edit, label, label_codes, link, push, put, remove, store_of

UNKNOWN = "0848A6EBE2B0"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()


@pytest.fixture
def code(cloud):
    return label_codes(cloud, 1)[0]


@pytest.fixture
def shown(connected, cloud, code):
    """Dana sits at 4-117, and a label shows it."""
    spaces.create_space(connected, "4-117", data={"TITLE": "Window", "PHONE": "17"})
    people.create_person(connected, "P1", data={"ITEM_NAME": "Dana Levi"}, space="4-117")
    labels.link_label(connected, code, "4-117")
    push(connected)
    cloud.clock.advance(10)
    return connected


@pytest.fixture
def busy(connected, cloud, code):
    """A label of a room with a meeting."""
    conferences.create_room(connected, "3", name="Board room")
    conferences.toggle_meeting(
        connected, "3", meeting=Meeting(name="Standup", start_time="09:00", end_time="09:15")
    )
    labels.link_label(connected, code, "C3")
    push(connected)
    push(connected)
    cloud.clock.advance(10)
    return connected


def texts(svg):
    return [one.text for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own


def head_of(svg):
    """The color behind the name."""
    return ET.fromstring(svg).findall("{http://www.w3.org/2000/svg}rect")[1].get("fill")  # noqa: S314 - our own


def fields(view, place=0):
    return {pair.field: (pair.aims, pair.ours, pair.equal) for pair in view.articles[place].fields}


def called(cloud, path):
    return len(calls(cloud, "GET", path))


# --- both sides know the label --------------------------------------------------------------------------------------


def test_a_label_that_shows_what_the_database_says(shown, cloud, code):
    view = show_label(shown, code.lower())

    assert (view.label_code, view.store, view.article, view.status) == (code, "001", "4-117", "synced")
    assert (view.differences, view.aims_error, view.in_database) == ((), None, True)
    device = label(cloud, code)
    aims = view.aims
    assert (aims.store, aims.articles, aims.page, aims.update_status) == ("001", ("4-117",), 1, "SUCCESS")
    assert (aims.battery, aims.signal, aims.gateway) == (device.battery, device.signal, device.gateway)
    assert (aims.online, aims.model, aims.width) == (True, device.model, device.width)
    assert aims.last_response.startswith("20")
    assert aims.updated_at == aims.pages[0].answered_at
    assert aims.updated_at is not None
    article = view.articles[0]
    assert (article.name, article.linked, article.wanted, article.at_aims) == ("Dana Levi", True, True, True)
    assert (article.in_database, article.status, article.is_room) == (True, "synced", False)
    assert article.last_updated.startswith("20")
    assert [pair.field for pair in article.fields] == ["ARTICLE_ID", "ITEM_NAME", "TITLE", "PHONE"]
    assert fields(view)["TITLE"] == ("Window", "Window", True)


def test_what_aims_holds_now_stands_beside_what_the_database_says(shown, cloud, code):
    edit(cloud, "4-117", name="Dana Levi-Cohen", PHONE="", EMAIL="d@acme.example")

    view = show_label(shown, code)

    assert view.differences == ("fields",)
    assert view.articles[0].name == "Dana Levi-Cohen"
    assert list(fields(view)) == ["ARTICLE_ID", "ITEM_NAME", "TITLE", "PHONE", "EMAIL"]
    assert fields(view)["ITEM_NAME"] == ("Dana Levi-Cohen", "Dana Levi", False)
    assert fields(view)["PHONE"] == (None, "17", False)
    assert fields(view)["EMAIL"] == ("d@acme.example", None, False)
    assert fields(view)["TITLE"][2] is True


def test_quotes_that_aims_added_are_shown_and_are_no_difference(shown, cloud, code):
    edit(cloud, "4-117", TITLE='"Window"')

    view = show_label(shown, code)

    assert view.differences == ()
    assert fields(view)["TITLE"] == ('"Window"', "Window", True)


def test_the_page_of_a_room_is_free_or_busy(busy, cloud, code):
    dark = head_of(draw_label(busy, code).svg)
    view = show_label(busy, code)
    assert (view.page_word, view.aims.page, view.articles[0].is_room, view.differences) == (
        "busy",
        2,
        True,
        (),
    )

    conferences.toggle_meeting(busy, "3", turn_on=False)
    waiting = show_label(busy, code)
    assert (waiting.page_word, waiting.page, waiting.differences) == ("busy", 1, ("page", "fields"))

    push(busy)
    push(busy)
    cloud.clock.advance(10)
    assert (show_label(busy, code).page_word, show_label(busy, code).differences) == ("free", ())
    assert head_of(draw_label(busy, code).svg) != dark


def test_a_label_that_did_not_draw_says_so(shown, cloud, code):
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    push(shown)
    view = show_label(shown, code)
    assert (view.aims.update_status, view.differences, view.display) == (
        "PROCESSING",
        ("drawing",),
        "processing",
    )
    assert "the label has not drawn this yet: PROCESSING" in texts(draw_label(shown, code).svg)

    label(cloud, code).outcome = "TIMEOUT"
    cloud.clock.advance(10)
    assert show_label(shown, code).aims.update_status == "TIMEOUT"


def test_an_image_over_the_fields_is_told_until_the_label_is_drawn_anew(shown, cloud, code):
    client = shown.runtime.connect(organization_of(shown))
    body = {"labelCode": code, "page": 1, "frontPage": 1, "image": PNG}
    client.connection.call("POST", "/common/labels/image", {"store": "001"}, body, is_write=True)
    cloud.clock.advance(10)

    covered = show_label(shown, code)
    assert (covered.aims.image, covered.differences) == (True, ("image",))
    assert covered.aims.image_at.startswith("20")
    drawn = texts(draw_label(shown, code).svg)
    assert "an image covers the fields" in drawn
    assert "Window" not in drawn

    query = {"store": "001", "regenerateType": "LABEL"}
    client.connection.call("POST", "/common/labels/regenerate/images", query, [code], is_write=True)
    client.close()
    assert (show_label(shown, code).aims.image, show_label(shown, code).aims.image_at) == (False, None)


def organization_of(scope):
    with scope.runtime.database.read(scope.org_id) as uow:
        return organizations.own_organization(uow)


def test_a_label_linked_elsewhere_shows_both_articles(shown, cloud, code):
    spaces.create_space(shown, "4-118", data={"ITEM_NAME": "Free desk"})
    push(shown)
    link(cloud, code, "4-118")

    view = show_label(shown, code)

    assert view.differences == ("link",)
    found = [(one.article_id, one.linked, one.wanted, one.name) for one in view.articles]
    assert found == [("4-118", True, False, "Free desk"), ("4-117", False, True, "Dana Levi")]
    drawn = texts(draw_label(shown, code).svg)
    assert "Free desk" in drawn
    assert "Dana Levi" not in drawn


def test_a_label_that_aims_unlinked_and_an_article_that_it_lost(shown, cloud, code):
    remove(cloud, "4-117")

    view = show_label(shown, code)

    assert (view.aims.articles, view.differences, view.page_word) == ((), ("link", "fields"), "")
    article = view.articles[0]
    assert (article.linked, article.wanted, article.at_aims, article.name) == (
        False,
        True,
        False,
        "Dana Levi",
    )
    assert fields(view)["TITLE"] == (None, "Window", False)
    assert "not linked" in texts(draw_label(shown, code).svg)


# --- labels with several articles -----------------------------------------------------------------------------------


def test_all_articles_of_a_label_are_shown_in_aims_order(connected, cloud, code):
    for place in ("B", "A"):
        spaces.create_space(connected, place, data={"ITEM_NAME": f"Shelf {place}", "TITLE": f"title {place}"})
    push(connected)
    put(cloud, "X", name="Stranger")
    with cloud.lock:
        label(cloud, code).articles = ["B", "X", "A"]
        cloud.store("ACME", "001").links_changed()

    view = show_label(connected, code)
    assert [(one.article_id, one.linked, one.wanted) for one in view.articles] == [
        ("B", True, None),
        ("X", True, None),
        ("A", True, None),
    ]
    assert [one.in_database for one in view.articles] == [True, False, True]
    assert view.differences == (), "nobody wished anything of it"
    drawn = texts(draw_label(connected, code).svg)
    assert [text for text in drawn if text in {"Shelf B", "Stranger", "Shelf A"}] == [
        "Shelf B",
        "Stranger",
        "Shelf A",
    ]
    assert "B + X + A" in drawn

    labels.link_label(connected, code, "A")
    assert show_label(connected, code).differences == ("link",)


# --- labels only one side knows -------------------------------------------------------------------------------------


def test_a_label_that_only_aims_knows(shown, cloud):
    _, linked, foreign, free = label_codes(cloud, 4)
    put(cloud, "X", name="Stranger", TITLE="theirs")
    link(cloud, linked, "4-117")
    link(cloud, foreign, "X")

    ours = show_label(shown, linked)
    assert (ours.in_database, ours.status, ours.article, ours.store) == (False, None, None, "001")
    assert fields(ours)["TITLE"] == ("Window", "Window", True)
    assert ours.differences == ()

    theirs = show_label(shown, foreign)
    assert (theirs.articles[0].in_database, theirs.articles[0].name) == (False, "Stranger")
    assert fields(theirs)["TITLE"] == ("theirs", None, None)

    nothing = show_label(shown, free)
    assert (nothing.aims.articles, nothing.articles, nothing.page_word) == ((), (), "")
    assert nothing.aims.battery
    assert texts(draw_label(shown, free).svg) == [free, "not linked"]


def test_a_label_that_nobody_knows(shown, scope_without_account):
    with pytest.raises(LabelNotFound) as caught:
        show_label(shown, UNKNOWN)
    assert "AIMS does not know it either" in caught.value.message

    with pytest.raises(LabelNotFound) as caught:
        show_label(scope_without_account, UNKNOWN)
    assert "AIMS was not asked" in caught.value.why

    with pytest.raises(InvalidInput):
        show_label(shown, "nonsense")


@pytest.fixture
def scope_without_account(bench):
    return bench.organization("NOBODY")


def test_without_an_account_the_database_is_shown(scope):
    spaces.create_space(scope, "4-1", data={"TITLE": "Corner"})
    labels.link_label(scope, UNKNOWN, "4-1")

    view = show_label(scope, UNKNOWN)

    assert (view.article, view.status, view.aims) == ("4-1", "pending", None)
    assert (view.aims_error.code, view.aims_error.told) == (
        "E-AIMS-UNCONFIGURED",
        "AIMS was not asked (E-AIMS-UNCONFIGURED)",
    )
    assert fields(view)["TITLE"] == (None, "Corner", None)


def test_a_label_that_aims_forgot_is_drawn_as_the_database_has_it(shown, cloud, code):
    with cloud.lock:
        del cloud.store("ACME", "001").labels[code]
        cloud.store("ACME", "001").links_changed()

    drawing = draw_label(shown, code)

    assert (drawing.view.aims, drawing.view.aims_error, drawing.failure) == (None, None, None)
    assert "AIMS does not know this label" in drawing.note
    assert {"Dana Levi", "Window"} <= set(texts(drawing.svg))


# --- an AIMS that does not answer -----------------------------------------------------------------------------------


def test_an_aims_that_is_away_leaves_the_database(shown, code, simulator_server):
    spaces.update_space(shown, "4-117", data={"TITLE": "Door"})
    simulator_server.stop()

    view = show_label(shown, code)

    assert (view.aims, view.aims_error.code, view.differences) == (None, "E-AIMS-UNREACHABLE", ())
    assert view.aims_error.told == "AIMS did not answer (E-AIMS-UNREACHABLE)"
    article = view.articles[0]
    assert (view.article, view.status, article.status, article.name) == (
        "4-117",
        "synced",
        "pending",
        "Dana Levi",
    )
    assert (view.articles[0].linked, view.articles[0].at_aims) == (None, None)
    assert fields(view)["TITLE"] == (None, "Door", None)

    drawing = draw_label(shown, code)
    assert isinstance(drawing.failure, AimsUnreachable)
    assert drawing.note == "drawn from the database: AIMS did not answer (E-AIMS-UNREACHABLE)"
    assert {"Dana Levi", "Door", drawing.note} <= set(texts(drawing.svg))

    with pytest.raises(AimsUnreachable) as caught:
        show_label(shown, UNKNOWN)
    assert f"Label {UNKNOWN} was never linked." in caught.value.why


def test_an_aims_that_refuses_is_told_apart_from_one_that_is_silent(shown, cloud, code):
    cloud.faults.add("status", code=403, message="LICENSE_EXPIRED", path="/labels")

    trouble = show_label(shown, code).aims_error

    assert (trouble.code, trouble.told) == ("E-AIMS-LICENSE", "AIMS refused (E-AIMS-LICENSE)")
    assert "LICENSE_EXPIRED" in trouble.why


def test_an_installation_that_tells_less(shown, cloud, code):
    """Q30: some of the calls about one label are missing on some installations."""
    for path in ("/labels/detail", "/labels/unassigned/detail", "/labels/history", "/labels/type/info"):
        cloud.faults.add("status", code=404, message="Not Found", path=path)

    view = show_label(shown, code)

    assert (view.aims.articles, view.aims.update_status) == (("4-117",), "SUCCESS")
    assert (view.aims.page, view.page_word, view.aims.pages, view.aims.image) == (None, "", (), False)
    assert (view.aims.width, view.differences) == (None, ())
    assert 'viewBox="0 0 296 128"' in draw_label(shown, code).svg


def test_without_a_format_aims_columns_are_shown_as_they_come(shown, cloud, code):
    with shown.runtime.database.write(shown.org_id) as uow:
        organizations.update_organization(uow, shown.org_id, {"article_format": None})
        uow.commit()

    view = show_label(shown, code)

    assert fields(view)["TITLE"] == ("Window", None, None)
    assert view.articles[0].name == "Dana Levi"
    assert "Window" in texts(draw_label(shown, code).svg)


# --- stores and people ----------------------------------------------------------------------------------------------


@pytest.fixture
def two_stores(bench, simulator_server):
    return bench.organization(store_codes=("001", "002"), base_url=simulator_server.base_url)


def test_a_label_is_found_in_whichever_store_has_it(two_stores, cloud):
    here, there = (min(cloud.store("ACME", store).labels) for store in ("001", "002"))

    assert show_label(two_stores, there).store == "002"
    asked = [entry.query["store"] for entry in calls(cloud, "GET", "/common/labels")]
    assert asked == [["002"]], "AIMS names the store"
    assert show_label(two_stores, here).store == "001"
    with pytest.raises(LabelNotFound):
        show_label(two_stores, there, store="001")
    assert show_label(two_stores, there, store="002").aims.store == "002"


def test_a_label_is_found_where_aims_does_not_name_its_store(two_stores, cloud):
    cloud.faults.add("status", code=404, message="Not Found", path="/labels/store")
    there = min(cloud.store("ACME", "002").labels)

    assert show_label(two_stores, there).store == "002"


def test_a_label_that_was_carried_to_another_store(two_stores, cloud, code):
    """Both stores have an article 4-1: the one it is linked to there is not the one that is wanted here."""
    for store, title in (("001", "here"), ("002", "there")):
        spaces.create_space(two_stores, "4-1", data={"TITLE": title}, store=store)
        push_store(two_stores.runtime, two_stores.org_id, store_of(two_stores, store).id)
    labels.link_label(two_stores, code, "4-1", store="001")
    with cloud.lock:
        there = cloud.store("ACME", "002")
        there.labels[code] = cloud.store("ACME", "001").labels.pop(code)
        there.labels[code].articles = ["4-1"]
        there.links_changed()

    view = show_label(two_stores, code)

    assert (view.store, view.aims.store, view.differences) == ("001", "002", ("store",))
    found = [(one.store, one.linked, one.wanted, one.at_aims) for one in view.articles]
    assert found == [("002", True, False, True), ("001", False, True, True)]
    assert fields(view, 0)["TITLE"] == ("there", "there", True)
    drawn = texts(draw_label(two_stores, code).svg)
    assert ("there" in drawn, "here" in drawn) == (True, False)


def test_a_store_that_aims_does_not_have_hides_no_label(bench, simulator_server, cloud, code):
    scope = bench.organization(store_codes=("000", "001"), base_url=simulator_server.base_url)
    cloud.faults.add("status", code=404, message="Not Found", path="/labels/store")

    assert show_label(scope, code).store == "001"
    with pytest.raises(AimsRejected):
        show_label(scope, UNKNOWN)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.MANAGER])
def test_everybody_who_reads_may_look(bench, shown, code, role):
    assert show_label(bench.as_role(shown, role), code).article == "4-117"


def test_nobody_sees_a_label_of_a_store_or_an_organization_that_is_not_theirs(
    bench, two_stores, simulator_server, cloud
):
    there = min(cloud.store("ACME", "002").labels)
    spaces.create_space(two_stores, "4-1", data={}, store="002")
    labels.link_label(two_stores, there, "4-1", store="002")
    one_store = bench.as_role(two_stores, Role.MANAGER, store="001")
    other = bench.organization("OTHER", base_url=simulator_server.base_url)
    cloud.journal.clear()

    for scope in (one_store, other):
        with pytest.raises(LabelNotFound):
            show_label(scope, there)

    asked = {
        tuple(entry.query.get("company", [])) for entry in cloud.journal.after() if "/labels" in entry.path
    }
    assert asked == {("ACME",), ("OTHER",)}
    assert {entry.query.get("store", ["001"])[0] for entry in cloud.journal.after()} == {"001"}


def test_looking_changes_nothing(shown, cloud, code):
    before = (repr(cloud.world.clusters["common"].companies["ACME"].stores["001"].labels[code]), audit(shown))
    draw_label(shown, code)
    after = (repr(cloud.world.clusters["common"].companies["ACME"].stores["001"].labels[code]), audit(shown))

    assert after == before
    writes = [entry for entry in cloud.journal.after() if entry.method != "GET"]
    assert all(
        "/labels/link" in entry.path or entry.path.endswith(("/token", "/articles")) for entry in writes
    )


def audit(scope):
    from electis_cli.db import trail

    with scope.runtime.database.read(scope.org_id) as uow:
        return len(trail.list_audit(uow))
