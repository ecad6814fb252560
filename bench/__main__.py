"""Runs the benchmarks and prints their ratios; machines differ, ratios less so."""

from __future__ import annotations

import sys

from bench import aims_client, bulk, claims, drain, full_sync, start_up, wake_up

BENCHMARKS = {
    "start-up": start_up.run,
    "aims-client": aims_client.run,
    "drain": drain.run,
    "full-sync": full_sync.run,
    "claims": claims.run,
    "wake-up": wake_up.run,
    "bulk": bulk.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; returns an exit code."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}; there are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print("what                                             ratio   limit   floor s   ours s")
    for name in names or BENCHMARKS:
        for line in BENCHMARKS[name]():
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
