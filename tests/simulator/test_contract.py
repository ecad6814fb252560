"""Default answers against the contract's own description, and the shipped list of operations against it."""

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from electis_cli.simulator.label_code import check_digit
from electis_cli.simulator.surface import surface
from tests.simulator.cloud import SCOPE, Cloud, record

AIMS = Path(__file__).parents[1] / "data" / "aims"
OPENAPI: dict[str, Any] = orjson.loads((AIMS / "openapi-min.json").read_bytes())
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    row["operationId"]: (method.upper(), path, row)
    for path, methods in OPENAPI["paths"].items()
    for method, row in methods.items()
}


def resolved(node: Any) -> Any:
    """A schema without references, `nullable` said in the words of JSON Schema."""
    if isinstance(node, list):
        return [resolved(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = OPENAPI
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        return resolved(target)
    made = {key: resolved(value) for key, value in node.items() if key not in ("example", "nullable")}
    if node.get("nullable"):
        made["type"] = [made["type"], "null"]
    return made


def closed(schema: Any) -> Any:
    """The schema with no room for names the contract does not know."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made["additionalProperties"] = False
    return made


@pytest.fixture
def busy(cloud: Cloud) -> dict[str, str]:
    """A world in which every operation has something to say; answers the values to ask with."""
    cloud.push(record("1", "Ann"), record("bad", STORE_ID="777"), record("2"))
    label, free = cloud.labels()[:2]
    cloud.link(label, "1")
    cloud.advance(2)
    batch = cloud.push(record("1", "Bob"), record("bad", STORE_ID="777"))["customBatchId"]
    cloud.advance(2)
    blink = {"ledBlinkList": [{"labelCode": label, "color": "RED", "duration": "60m"}]}
    assert cloud.call("PUT", "/labels/led", blink).status_code == 200
    cloud.call("POST", "/whitelist", {"labelList": [label, free]})
    slow = cloud.labels()[2]
    cloud.link(slow, "1")
    cloud.store.labels[slow].outcome = "TIMEOUT"
    cloud.advance(2)
    gateways = sorted(cloud.store.gateways)
    assert cloud.call("PATCH", "/gateway", gateway=gateways[1]).status_code == 200
    floating = min(cloud.simulator.company("ACME").floating)
    return {
        "label": label,
        "free": free,
        "batch": batch,
        "gateway": gateways[0],
        "down": gateways[1],
        "floating": floating,
    }


def request_of(operation: str, values: dict[str, str], cloud: Cloud) -> tuple[dict[str, str], Any]:
    """Query and body that get a full answer."""
    label, batch = values["label"], values["batch"]
    queries: dict[str, dict[str, str]] = {
        "getArticlesBatchDetail": {"inputBatchId": batch},
        "getArticlesHistoryDetail": {"name": batch},
        "getArticlesUpdateHistory": {"article": "1"},
        "getArticlesUpdateHistoryDetail": {"articleId": "1", "uploadId": batch},
        "getArticlesAssignSearch": {"searchType": "ARTICLEID", "articleId": "1"},
        "getArticlesId": {"id": "1"},
        "getArticlesName": {"name": "ob"},
        "getConfigArticleField": {"article": "1"},
        "getConfigArticleFieldNSecondly": {"article": "Bob"},
        "getGatewayDetail": {"gateway": values["gateway"]},
        "getGatewayDebugInfo": {"gateway": values["gateway"]},
        "getGatewayStatus": {"gateway": values["down"]},
        "getGatewayStatusSummary": {
            "gateway": values["gateway"],
            "startTime": "2026-02-03 18:00:00",
            "endTime": "2026-02-03 18:20:00",
        },
        "putGateway": {"gateway": values["gateway"]},
        "patchGateway": {"gateway": values["gateway"]},
        "deleteGateway": {"gateway": values["gateway"]},
        "getLabelsAliveHistory": {"label": label},
        "getLabelsGateway": {"gateway": cloud.store.labels[label].gateway},
        "getLabelsHistory": {"label": label},
        "getLabelsStatus": {"labelCode": label},
        "getLabelsStatusHistory": {"label": label},
        "getLabelsStore": {"labelCode": label},
        "getLabelsUnassignedDetail": {"label": values["free"]},
        "putLabelsImageDitherPreview": {"labelCode": label},
        "postLabelsImage": {"cbId": "yes"},
        "postLabelsRegenerateImages": {"regenerateType": "ALL"},
        "deleteLabels": {"cbId": "yes"},
        "putWhitelistUpdateStorage": {"isFullUpdateRequired": "YES"},
        "postWhitelistBox": {"boxid": "B1"},
        "getLabelsArticle": {"articleId": "1"},
        "getLabelsDetail": {"label": label},
        "getLabelsLink": {"labelCode": label},
        "getLabelsTypeInfo": {"labelCode": label},
        "postLabelsLink": {"cbId": "yes"},
        "postLabelsUnlink": {"cbId": "yes"},
    }
    blink = {"color": "RED", "duration": "10s"}
    bodies: dict[str, Any] = {
        "postArticles": [record("1", "new")],
        "putArticles": [record("1", "new")],
        "deleteArticles": {"articleDeleteList": ["2"]},
        "postArticlesUploadFormat": cloud.simulator.company("ACME").format,
        "postLabelsLink": {"assignList": [{"labelCode": values["free"], "articleIdList": ["1"]}]},
        "postLabelsUnlink": {"unAssignList": [label]},
        "postLabelsPage": {"pageChangeList": [{"labelCode": label, "page": 2}]},
        "putLabelsLed": {"ledBlinkList": [{"labelCode": label, **blink}]},
        "putArticlesLed": {"ledBlinkList": [{"articleId": "1", **blink}]},
        "postGateway": {"gateway": values["floating"]},
        "putGateway": {"name": "North", "dataChannel": 12, "slotTotal": 4},
        "postLabelsImage": {"labelCode": label, "page": 1, "frontPage": 1, "image": IMAGE},
        "putLabelsImageDitherPreview": {"image": IMAGE, "optAlgType": 1},
        "postLabelsNfc": {"labels": [{"labelCode": label, "nfcUrl": "https://x.example/1"}]},
        "deleteLabels": {"labelList": [values["free"]]},
        "postStore": {"store": "900", "storeName": "New", "country": "Exampleland"},
        "putStore": {"storeName": "Changed", "storeConfig": {"aliveInterval": 12}},
        "deleteStore": {"storeList": ["003"]},
        "postWhitelist": {"labelList": [values["free"]]},
        "deleteWhitelist": {"labelList": [label]},
        "postToken": {"username": "u", "password": "p"},
        "postTokenRefresh": {"refreshToken": cloud.login()["refresh_token"]},
        "postCompanyAuthTokenRefreshV3": {"refresh_token": cloud.login()["refresh_token"]},
    }
    return queries.get(operation, {}), bodies.get(operation)


IMAGE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()

# Names our answers carry beyond the description: the contract's text has them (5.9), or tells where they were seen.
BEYOND = {
    "getStore": {"createdTime"},
    "getLabelsLed": {"labelCode"},
    "getLabelsHistory": {"requestType"},
}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_default_answers_follow_the_description(operation: str, cloud: Cloud, busy: dict[str, str]) -> None:
    method, path, row = OPERATIONS[operation]
    query, body = request_of(operation, busy, cloud)
    known = {one["name"] for one in row.get("parameters", [])}
    scope = {name: value for name, value in SCOPE.items() if name in known}
    answer = cloud.http.request(
        method,
        cloud.prefix + path.replace("{company}", "ACME"),
        params=scope | query,
        json=body,
        headers={"Authorization": f"Bearer {cloud.token}"},
    )
    assert answer.status_code == 200, answer.text
    schema = resolved(row["responses"]["200"]["content"]["application/json"]["schema"])
    content = answer.json()
    Draft202012Validator(schema).validate(content)
    strangers = {
        name
        for error in Draft202012Validator(closed(schema)).iter_errors(content)
        for name in error.instance
        if name not in error.schema["properties"]
    }
    assert strangers <= BEYOND.get(operation, set())
    if operation != "getArticlesUploadFormat":
        assert content["responseCode"] == "200"
    if "204" not in row["responses"]:
        assert content


def test_the_shipped_list_is_the_contracts() -> None:
    shipped = {op.id: op for methods in surface().exact.values() for op in methods.values()}
    assert set(shipped) == set(OPERATIONS)
    for id_, (method, path, row) in OPERATIONS.items():
        operation = shipped[id_]
        assert (operation.method, operation.path) == (method, path)
        assert operation.bearer == bool(row.get("security"))
        assert operation.empty == ("204" in row["responses"])
        sent = {one["name"]: one for one in row.get("parameters", []) if one["in"] == "query"}
        assert set(operation.query) == set(sent)
        for name, one in sent.items():
            assert operation.query[name].required == bool(one.get("required"))
        wanted = row.get("requestBody")
        assert (operation.body is not None) == (wanted is not None)
        assert operation.body_required == bool(wanted and wanted.get("required"))


def test_shipped_body_schemas_judge_the_examples_like_the_contract() -> None:
    judged = 0
    for path in sorted((AIMS / "examples").glob("*.json")):
        example = orjson.loads(path.read_bytes())
        body = example["request"].get("body")
        if body is None:
            continue
        methods, _ = surface().at(example["request"]["path"].removeprefix("/common"))
        operation = methods[example["request"]["method"]]
        assert operation.body is not None
        assert operation.body.is_valid(body)
        judged += 1
    assert judged > 10


def test_the_contracts_label_codes_are_sound() -> None:
    for code in ("0A1B2C3DB290", "0A1B2C3EB293", "0A1B2D50B098", "0A1B2C4FB295"):
        assert check_digit(code[:-1]) == code[-1]
