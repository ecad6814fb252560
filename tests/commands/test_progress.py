"""How far a long command is, where nobody watches: a line every 30 seconds, on standard error."""

from __future__ import annotations

import sys

from electis_cli.commands import progress
from electis_cli.services.bulk.doing import Written


def test_a_line_every_thirty_seconds_says_how_far_it_is_and_how_long_it_takes(monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    shown = progress.Shown(progress.ProgressMode.AUTO, Written())
    assert not sys.stderr.isatty()

    for second in range(0, 91, 10):
        now[0] = 1000.0 + second
        shown.tell("reading", second * 100, 12_000)

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "reading 3,000 of about 12,000 rows, 100 a second, about 90 s left",
        "reading 6,000 of about 12,000 rows, 100 a second, about 60 s left",
        "reading 9,000 of about 12,000 rows, 100 a second, about 30 s left",
    ]
