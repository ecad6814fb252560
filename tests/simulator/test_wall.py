"""The wall of labels in a real browser: it follows, it can be used by keyboard, it says when something is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from electis_cli.simulator import SimulatorServer
from electis_cli.simulator.settings import Load
from tests.simulator.browser import FOUND, Browser
from tests.simulator.cloud import Cloud, record, still_simulator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FOUND is None, reason="no chromium on the PATH: the wall is not tried in a browser"),
]

CARDS = "document.querySelectorAll('#wall li').length"
CONTRAST = """(() => {
  const channel = (value) => value / 255 <= .04045 ? value / 255 / 12.92 : ((value / 255 + .055) / 1.055) ** 2.4;
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
    return .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const found = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$|transparent/.test(found)) return found;
    }
    return "rgb(255,255,255)";
  };
  const looked = "h1, .live, form label, .counts li, .counts b, .name, .code, .marks span";
  return [...document.querySelectorAll(looked)].map((node) => {
    const a = light(getComputedStyle(node).color), b = light(ground(node));
    return [node.className || node.tagName, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)];
  });
})()"""
OUTSIDE = """(() => {
  const { width, height } = document.documentElement.viewBox.baseVal;
  return [...document.querySelectorAll("text")].filter((one) => {
    const box = one.getBBox();
    return box.x < -1 || box.x + box.width > width + 1 || box.y < -2 || box.y + box.height > height + 3;
  }).map((one) => one.textContent);
})()"""
FIND = """(() => {
  const field = document.querySelector("[name=q]");
  field.value = "%s";
  field.dispatchEvent(new Event("input", { bubbles: true }));
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def wall(cloud: Cloud, browser: Browser) -> Browser:
    """The wall of a store in which one label shows the article R1."""
    cloud.push(record("R1", "Blue room", TITLE="8 seats"))
    cloud.link(cloud.labels()[0], "R1")
    cloud.advance(2)
    browser.go(f"{cloud.server.base_url}/_simulator/wall")
    browser.wait(f"{CARDS} === 1")
    browser.wait("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    return browser


def test_the_wall_follows_the_labels(cloud: Cloud, wall: Browser) -> None:
    assert wall.evaluate("document.querySelector('.name').textContent") == "Blue room"
    before = wall.evaluate("document.querySelector('#wall img').src")
    cloud.push(record("R1", "Red room"))
    wall.wait("document.querySelector('.state').textContent.includes('updating')")
    assert wall.evaluate("document.querySelector('#wall img').src") == before
    cloud.advance(2)
    wall.wait("document.querySelector('.name').textContent === 'Red room'")
    wall.wait(f"document.querySelector('#wall img').src !== '{before}'")
    cloud.push(record("R2", "חדר ישיבות"))
    cloud.link(cloud.labels()[1], "R2")
    cloud.advance(2)
    wall.wait(f"{CARDS} === 2")
    assert wall.errors == []


def test_the_wall_says_when_it_is_empty_and_when_it_is_cut_off(cloud: Cloud, wall: Browser) -> None:
    wall.evaluate(FIND % "nothing")
    wall.wait("!document.getElementById('empty').hidden")
    assert wall.evaluate("location.hash").endswith("q=nothing")
    assert "No label matches" in wall.evaluate("document.getElementById('empty').textContent")
    wall.evaluate(FIND % "blue")
    wall.wait(f"{CARDS} === 1 && document.getElementById('empty').hidden")
    assert wall.errors == []
    cloud.server.stop()
    wall.wait("!document.getElementById('trouble').hidden")
    assert wall.evaluate(CARDS) == 1
    cloud.server.start()
    wall.wait("document.getElementById('trouble').hidden")
    assert wall.evaluate("document.getElementById('live').textContent") == "live"


def test_the_wall_works_by_keyboard(cloud: Cloud, wall: Browser) -> None:
    for _ in range(6):
        wall.press("Tab")
    assert wall.evaluate("document.activeElement.className") == "card"
    assert wall.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    assert "Blue room" in wall.evaluate("document.activeElement.getAttribute('aria-label')")
    wall.press("Enter")
    wall.wait("document.getElementById('one').open")
    assert cloud.labels()[0] in wall.evaluate("document.getElementById('one').textContent")
    wall.press("Escape")
    wall.wait("!document.getElementById('one').open")
    assert wall.evaluate("document.activeElement.className") == "card"
    assert wall.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_wall_is_readable(wall: Browser, scheme: str) -> None:
    wall.scheme(scheme)
    weak = [(name, ratio) for name, ratio in wall.evaluate(CONTRAST) if ratio < 4.5]
    assert weak == []
    assert wall.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_pictures_keep_inside_their_labels_and_run_the_right_way(browser: Browser) -> None:
    simulator = still_simulator(labels_per_store=0, load=Load(stores=1, articles=60, labels=1, odd=True))
    codes: dict[str, str] = {}
    for place, label in enumerate(simulator.store("ACME", "001").labels.values()):
        label.shown.page = 1 + place % 2
        if place % 5 == 0:
            codes[label.code] = label.shown.names[0]
    with SimulatorServer(simulator) as server:
        for code, name in codes.items():
            browser.go(f"{server.base_url}/_simulator/labels/{code}.svg")
            assert browser.evaluate(OUTSIDE) == [], name
            if name.startswith("חדר"):
                first, last = browser.evaluate(
                    "[...document.querySelectorAll('text')].filter((one) => one.textContent.startsWith('חדר'))"
                    ".map((one) => [one.getStartPositionOfChar(0).x, one.getStartPositionOfChar(4).x])[0]"
                )
                assert first > last


def test_a_screenshot_can_be_kept(wall: Browser, tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    wall.screenshot(path)
    assert path.read_bytes().startswith(b"\x89PNG")
