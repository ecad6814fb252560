"""A real headless browser for tests, driven over its debugging pipe with nothing but the standard library."""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FOUND = next((path for name in NAMES if (path := shutil.which(name))), None)
"""The browser of this machine, None when there is none."""

LAUNCH = """
import fcntl, os, sys
# The browser reads its orders from descriptor 3 and answers on 4.
ask, answer = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 50) for one in sys.argv[1:3])
os.dup2(ask, 3)
os.dup2(answer, 4)
os.close(ask)
os.close(answer)
os.execv(sys.argv[3], sys.argv[3:])
"""
WAIT = """new Promise((good, bad) => {{
  const end = performance.now() + {seconds} * 1000;
  const look = () => {{
    let found = null;
    try {{ found = {script}; }} catch (error) {{ found = null; }}
    if (found) good(found);
    else if (performance.now() > end) bad(new Error("never true: " + {quoted}));
    else setTimeout(look, 20);
  }};
  look();
}})"""


class Browser:
    """One page; `evaluate` runs a script in it, `wait` until a script is true, `errors` are what went wrong there."""

    def __init__(self, folder: Path, width: int = 1200, height: int = 900) -> None:
        assert FOUND is not None
        self.errors: list[str] = []
        self._last = 0
        self._rest = b""
        self._session = ""
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
        options += [f"--user-data-dir={folder}", f"--window-size={width},{height}", "--disable-dev-shm-usage"]
        ask_end, self._to = os.pipe()
        self._from, answer_end = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(ask_end), str(answer_end), FOUND, *options],
            pass_fds=(ask_end, answer_end),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ask_end)
        os.close(answer_end)

    def __enter__(self) -> Self:
        try:
            target = self._order("Target.createTarget", url="about:blank")["targetId"]
            self._session = self._order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                self._order(f"{domain}.enable")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        # It ends by itself, with all its helpers, when the pipe closes.
        os.close(self._to)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        os.close(self._from)

    def go(self, address: str) -> None:
        """Open a page and wait until it is there."""
        self._order("Page.navigate", url="about:blank")
        self.wait("location.href === 'about:blank'")
        # What a page before could not load is not this page's error.
        self.errors.clear()
        self._order("Page.navigate", url=address)
        self.wait("location.href !== 'about:blank' && document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """What a script gives; promises are awaited."""
        answer = self._order("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 20) -> Any:
        """Wait until a script gives something true, and answer it."""
        quoted = orjson.dumps(script).decode()
        return self.evaluate(WAIT.format(script=script, quoted=quoted, seconds=seconds))

    def press(self, key: str) -> None:
        """Press and release one key."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27}[key]
        text = {"Enter": "\r"}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            values = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            if text and kind == "keyDown":
                values["text"] = text
            self._order("Input.dispatchKeyEvent", type=kind, **values)

    def scheme(self, word: str) -> None:
        """Prefer `dark` or `light`."""
        feature = {"name": "prefers-color-scheme", "value": word}
        self._order("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, path: Path) -> None:
        """Keep what the page looks like."""
        path.write_bytes(base64.b64decode(self._order("Page.captureScreenshot")["data"]))

    def _order(self, method: str, **values: Any) -> Any:
        self._last += 1
        order: dict[str, Any] = {"id": self._last, "method": method, "params": values}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._to, orjson.dumps(order) + b"\0")
        while True:
            said = self._read()
            if said.get("id") == self._last:
                assert "error" not in said, said
                return said["result"]
            self._note(said)

    def _note(self, said: dict[str, Any]) -> None:
        if said.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(said["params"]["exceptionDetails"]))
        if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            self.errors.append(said["params"]["entry"]["text"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._from, 65_536)
            assert part, "the browser has ended"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = orjson.loads(line)
        return found
