from collections.abc import Callable

import pytest

from tests.simulator.cloud import Cloud


def messages(cloud: Cloud, header: str | None) -> tuple[int, str]:
    headers = {} if header is None else {"Authorization": header}
    answer = cloud.http.get(
        f"{cloud.prefix}/api/v2/common/articles", params={"company": "ACME", "store": "001"}, headers=headers
    )
    return answer.status_code, answer.json()["responseMessage"]


def test_a_token_expires_with_the_clock(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds(token_seconds=60)
    assert cloud.call("GET", "/articles").status_code == 204
    cloud.advance(59)
    assert cloud.call("GET", "/articles").status_code == 204
    cloud.advance(1)
    answer = cloud.call("GET", "/articles")
    assert answer.status_code == 401
    assert answer.json() == {"responseCode": "401", "responseMessage": "Unauthorized: TOKEN_EXPIRED"}
    cloud.login()
    assert cloud.call("GET", "/articles").status_code == 204


def test_each_kind_of_bad_token_has_its_word(cloud: Cloud) -> None:
    assert messages(cloud, None) == (401, "Unauthorized: TOKEN_NOT_FOUND_IN_REQUEST")
    assert messages(cloud, "Bearer a.b.c") == (401, "Unauthorized: TOKEN_IS_INVALID")
    assert messages(cloud, "Bearer abc") == (401, "Unauthorized: TOKEN_MALFORMED")
    forged = cloud.token.rpartition(".")[0] + ".x"
    assert messages(cloud, f"Bearer {forged}") == (401, "Unauthorized: TOKEN_SIGNATURE_NOT_VALID")


def test_the_prefix_of_the_words_can_be_left_out(clouds: Callable[..., Cloud]) -> None:
    assert messages(clouds(unauthorized_prefix=""), "Bearer abc") == (401, "TOKEN_MALFORMED")


def test_login_needs_both_and_checks_a_configured_user(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds()
    path = "/common/api/v2/token"
    assert cloud.http.post(path, json={"username": "u", "password": ""}).status_code == 401
    assert cloud.http.post(path, json={"username": 3}).status_code == 405
    assert cloud.http.post(path, content=b"{").status_code == 405
    assert cloud.http.post(path, data={"username": "u", "password": "p"}).status_code == 200
    closed = clouds(username="u", password="p")
    wrong = closed.http.post(path, json={"username": "u", "password": "q"})
    assert (wrong.status_code, wrong.json()["responseMessage"]) == (401, "Unauthorized")
    assert closed.control("GET", "counters")["login_failures"] == 1


def test_v2_refresh_rotates_and_refuses_a_used_token(cloud: Cloud) -> None:
    first = cloud.login()
    path = "/common/api/v2/token/refresh"
    answer = cloud.http.post(path, json={"refreshToken": first["refresh_token"]}).json()["responseMessage"]
    assert answer["refresh_token"] != first["refresh_token"]
    assert answer["access_token"] != first["access_token"]
    assert cloud.http.post(path, json={"refreshToken": first["refresh_token"]}).status_code == 401
    assert cloud.http.post(path, json={"refreshToken": answer["refresh_token"]}).status_code == 200


@pytest.mark.parametrize(("rotate", "second"), [("NO", 200), ("YES", 401)])
def test_v3_refresh_keeps_the_token_only_when_asked(cloud: Cloud, rotate: str, second: int) -> None:
    token = cloud.login()["refresh_token"]
    path = "/common/api/v3/ACME/auth/token/refresh"
    params = {"rotateToken": rotate}
    answer = cloud.http.post(path, params=params, json={"refresh_token": token}).json()["responseMessage"]
    assert answer["refreshTokenRotated"] is (rotate == "YES")
    assert (answer["tokens"]["refresh_token"] == token) is (rotate == "NO")
    cloud.token = answer["tokens"]["access_token"]
    assert cloud.call("GET", "/store").status_code == 200
    assert cloud.http.post(path, json={"refresh_token": token}).status_code == second
    unknown = cloud.http.post("/common/api/v3/NOPE/auth/token/refresh", json={"refresh_token": token})
    assert unknown.status_code == 403


def test_a_user_may_be_kept_to_some_companies(clouds: Callable[..., Cloud]) -> None:
    cloud = clouds(username="u", password="p", companies=("ACME", "BETA"))
    cloud.simulator.world.users["u"].companies = ["BETA"]
    assert cloud.call("GET", "/store", company="BETA").status_code == 200
    assert cloud.call("GET", "/store", company="ACME").status_code == 403
