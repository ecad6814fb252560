from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from electis_cli.simulator import SimulatorServer
from tests.simulator.cloud import Cloud, still_simulator


@pytest.fixture
def clouds() -> Iterator[Callable[..., Cloud]]:
    """Makes served simulators with settings of one's own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Cloud:
            server = stack.enter_context(SimulatorServer(still_simulator(**settings)))
            cloud = Cloud(server)
            stack.callback(cloud.http.close)
            cloud.login()
            return cloud

        yield make


@pytest.fixture
def cloud(clouds: Callable[..., Cloud]) -> Cloud:
    return clouds()
