from collections.abc import Callable

from tests.simulator.cloud import START, Cloud, record


def test_gateways_go_down_for_a_reboot_and_come_back(cloud: Cloud) -> None:
    rows = cloud.call("GET", "/gateway").json()["gatewayList"]
    assert len(rows) == 2
    mac = rows[0]["macAddress"]
    assert (len(mac), mac[:10]) == (16, "D02544FFFE")
    assert cloud.call("GET", "/gateway/detail", gateway=mac).json()["networkStatus"] == "CONNECTED"
    assert cloud.call("PATCH", "/gateway", gateway=mac).status_code == 200
    assert (
        cloud.call("GET", "/gateway", gateway=mac).json()["gatewayList"][0]["networkStatus"] == "DISCONNECTED"
    )
    assert cloud.call("GET", "/gateway/detail", gateway=mac).status_code == 204
    assert len(cloud.call("GET", "/gateway", network="online").json()["gatewayList"]) == 1
    cloud.advance(60)
    assert cloud.call("GET", "/gateway/detail", gateway=mac).status_code == 200
    unknown = cloud.call("PATCH", "/gateway", gateway=f"{mac},D02544FFFE000000")
    assert unknown.json()["responseMessage"] == "NO_REGISTERED_GATEWAY_FOUND"


def test_stores_and_their_counters(cloud: Cloud) -> None:
    cloud.push(record("1"), record("2"))
    cloud.link(cloud.labels()[0], "1")
    stores = cloud.call("GET", "/store", store=None).json()["stores"]
    assert [row["store"] for row in stores] == ["001", "002", "003"]
    assert (stores[0]["articleCount"], stores[0]["labelCount"], stores[0]["gatewayCount"]) == (2, 12, 2)
    assert cloud.call("GET", "/store", store=None, region="Nowhere").status_code == 204
    summary = cloud.call("GET", "/store/summary").json()
    assert (summary["totalProductCount"], summary["totalAssignedProductCount"]) == (2, 1)
    assert (summary["inProgressLabelCount"], summary["updatedLabelCount"]) == (1, 0)
    cloud.advance(2)
    summary = cloud.call("GET", "/store/summary").json()
    assert (summary["inProgressLabelCount"], summary["updatedLabelCount"]) == (0, 1)
    counts = cloud.call("GET", "/store/labels/count", store=None).json()["storeList"]
    assert (counts[0]["assignedLabels"], counts[0]["unassignedLabels"]) == (1, 11)


def test_what_is_no_part_of_aims_is_a_page(cloud: Cloud) -> None:
    for path in ("/", "/api/v2/common/articles", "/common/api/v2/common/nothing", "/common"):
        answer = cloud.http.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert 20_000 < len(answer.content) < 30_000


def test_other_methods_are_405(cloud: Cloud) -> None:
    head = cloud.http.head("/common/api/v2/token")
    assert (head.status_code, head.content) == (405, b"")
    assert cloud.call("PATCH", "/articles").status_code == 405


def test_stores_come_change_and_go(cloud: Cloud) -> None:
    new = {"store": "900", "storeName": "New", "storeConfig": {"aliveInterval": 2, "whiteListEnable": True}}
    assert cloud.call("POST", "/store", new, store=None).status_code == 200
    again = cloud.call("POST", "/store", new, store=None)
    assert (again.status_code, again.json()["responseMessage"]) == (409, "STORE_ALREADY_EXISTS")
    found = cloud.call("GET", "/store/setting/summary", store="900").json()
    assert (found["whiteListEnable"], found["storeConfig"]["aliveInterval"]) == (True, 2)
    change = {"storeName": "Changed", "storeConifg": {"lostTime": 7}}
    assert cloud.call("PUT", "/store", change, store="900").status_code == 200
    summary = cloud.call("GET", "/store/summary", store="900").json()
    assert (summary["storeName"], summary["storeConfig"]["aliveInterval"]) == ("Changed", 2)
    assert summary["storeConfig"]["lostTime"] == 7
    assert cloud.call("DELETE", "/store", {"storeList": ["900", "no"]}, store=None).status_code == 405
    assert cloud.call("DELETE", "/store", {"storeList": ["900"]}, store=None).status_code == 200
    assert cloud.call("GET", "/store/summary", store="900").status_code == 405
    assert cloud.call("POST", "/store", {"storeName": "x"}, store=None).status_code == 405


