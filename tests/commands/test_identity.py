"""`org`, `store`, `user` and `mail` as processes: shapes, exit codes, and two tenants that never meet."""

from __future__ import annotations

import pytest

from tests.world.planted import PASSWORD

pytestmark = pytest.mark.slow

STORE = [
    "code", "name", "timezone", "sync_enabled", "full_sync_minutes", "last_sync_at", "paused", "spaces", "people",
    "conference_rooms",
]  # fmt: skip
USER = [
    "email", "role", "store", "first_name", "last_name", "is_active", "must_change_password", "last_login_at",
    "temporary_password",
]  # fmt: skip


def login(electis, email, password=PASSWORD):
    electis("login", email, "--password-stdin", stdin=password + "\n")


def test_stores(electis):
    made = electis(
        "store", "create", "001", "--name", "Main", "--timezone", "Asia/Jerusalem", "--full-sync-minutes", "30",
        "-o", "json",
    ).json  # fmt: skip
    assert list(made) == STORE
    assert (made["code"], made["timezone"], made["full_sync_minutes"]) == ("001", "Asia/Jerusalem", 30)
    assert electis("store", "create", "001", "-o", "json", check=7).error["code"] == "E-EXISTS"
    assert electis("store", "create", "2", "--timezone", "Mars", "-o", "json", check=8).out == ""
    assert electis("store", "show", "1", "-o", "json", check=6).error["code"] == "E-STORE-NOT-FOUND"
    changed = electis("store", "update", "001", "--no-sync-enabled", "-o", "json").json
    assert changed["sync_enabled"] is False
    electis("space", "create", "4-1", "--store", "001")
    assert "--yes" in electis("store", "delete", "001", check=2).err
    refused = electis("store", "delete", "001", "--yes", "-o", "json", check=7).error
    assert (refused["code"], refused["fix"]) == ("E-STORE-NOT-EMPTY", "electis store delete 001 --force")
    assert electis("store", "delete", "001", "--yes", "--force", "-o", "name").out == "001\n"
    assert electis("store", "list", "-o", "json").json == []


def test_users_from_creation_to_their_first_login(electis):
    """Flow 5.1 at the command line, without a mail server."""
    made = electis(
        "user", "create", "Dana@Acme.example", "--role", "manager", "--first-name", "דנה", "-o", "json"
    ).json
    assert list(made) == USER
    assert (made["email"], made["first_name"], made["must_change_password"]) == (
        "dana@acme.example", "דנה", True,
    )  # fmt: skip
    assert electis("user", "create", "dana@acme.example", "--role", "viewer", check=7).out == ""
    assert electis("user", "create", "dana", "--role", "viewer", check=8).out == ""
    assert electis("user", "create", "x@acme.example", "--role", "support", check=2).out == ""
    assert electis("user", "deactivate", "admin@acme.example", "-o", "json", check=7).error["code"] == (
        "E-LAST-ADMIN"
    )
    [mail] = electis("mail", "list", "-o", "json").json
    assert (mail["kind"], mail["recipient"], mail["state"]) == ("welcome", "dana@acme.example", "waiting")
    assert "body" not in mail
    assert electis("mail", "send", "-o", "json", check=16).error["code"] == "E-CONFIG"

    login(electis, "dana@acme.example", made["temporary_password"])

    assert electis("user", "list", "-o", "json", check=5).error["code"] == "E-PASSWORD-MUST-CHANGE"
    electis(
        "password", "change", "--password-stdin",
        stdin=f"{made['temporary_password']}\nbetter battery 10\n",
    )  # fmt: skip
    login(electis, "dana@acme.example", "better battery 10")
    for refused in (
        ("user", "create", "x@acme.example", "--role", "viewer"),
        ("user", "list"),
        ("org", "create", "FRESH"),
        ("org", "update", "--name", "Mine"),
        ("store", "create", "009"),
        ("mail", "list"),
    ):
        assert electis(*refused, "-o", "json", check=5).error["code"] == "E-PERMISSION", refused
    assert electis("org", "show", "-o", "json").json["code"] == "ACME"


def test_a_welcome_mail_goes_out_through_the_mail_server(electis, smtp_server):
    """Flow 5.1 with a mail server: the answer holds no password, the mail does."""
    electis.extra["ELECTIS_SMTP_URL"] = smtp_server.url
    made = electis("user", "create", "dana@acme.example", "--role", "viewer", "-o", "json").json
    assert made["temporary_password"] is None
    smtp_server.refuse("451 try later")
    assert electis("mail", "send", "-o", "json", check=3).json == {
        "sent": 0, "postponed": 1, "waiting": 1, "failed": 0,
    }  # fmt: skip
    smtp_server.refuse(None)
    [mail] = electis("mail", "list", "-o", "json").json
    assert mail["error"] == "SMTPDataError 451"
    electis("mail", "retry", mail["id"])

    assert electis("mail", "send", "-o", "json").json["sent"] == 1

    text = smtp_server.wait_for(1)[0].text
    login(electis, "dana@acme.example", text.partition("temporary password: ")[2].split()[0])
    electis("mail", "retry", "no-such", check=5)


def test_two_tenants_never_meet(electis):
    """Flow 7: whatever belongs to the other organization is not found."""
    electis("store", "create", "001")
    electis("user", "create", "dana@acme.example", "--role", "viewer")
    electis.initialize("OTHER")

    for command in (
        ("user", "show", "dana@acme.example"),
        ("user", "update", "dana@acme.example", "--role", "manager"),
        ("user", "deactivate", "dana@acme.example"),
        ("user", "reset-password", "dana@acme.example"),
        ("store", "show", "001"),
        ("store", "update", "001", "--name", "Mine"),
        ("store", "delete", "001", "--force", "--yes"),
        ("org", "show", "ACME"),
        ("org", "update", "ACME", "--name", "Mine"),
        ("store", "list", "--org", "ACME"),
        ("user", "list", "--org", "ACME"),
        ("mail", "list", "--org", "ACME"),
    ):
        refused = electis(*command, "-o", "json", check=6)
        assert refused.out == "", command
    assert electis("user", "list", "-o", "name").out == "admin@other.example\n"
    assert electis("store", "list", "-o", "json").json == []
    assert electis("mail", "list", "-o", "json").json == []
    login(electis, "admin@acme.example")
    assert electis("user", "show", "dana@acme.example", "-o", "json").json["is_active"] is True
    assert electis("org", "list", "-o", "name").out == "ACME\n"
