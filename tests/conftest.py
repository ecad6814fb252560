"""Settings of the whole test suite."""

from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir

pytest_plugins = [
    "tests.world.leaks",
    "tests.world.order",
    "tests.servers.postgres",
    "tests.servers.valkey",
    "tests.servers.smtp",
    "tests.servers.proxy",
    "tests.servers.receiver",
    "tests.world.databases",
    "tests.world.organizations",
    "tests.world.command_line",
]

# What hypothesis remembers belongs into the one cache folder, beside what pytest, mypy and ruff remember.
set_hypothesis_home_dir(Path(__file__).parent.parent / ".cache" / "hypothesis")
