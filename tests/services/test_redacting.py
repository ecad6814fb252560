"""AIMS quotes people's names in its refusals; what is kept of them, mailed and logged has no name in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from electis_cli.adapters import mail as smtp
from electis_cli.db import organizations
from electis_cli.domain.errors import AimsRejected
from electis_cli.services import labels, people, ping, spaces
from electis_cli.services.full_sync import full_sync
from electis_cli.services.housekeeping import keep_house
from electis_cli.services.recording import last_exchanges
from electis_cli.services.runtime import Tuning
from tests.world.ledger import (
    account_of,
    label_codes,
    letters_of,
    open_alerts,
    push,
    rows_of,
    runs_of,
    store_of,
    wish_of,
)
from tests.world.planted import PERSON

SAID = "value '{ITEM_NAME}' of ITEM_NAME is too long: {ITEM_NAME}, title {TITLE}"
KEPT = "value '<ITEM_NAME>' of ITEM_NAME is too long: <ITEM_NAME>, title <TITLE>"

TABLES = ("alerts", "dead_letters", "sync_runs", "aims_accounts", "outgoing_mail", "events", "aims_exchanges")


@pytest.fixture
def seated(connected, make_runtime, smtp_server):
    """An admin with a mail server, and a person at a space, not pushed yet."""
    tuning = Tuning(mail_url=smtp_server.url)
    runtime = make_runtime(connected.runtime.database, send_mail=smtp.send_mail, tuning=tuning)
    people.create_person(connected, "P-1", data={"ITEM_NAME": PERSON})
    spaces.create_space(connected, "4-117", data={"TITLE": "Window seat"})
    people.assign_person(connected, "P-1", "4-117")
    return replace(connected, runtime=runtime)


def told(scope):
    """Return every text that is kept for people to be told of, beside the row itself."""
    with scope.runtime.database.read(scope.org_id) as uow:
        found = [
            str(value)
            for table in TABLES
            for row in uow.execute(sa.text(f"SELECT * FROM {table}")).mappings()  # noqa: S608 - our own words
            for value in row.values()
        ]
        columns = "SELECT error_class, error_text FROM articles UNION SELECT error_class, error_text FROM label_links"
        found += [str(value) for row in uow.execute(sa.text(columns)) for value in row]
    return "\n".join(found)


def mailed(scope, server):
    """Keep house, and return the text of all mails that went out."""
    keep_house(scope.runtime, scope.org_id)
    return "\n".join(f"{mail.subject}\n{mail.text}" for mail in server.mails)


def assert_nobody_is_named(scope, *texts):
    for text in (told(scope), *texts):
        assert PERSON not in text
        assert "Window seat" not in text


@pytest.mark.parametrize("kind", ["reject-article", "partial"])
def test_a_refusal_that_quotes_the_row_is_kept_and_mailed_without_it(seated, cloud, smtp_server, kind):
    cloud.faults.add(kind, articles=("4-117",), message=SAID)
    push(seated)

    (letter,) = letters_of(seated)
    (alert,) = open_alerts(seated)
    text = mailed(seated, smtp_server)
    for kept in (letter["error_text"], alert["text"], text, rows_of(seated)["4-117"].error_text):
        assert KEPT in kept
    assert_nobody_is_named(seated, text)


def test_the_answer_in_full_is_in_the_flight_recorder(seated, cloud):
    cloud.faults.add("reject-article", articles=("4-117",), message=SAID)
    push(seated)
    (failed,) = last_exchanges(seated, failed=True)
    assert f"value '{PERSON}' of ITEM_NAME" in failed.answer_body


def test_refusals_of_different_people_for_one_reason_are_one_alert(seated, cloud):
    for number in range(3):
        spaces.create_space(seated, f"S{number}", data={"ITEM_NAME": f"{PERSON} {number}", "TITLE": "Aisle"})
    cloud.faults.add("reject-article", message="{ITEM_NAME} is not welcome")
    push(seated)
    assert len(letters_of(seated)) == 4
    assert [alert["count"] for alert in open_alerts(seated)] == [4]


def test_what_aims_showed_before_is_not_quoted_either(seated, cloud):
    push(seated)
    spaces.update_space(seated, "4-117", data={"TITLE": "Corner"})
    people.unassign_person(seated, "P-1")
    cloud.faults.add("reject-article", articles=("4-117",), message=f"{PERSON} does not become nobody")
    push(seated)
    assert rows_of(seated)["4-117"].error_text == "AIMS answered 405: <ITEM_NAME> does not become nobody."
    assert_nobody_is_named(seated)


@pytest.mark.parametrize("code", [500, 429, 402, 403, 401])
def test_whatever_the_store_or_the_account_waits_for_names_nobody(seated, cloud, smtp_server, code):
    """Doubt, throttling, license, login: each is written down somewhere else."""
    cloud.faults.add(
        "status", code=code, path="/articles", method="POST", message=f"no {PERSON} at 'Window seat'"
    )
    cloud.faults.add("status", code=503, path="/store", message=f"{PERSON} broke it")
    report = push(seated)
    assert report.error_code
    assert PERSON not in report.error
    assert_nobody_is_named(seated, mailed(seated, smtp_server))
    assert ("<ITEM_NAME>" in told(seated)) is (code != 429)


def test_a_refused_label_names_nobody(seated, cloud, smtp_server):
    push(seated)
    (code,) = label_codes(cloud, 1)
    labels.link_label(seated, code, "4-117")
    cloud.faults.add("status", code=405, path="/labels/link", message=f"{code} shows {PERSON} already")
    push(seated)
    assert wish_of(seated, code).error_text == f"AIMS answered 405: {code} shows <ITEM_NAME> already."
    (letter,) = letters_of(seated)
    assert letter["error_text"] == wish_of(seated, code).error_text
    assert_nobody_is_named(seated, mailed(seated, smtp_server))


def test_a_full_sync_that_fails_names_nobody(seated, cloud):
    """Not in its run, and not in the error either: cron mails that."""
    cloud.faults.add(
        "status", code=405, path="/config/article/info", message=f"{PERSON} is odd, 'Noa Cohen' too"
    )
    with pytest.raises(AimsRejected) as caught:
        full_sync(seated, store_of(seated).id)
    assert caught.value.why == "AIMS answered 405: <…>."
    assert runs_of(seated)[0]["error_text"] == caught.value.why
    assert_nobody_is_named(seated)


def test_aims_own_word_stays_readable_when_a_department_is_called_like_it(seated, cloud):
    spaces.update_space(seated, "4-117", data={"DEPARTMENT": "STORE"})
    cloud.faults.add("status", code=405, path="/config/article/info", message="STORE_CODE_NOT_FOUND")
    with pytest.raises(AimsRejected):
        full_sync(seated, store_of(seated).id)
    assert "STORE_CODE_NOT_FOUND" in runs_of(seated)[0]["error_text"]


def test_a_ping_that_quotes_somebody_names_nobody(seated, cloud, smtp_server):
    cloud.faults.add("status", code=500, path="/store", message=f"row of {PERSON} is broken")
    view = ping.ping(seated)
    assert PERSON in view.error  # for whoever asked
    assert account_of(seated).ping_error == "AIMS answered 500: <…>."
    text = mailed(seated, smtp_server)
    assert "AIMS answered 500: <…>." in text
    assert_nobody_is_named(seated, text)


def test_a_login_that_answers_with_a_name_names_nobody(seated, cloud):
    """Refused with 200, and a text where the token belongs (contract 2)."""
    cloud.faults.add("soft-error", code=200, path="/api/v2/token", message=f"{PERSON} is locked")
    with seated.runtime.database.write() as uow:
        organizations.update_organization(uow, seated.org_id, {"aims_username": "somebody"})
        uow.commit()
    push(seated)
    assert "AIMS answered without a token: <…>." in told(seated)
    assert_nobody_is_named(seated)
