"""`python -m bench` fails when a figure is over its limit: who runs it at night reads no lines."""

from __future__ import annotations

import pytest

from bench import __main__ as bench
from bench.ratio import amount, line


@pytest.mark.parametrize(("ratio", "code"), [(1.2, 0), (1.3, 1)])
def test_a_figure_over_its_limit_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ratio: float, code: int
) -> None:
    lines = [
        line("something", [(1.0, 1.0)], limit=None),
        line("quick", [(1.0, ratio)], limit=1.2),
        amount("small", 0.5, limit=1.0),
    ]
    monkeypatch.setattr(bench, "BENCHMARKS", {"one": lambda: iter(lines)})
    assert bench.main([]) == code
    out, err = capsys.readouterr()
    assert out.splitlines()[1:] == lines
    assert ("1 over the limit." in err) == (code == 1)


def test_a_small_limit_is_told_with_all_its_digits() -> None:
    told = amount("calls", 0.0049, limit=0.01)
    assert ("0.0049" in told, "0.010" in told) == (True, True)
    assert not told.endswith("limit")
