"""`electis init` as a process: what it leaves behind, and what it refuses without leaving anything."""

from __future__ import annotations

import stat

import pytest

from tests.world.planted import PASSWORD


def init(electis, code="ACME", email="admin@acme.example", password=PASSWORD, check=0, *more):
    return electis(
        "init", "--org-code", code, "--org-name", "Acme", "--admin-email", email, "--admin-password-stdin",
        "-o", "json", *more, stdin=password + "\n", check=check,
    )  # fmt: skip


def files(electis):
    return sorted(str(path.relative_to(electis.home)) for path in electis.home.rglob("*") if path.is_file())


def modes(electis, *names):
    return {stat.S_IMODE((electis.home / name).stat().st_mode) for name in names}


@pytest.mark.slow
def test_the_first_init_makes_database_key_organization_and_admin(make_electis):
    electis = make_electis()

    made = init(electis).json

    assert list(made) == [
        "organization", "admin", "database", "schema", "key_fingerprint", "is_new_database",
    ]  # fmt: skip
    assert (made["organization"], made["admin"], made["is_new_database"]) == (
        "ACME", "admin@acme.example", True,
    )  # fmt: skip
    assert {name.removesuffix("-journal") for name in files(electis)} == {"data/electis.db", "secret.key"}
    assert modes(electis, *files(electis)) == {0o600}

    again = init(electis, check=7)
    assert again.out == ""
    assert (again.error["code"], again.error["exit_code"]) == ("E-EXISTS", 7)
    assert init(electis, "OTHER", check=7).error["code"] == "E-EMAIL-TAKEN"

    second = init(electis, "OTHER", "admin@other.example").json
    assert second["is_new_database"] is False
    assert second["key_fingerprint"] == made["key_fingerprint"]
    electis("login", "admin@other.example", "--password-stdin", stdin=PASSWORD + "\n")
    assert [one["code"] for one in electis("org", "list", "-o", "json").json] == ["OTHER"]
    assert init(electis, "THIRD", "a@third.example", "weak", 8).error["code"] == "E-PASSWORD-WEAK"


@pytest.mark.parametrize(
    ("code", "email", "password", "exit_code", "error"),
    [
        ("ACME", "admin@acme.example", "weak", 8, "E-PASSWORD-WEAK"),
        ("ACME", "admin@acme.example", "admin admin 9", 8, "E-PASSWORD-WEAK"),
        ("ACME", "nobody", PASSWORD, 8, "E-INPUT"),
        ("acme", "admin@acme.example", PASSWORD, 8, "E-INPUT"),
        ("ACME", "admin@acme.example", "", 2, "E-USAGE"),
    ],
)
def test_a_refused_init_leaves_no_files_behind(make_electis, code, email, password, exit_code, error):
    electis = make_electis()

    refused = init(electis, code, email, password, exit_code)

    assert refused.error["code"] == error
    assert files(electis) == []


def test_init_without_saying_what_is_a_usage_problem(make_electis):
    electis = make_electis()

    assert "electis init --org-code" in electis("init", check=2).err
    assert electis("init", "--platform-admin", "a@b.example", "--org-code", "ACME", check=2).out == ""
    assert files(electis) == []


def test_a_database_that_does_not_answer_leaves_no_key_behind(make_electis):
    electis = make_electis(ELECTIS_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")

    refused = init(electis, check=17)

    assert refused.error["code"] == "E-DATABASE-UNAVAILABLE"
    assert files(electis) == []


@pytest.mark.slow
def test_postgresql_is_initialized_through_its_url(make_electis, postgres_server):
    url = postgres_server.create_database()
    electis = make_electis(ELECTIS_DATABASE_URL=url)
    try:
        made = init(electis).json
        assert made["is_new_database"] is True
        assert made["database"].startswith("postgresql")
        electis("login", "admin@acme.example", "--password-stdin", stdin=PASSWORD + "\n")
        assert electis("whoami", "-o", "json").json["organization"] == "ACME"
        stranger = make_electis("stranger", ELECTIS_DATABASE_URL=url)
        assert init(stranger, "OTHER", "a@other.example", check=16).error["code"] == "E-KEY"
        assert files(stranger) == []
    finally:
        postgres_server.drop_database(url)


@pytest.mark.slow
def test_a_platform_admin_creates_organizations_and_their_admins(make_electis):
    electis = make_electis()
    made = electis(
        "init", "--platform-admin", "boss@example.org", "--admin-password-stdin", "-o", "json",
        stdin=PASSWORD + "\n",
    ).json  # fmt: skip
    assert (made["organization"], made["admin"]) == (None, "boss@example.org")

    electis("login", "boss@example.org", "--password-stdin", stdin=PASSWORD + "\n")
    assert electis("whoami", "-o", "json").json["role"] == "platform_admin"
    assert electis("org", "list", "-o", "json").json == []
    electis("org", "create", "FRESH", "--name", "Fresh Air")
    made = electis(
        "user", "create", "a@fresh.example", "--role", "admin", "--org", "FRESH", "-o", "json"
    ).json
    assert made["temporary_password"]
    assert "--org" in electis("user", "list", check=2).err
    assert len(electis("user", "list", "--org", "FRESH", "-o", "json").json) == 1