def test_stores_have_a_quota_and_areas(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds(store_exists_status=405, known_areas_only=True)
    assert cloud.call("POST", "/store", {"store": "001"}, store=None).status_code == 405
    far = cloud.call("POST", "/store", {"store": "901", "country": "Nowhere"}, store=None)
    assert far.json()["responseMessage"] == "AREA_NOT_FOUND"
    near = {"store": "901", "country": "Exampleland", "region": "North", "city": "Exampleton"}
    cloud.control("POST", "company", {"company": "ACME", "store_quota": 3})
    full = cloud.call("POST", "/store", near, store=None)
    assert (full.status_code, full.json()["responseMessage"]) == (403, "STORE_QUOTA_REACHED")
    cloud.control("POST", "company", {"company": "ACME", "store_quota": 4})
    assert cloud.call("POST", "/store", near, store=None).status_code == 200


def test_gateways_are_registered_and_given_free(cloud: Cloud) -> None:
    mac = cloud.call("GET", "/gateway/floating", store=None).json()["gatewayList"][0]["macAddress"]

    def register(sent: str) -> tuple[int, str]:
        answer = cloud.call("POST", "/gateway", {"gateway": sent})
        return answer.status_code, answer.json()["responseMessage"]

    assert register("xyz") == (405, "GATEWAY_MAC_MUST_BE_HEXADECIMAL")
    assert register(mac) == (200, "SUCCESS")
    assert register(mac) == (400, "NO_UNREGISTERED_GATEWAY_FOUND")
    assert cloud.call("GET", "/gateway/floating", store=None).status_code == 204
    row = cloud.call("GET", "/gateway", gateway=mac).json()["gatewayList"][0]
    assert row["networkStatus"] == "NOT_READY"
    assert cloud.call("GET", "/store/summary").json()["notReadyGwCount"] == 1
    cloud.advance(60)
    assert cloud.call("GET", "/gateway/detail", gateway=mac).json()["networkStatus"] == "CONNECTED"
    part = cloud.call("PUT", "/gateway", {"name": "Hall", "slotTotal": 4}, gateway=f"{mac},NO")
    assert (part.status_code, [row["gateway"] for row in part.json()["data"]]) == (206, ["NO"])
    detail = cloud.call("GET", "/gateway/detail", gateway=mac).json()
    assert (detail["name"], detail["slotTotal"], detail["netmask"]) == ("Hall", 4, "")
    assert cloud.call("DELETE", "/gateway", gateways=mac).status_code == 200
    assert cloud.call("GET", "/gateway/floating", store=None, mac=mac).status_code == 200
    assert cloud.call("DELETE", "/gateway", gateway=mac).status_code == 405


def test_gateway_states_default_to_the_offline_ones(cloud: Cloud) -> None:
    up, down = sorted(cloud.store.gateways)
    assert cloud.call("GET", "/gateway/status").status_code == 204
    cloud.store.gateways[down].silent_since = START
    cloud.advance(300)
    rows = cloud.call("GET", "/gateway/status", store=None).json()["gatewayList"]
    assert [(row["store"], row["macAddress"]) for row in rows] == [("001", down)]
    assert len(cloud.call("GET", "/gateway/status", network="both").json()["gatewayList"]) == 2
    times = {"startTime": "2026-02-03 18:00:00", "endTime": "2026-02-03 18:20:00"}
    buckets = cloud.call("GET", "/gateway/status/summary", gateway=up, **times).json()["status"]
    assert [row["timeInterval"] for row in buckets][:2] == [
        "2026-02-03 18:00:00+00:00",
        "2026-02-03 18:05:00+00:00",
    ]
    assert (
        cloud.call("GET", "/gateway/status/summary", gateway=up, **{**times, "endTime": "x"}).status_code
        == 405
    )


def test_what_has_no_rules_is_remembered(cloud: Cloud) -> None:
    answer = cloud.call("PUT", "/whitelist/update/storage", store=None, isFullUpdateRequired="YES")
    assert answer.json() == {"responseCode": "200", "responseMessage": "SUCCESS"}
    kept = cloud.simulator.company("ACME").remembered
    assert kept["/api/v2/common/whitelist/update/storage/"]["query"]["isFullUpdateRequired"] == ["YES"]
