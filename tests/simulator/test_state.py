import threading
from pathlib import Path

import pytest

from electis_cli.simulator import Clock, Settings, Simulator, SimulatorServer, state_file
from electis_cli.simulator.autosave import Autosave
from tests.simulator.cloud import START, Cloud, record, still_simulator


def test_the_world_survives_the_file(tmp_path: Path, cloud: Cloud) -> None:
    cloud.push({**record("007", "Änn", TITLE="t"), "eans": ["1"]}, record("bad", STORE_ID="2"))
    label = cloud.labels()[0]
    cloud.link(label, "007")
    cloud.call("POST", "/labels/page", {"pageChangeList": [{"labelCode": label, "page": 2}]})
    blink = {"ledBlinkList": [{"labelCode": label, "color": "RED", "duration": "30s"}]}
    cloud.call("PUT", "/labels/led", blink)
    path = tmp_path / "state.json"
    world = cloud.simulator.world
    state_file.write(path, state_file.encode(world))
    again = state_file.read(path)
    assert again is not None
    for cluster in world.clusters.values():
        for company in cluster.companies.values():
            for store in company.stores.values():
                # Look-up tables are built anew and are no part of the state.
                store.articles_changed()
                store.links_changed()
    assert again == world
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


def test_what_was_accepted_outlives_an_outage(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    simulator = still_simulator()
    autosave = Autosave(simulator, path)
    with SimulatorServer(simulator) as server:
        autosave.start()
        cloud = Cloud(server)
        with cloud.http:
            cloud.login()
            batch = cloud.push(record("1", "a"))["customBatchId"]
            label = cloud.labels()[0]
            cloud.link(label, "1")
            cloud.advance(100)
        port = server.port
    autosave.stop()
    world = state_file.read(path)
    second = Simulator(Settings(), clock=Clock(lambda: START), world=world)
    with SimulatorServer(second, port=port) as server:
        again = Cloud(server)
        again.token = cloud.token
        with again.http:
            assert again.info("1")["assignedLabel"] == [label]
            assert again.shows(label)["name"] == "a"
            assert again.control("GET", "health")["now"] == START + 100
            assert again.control("GET", "counters")["logins"] == 1
            assert again.call("GET", "/articles/history", name=batch).status_code == 200
            assert again.push(record("2"))["customBatchId"] != batch


def test_ids_do_not_repeat_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    settings = Settings(labels_per_store=0)
    seen = set()
    for _ in range(3):
        simulator = Simulator(settings, clock=Clock(lambda: START), world=state_file.read(path))
        autosave = Autosave(simulator, path)
        autosave.start()
        with SimulatorServer(simulator) as server:
            cloud = Cloud(server)
            with cloud.http:
                seen.add(cloud.login()["access_token"])
        # The thread is left as a crash would leave it: nothing more is saved.
        autosave._ending.set()
    assert len(seen) == 3


def test_the_thread_saves_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    simulator = still_simulator(labels_per_store=0)
    autosave = Autosave(simulator, path, period=0.001)
    autosave.start()
    written = threading.Event()

    def write(target: Path, content: bytes) -> None:
        if written.is_set():
            return
        target.write_bytes(content)
        written.set()
        raise OSError("disk full")

    monkeypatch.setattr(state_file, "write", write)
    with simulator.lock:
        simulator.world.serial = 4711
        simulator.revision += 1
    assert written.wait(20)
    autosave.stop()
    world = state_file.read(path)
    assert world is not None
    assert world.serial == 4711


def test_a_state_gets_the_stores_it_lacks_and_keeps_its_own() -> None:
    world = still_simulator(stores=("001",)).world
    labels = sorted(world.clusters["common"].companies["ACME"].stores["001"].labels)
    settings = Settings(stores=("001", "004"), companies=("ACME", "BETA"), labels_per_store=1)
    simulator = Simulator(settings, clock=Clock(lambda: START), world=world)
    assert sorted(simulator.store("ACME", "001").labels) == labels
    assert len(simulator.store("BETA", "004", "c1").labels) == 1


def test_saving_waits_for_a_change(tmp_path: Path) -> None:
    simulator = still_simulator(labels_per_store=0)
    autosave = Autosave(simulator, tmp_path / "state.json")
    autosave.save()
    first = (tmp_path / "state.json").stat().st_ino
    autosave.save()
    assert (tmp_path / "state.json").stat().st_ino == first
    simulator.revision += 1
    autosave.save()
    assert (tmp_path / "state.json").stat().st_ino != first


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format":2}', b'{"format":1,"world":3}'])
def test_an_unreadable_state_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    assert state_file.read(path) is None
    path.write_bytes(content)
    with pytest.raises(state_file.StateUnreadable):
        state_file.read(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    state_file.write(path, b"old")

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        state_file.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]
