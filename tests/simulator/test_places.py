from tests.simulator.cloud import Cloud, record


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


def test_other_methods_and_operations_not_made_yet(cloud: Cloud) -> None:
    head = cloud.http.head("/common/api/v2/token")
    assert (head.status_code, head.content) == (405, b"")
    assert cloud.call("PATCH", "/articles").status_code == 405
    later = cloud.call("GET", "/gateway/floating")
    assert (later.status_code, later.json()["responseCode"]) == (404, "404")
