"""Runs the benchmarks and prints their ratios; machines differ, ratios less so."""

from __future__ import annotations

import sys

from bench import aims_client, bulk, claims, drain, export, full_sync, scale, start_up, wake_up
from bench.ratio import OVER
from electis_cli.adapters.garbage import collect_seldom

BENCHMARKS = {
    "start-up": start_up.run,
    "aims-client": aims_client.run,
    "drain": drain.run,
    "full-sync": full_sync.run,
    "claims": claims.run,
    "wake-up": wake_up.run,
    "bulk": bulk.run,
    "export": export.run,
    "scale": scale.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; returns an exit code: 1 when a figure is over its limit."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    collect_seldom()  # as the programs do that are measured
    print("what                                             ratio   limit   floor s   ours s")
    over = 0
    for name in names or BENCHMARKS:
        for line in BENCHMARKS[name]():
            print(line, flush=True)
            over += line.endswith(OVER)
    if over:
        print(f"{over} over the limit.", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
