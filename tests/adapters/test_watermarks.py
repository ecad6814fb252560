"""How far each ledger had come, as several processes of one machine note it."""

from __future__ import annotations

from electis_cli.adapters.watermarks import WatermarkFile


def test_what_another_process_noted_is_seen(tmp_path):
    one, another = WatermarkFile(tmp_path), WatermarkFile(tmp_path)
    one.note("org", 5)
    assert (one.highest("org"), another.highest("org")) == (5, 5)
    another.note("org", 7)
    another.note("other", 1)
    assert (one.highest("org"), one.highest("other")) == (7, 1)
    one.note("org", 6)
    assert another.highest("org") == 7, "a lower one is not noted"
