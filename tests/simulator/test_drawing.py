"""Labels as pictures: what stands on them, in which direction, and that nothing breaks out."""

import base64
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from electis_cli.simulator.drawing.lettering import clean, fit, is_rtl, width_of
from electis_cli.simulator.settings import Load
from tests.simulator.cloud import Cloud, record, still_simulator

SVG = "{http://www.w3.org/2000/svg}"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()


def picture(cloud: Cloud, code: str, **query: Any) -> ET.Element:
    answer = cloud.http.get(f"/_simulator/labels/{code}.svg", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
    return parsed(answer.content)


def parsed(content: bytes | str) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314 - our own answer


def texts(svg: ET.Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}text")]


def shown(cloud: Cloud, name: str, page: int = 1, **columns: Any) -> tuple[str, ET.Element]:
    cloud.push(record("R1", name, **columns))
    code = cloud.labels()[0]
    cloud.link(code, "R1")
    cloud.advance(2)
    if page != 1:
        cloud.call("POST", "/labels/page", {"pageChangeList": [{"labelCode": code, "page": page}]})
        cloud.advance(2)
    return code, picture(cloud, code)


def test_a_free_page_shows_name_fields_id_and_code(cloud: Cloud) -> None:
    code, svg = shown(cloud, "Blue room", TITLE="8 seats", MEETING_NAME="Standup")
    assert set(texts(svg)) == {"Blue room", "FREE", "TITLE", "8 seats", "R1", code}
    label = cloud.store.labels[code]
    assert (svg.get("width"), svg.get("height")) == (str(label.width), str(label.height))
    assert svg.get("aria-label") == f"Label {code}: Blue room, page 1"


def test_a_busy_page_begins_with_the_meeting(cloud: Cloud) -> None:
    _, svg = shown(cloud, "Blue room", 2, TITLE="8 seats", MEETING_NAME="Standup", MEETING_TIME="09:00")
    found = texts(svg)
    assert "BUSY" in found
    assert found.index("Standup") < found.index("8 seats")
    bold = [one.text for one in svg.iter(f"{SVG}text") if one.get("font-weight")]
    assert {"Standup", "09:00"} <= set(bold)
    assert "8 seats" not in bold


def test_right_to_left_text_begins_at_the_right(cloud: Cloud) -> None:
    _, svg = shown(cloud, "חדר ישיבות 3 (Blue)", TITLE="قاعة ٣", DEPARTMENT="Floor 2")
    found = {one.text: one for one in svg.iter(f"{SVG}text")}
    name, title, floor = (found[text] for text in ("חדר ישיבות 3 (Blue)", "قاعة ٣", "Floor 2"))
    assert [one.get("direction") for one in (name, title, floor)] == ["rtl", "rtl", "ltr"]
    width = float(svg.get("width", "0"))
    assert float(name.get("x", "0")) > width * 0.9
    assert float(floor.get("x", "0")) < width * 0.5
    # The caption stands on the side where its value begins.
    assert found["TITLE"].get("direction") == "rtl"
    assert float(found["TITLE"].get("x", "0")) > float(title.get("x", "0"))


def test_text_cannot_break_out(cloud: Cloud) -> None:
    bad = '</text><script>alert("1")</script>&\x00\x1b\ufffe\u202e'
    _, svg = shown(cloud, bad, TITLE="a\nb\tc")
    assert {one.tag.removeprefix(SVG) for one in svg.iter()} == {"svg", "title", "rect", "text"}
    assert "a b c" in texts(svg)


def test_an_unassigned_label_tells_its_code(cloud: Cloud) -> None:
    code = cloud.labels()[3]
    assert texts(picture(cloud, code)) == [code, "not assigned"]


def test_a_pushed_image_is_embedded(cloud: Cloud) -> None:
    code, _ = shown(cloud, "Blue room")
    body = {"labelCode": code, "page": 1, "frontPage": 1, "image": PNG}
    assert cloud.call("POST", "/labels/image", body).status_code == 200
    cloud.advance(2)
    image = picture(cloud, code).find(f"{SVG}image")
    assert image is not None
    assert image.get("href") == f"data:image/png;base64,{PNG}"


def test_a_label_is_found_by_company_store_and_cluster(cloud: Cloud) -> None:
    code = cloud.labels()[0]
    for query in ({"company": "ACME"}, {"store": "001"}, {"cluster": "common"}):
        assert texts(picture(cloud, code, **query))[0] == code
    for query in ({"company": "NO"}, {"store": "002"}, {"cluster": "c1"}):
        assert cloud.http.get(f"/_simulator/labels/{code}.svg", params=query).status_code == 404
    headers = cloud.http.get(f"/_simulator/labels/{code}.svg", params={"v": "1"}).headers
    assert headers["cache-control"] == "max-age=3600"


def test_every_odd_article_is_well_formed() -> None:
    from electis_cli.simulator.drawing import draw

    simulator = still_simulator(labels_per_store=0, load=Load(stores=1, articles=100, labels=1, odd=True))
    store = simulator.store("ACME", "001")
    for place, label in enumerate(store.labels.values()):
        label.shown.page = 1 + place % 3
        assert parsed(draw(store, label, 0.0)).tag == f"{SVG}svg"


@pytest.mark.parametrize(
    ("text", "rtl"),
    [("Blue", False), ("חדר", True), ("3 قاعة", True), ("(A) חדר", False), ("123", False), ("", False)],
)
def test_the_first_letter_decides_the_direction(text: str, rtl: bool) -> None:
    assert is_rtl(text) is rtl


def test_text_is_shrunk_then_shortened() -> None:
    assert fit("Blue", 200, 20, 10).size == 20
    smaller = fit("A rather long name of a room", 200, 20, 10)
    assert (10 <= smaller.size < 20, smaller.text[-1]) == (True, "m")
    cut = fit("x" * 1000, 100, 20, 10)
    assert cut.text.endswith("…")
    assert cut.width <= 100
    assert fit("x", 1, 20, 10).text == "…"
    assert width_of("שָׁלוֹם", 10) < width_of("shalom", 10) * 1.2
    assert width_of("会議", 10) > width_of("ab", 10)
    assert clean(" a\r\nb\u2067 ") == "a b"


def wall(cloud: Cloud, **query: Any) -> Any:
    answer = cloud.http.get("/_simulator/wall.json", params=query)
    return answer.json() if answer.status_code == 200 else answer.status_code


def test_the_wall_tells_only_what_changed(cloud: Cloud) -> None:
    code, _ = shown(cloud, "Blue room")
    first = wall(cloud)
    assert [(one["code"], one["name"], one["status"]) for one in first["labels"]] == [
        (code, "Blue room", "SUCCESS")
    ]
    assert (first["counts"]["assigned"], first["counts"]["unassigned"]) == (1, 35)
    assert wall(cloud, since=first["revision"]) == 204
    cloud.push(record("R1", "Red room"))
    second = wall(cloud, since=first["revision"])
    assert (second["labels"][0]["name"], second["labels"][0]["status"]) == ("Blue room", "PROCESSING")
    assert second["labels"][0]["v"] == first["labels"][0]["v"]
    cloud.advance(2)
    third = wall(cloud, since=second["revision"])
    assert third["labels"][0]["name"] == "Red room"
    assert third["labels"][0]["v"] != first["labels"][0]["v"]


def test_the_wall_is_narrowed(cloud: Cloud) -> None:
    code, _ = shown(cloud, "Blue room")
    blink = {"ledBlinkList": [{"labelCode": code, "color": "RED", "duration": "30s"}]}
    cloud.call("PUT", "/labels/led", blink)
    assert wall(cloud)["labels"][0]["led"] == "RED"
    assert wall(cloud, q="BLUE")["found"] == 1
    assert wall(cloud, q="nothing")["labels"] == []
    assert wall(cloud, store="002")["labels"] == []
    assert wall(cloud, free="yes")["found"] == 36
    assert wall(cloud, cluster="c1")["labels"] == []
    assert wall(cloud, cluster="odd") == 400
    assert wall(cloud, company="odd")["stores"] == []


def test_the_wall_page_needs_nothing_from_outside(cloud: Cloud) -> None:
    answer = cloud.http.get("/_simulator/wall")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http://" not in answer.text
    assert "https://" not in answer.text
