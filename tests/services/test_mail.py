"""The outbox: nothing is lost, nothing is sent twice at once, and nothing secret stays."""

from __future__ import annotations

import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from electis_cli.adapters import mail as smtp
from electis_cli.adapters.mail import describe_failure
from electis_cli.db import alerts, trail
from electis_cli.db.tables import outgoing_mail
from electis_cli.domain.access import Action, Role
from electis_cli.domain.errors import Conflict, Misconfigured, NotFound, PermissionRefused
from electis_cli.services import mail, users
from electis_cli.services.change import changing
from electis_cli.services.runtime import Tuning

SECRET = "the-temporary-password"


@pytest.fixture
def mailing(scope, make_runtime, smtp_server):
    """The admin's scope with a real mail server."""
    return replace(
        scope,
        runtime=make_runtime(
            scope.runtime.database, send_mail=smtp.send_mail, tuning=Tuning(mail_url=smtp_server.url)
        ),
    )


def queue(scope, recipient="dana@acme.example", body=SECRET):
    with changing(scope, Action.CHANGE_USERS) as change:
        return mail.queue_mail(change, mail.WELCOME, recipient, "Welcome\n there", body)


def row_of(scope, mail_id):
    with scope.runtime.database.write(scope.org_id) as uow:
        return trail.find_mail(uow, mail_id)


def send(scope):
    return mail.send_due_mail(scope.runtime, scope.org_id)


def raise_alert(scope, cause="down", text="AIMS does not answer."):
    with scope.runtime.database.write(scope.org_id) as uow:
        alerts.raise_alert(
            uow,
            alert_id=scope.runtime.new_id(),
            cause=cause,
            text=text,
            store_id=None,
            now=scope.runtime.clock(),
        )
        uow.commit()


def test_a_queued_body_is_sealed(scope):
    row = row_of(scope, queue(scope))

    assert SECRET not in str(row)
    assert row["body"].startswith("v1.")
    assert row["subject"] == "Welcome there"


def test_a_mail_is_queued_with_its_change_or_not_at_all(scope):
    def fail():
        with changing(scope, Action.CHANGE_USERS) as change:
            mail.queue_mail(change, mail.WELCOME, "dana@acme.example", "Welcome", SECRET)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert mail.list_mail(scope) == []


def test_a_due_mail_is_sent_once_and_wiped(mailing, smtp_server, clock):
    mail_id = queue(mailing, body="שלום\nsecond line")

    assert send(mailing) == mail.MailCounts(sent=1, postponed=0, waiting=0, failed=0)
    assert send(mailing).sent == 0

    [sent] = smtp_server.wait_for(1)
    assert sent.recipients == ("dana@acme.example",)
    assert sent.subject == "Welcome there"
    assert sent.text == "שלום\nsecond line\n"
    assert sent.message["Message-ID"] == f"<{mail_id}@electis.invalid>"
    row = row_of(mailing, mail_id)
    assert (row["state"], row["body"], row["sent_at"]) == ("sent", None, clock.now)


def test_without_a_mail_server_mails_wait(scope):
    mail_id = queue(scope)

    assert send(scope) == mail.MailCounts(sent=0, postponed=0, waiting=1, failed=0)
    assert row_of(scope, mail_id)["attempts"] == 0
    with pytest.raises(Misconfigured):
        mail.send_mail_now(scope)


def test_a_server_that_is_down_costs_nothing_but_time(mailing, smtp_server, clock):
    mail_id = queue(mailing)
    smtp_server.stop()
    for _ in range(8):
        send(mailing)
        clock.advance(900)
    row = row_of(mailing, mail_id)
    assert (row["state"], row["attempts"], row["error_text"]) == ("waiting", 8, "ConnectionRefusedError")
    smtp_server.start()

    assert send(mailing).sent == 1

    assert row_of(mailing, mail_id)["error_text"] is None


def test_a_failure_waits_before_the_next_try(mailing, smtp_server, clock):
    queue(mailing)
    smtp_server.refuse("451 try later")

    assert send(mailing).postponed == 1
    assert send(mailing) == mail.MailCounts(sent=0, postponed=0, waiting=1, failed=0)
    clock.advance(4)  # half of 2 s * 4
    assert send(mailing).postponed == 1


def test_one_that_is_refused_for_good_is_given_up_and_can_be_retried(mailing, smtp_server, clock):
    mail_id = queue(mailing)
    smtp_server.refuse(f"550 no such user, and your {SECRET} is silly")
    for _ in range(mail.MOST_REFUSALS):
        send(mailing)
        clock.advance(900)
    row = row_of(mailing, mail_id)
    assert (row["state"], row["error_text"]) == ("failed", "SMTPDataError 550")
    assert send(mailing) == mail.MailCounts(sent=0, postponed=0, waiting=0, failed=1)
    smtp_server.refuse(None)

    assert mail.retry_mail(mailing, mail_id).state == "waiting"
    assert send(mailing).sent == 1
    with pytest.raises(Conflict):
        mail.retry_mail(mailing, mail_id)


def test_one_bad_mail_does_not_hold_the_others(mailing, smtp_server):
    queue(mailing, recipient="bad")
    queue(mailing)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtplib.SMTP, "rcpt", _refuse("bad"))
        assert send(mailing) == mail.MailCounts(sent=1, postponed=1, waiting=1, failed=0)

    assert [view.error for view in mail.list_mail(mailing)] == [None, "SMTPRecipientsRefused 553"]


def test_two_workers_at_once_never_send_the_same_mail(mailing, make_runtime, open_database):
    """While one sends, another comes along."""
    for number in range(3):
        queue(mailing, recipient=f"{number}@acme.example")
    sent, rivals = [], []

    def record(**mail_):
        sent.append(mail_["recipient"])

    def record_with_rival(**mail_):
        record(**mail_)
        rivals.append(mail.send_due_mail(rival, mailing.org_id).sent)

    tuning = Tuning(mail_url="smtp://x")
    rival = make_runtime(open_database(), send_mail=record, tuning=tuning)
    mail.send_due_mail(replace(mailing.runtime, send_mail=record_with_rival), mailing.org_id)

    assert sorted(sent) == ["0@acme.example", "1@acme.example", "2@acme.example"]
    assert rivals == [2]


def test_a_worker_that_dies_in_the_middle_leaves_the_mail_to_the_next(mailing, smtp_server, clock):
    """At least once: the second one carries the same Message-ID."""
    mail_id = queue(mailing)

    def die(**_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mail.send_due_mail(replace(mailing.runtime, send_mail=die), mailing.org_id)

    assert send(mailing).sent == 0
    clock.advance(mail.CLAIM.total_seconds())
    assert send(mailing).sent == 1
    assert mail_id in smtp_server.wait_for(1)[0].message["Message-ID"]


def test_a_bad_mail_url_is_told_and_loses_nothing(scope, make_runtime):
    broken = make_runtime(
        scope.runtime.database, send_mail=smtp.send_mail, tuning=Tuning(mail_url="mail.example")
    )
    mail_id = queue(scope)

    with pytest.raises(Misconfigured):
        mail.send_due_mail(broken, scope.org_id)

    assert row_of(scope, mail_id)["state"] == "waiting"


@pytest.mark.parametrize("url", ["smtp://", "http://x", "smtp://x:99999", "smtp://[x"])
def test_mail_urls_that_are_none(url):
    with pytest.raises(Misconfigured):
        smtp.send_mail(url, recipient="a@b.example", subject="x", body="x", message_id="x")


def test_an_address_that_would_be_read_as_another_gets_nothing(mailing, smtp_server):
    queue(mailing, recipient="a(b@acme.example")

    assert send(mailing) == mail.MailCounts(sent=0, postponed=1, waiting=0, failed=1)
    assert smtp_server.mails == []


def test_a_failure_is_described_without_the_servers_words():
    error = smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"secret"), "c@d.example": (450, b"later")})

    assert describe_failure(error) == "SMTPRecipientsRefused 450"
    assert describe_failure(smtplib.SMTPServerDisconnected("secret")) == "SMTPServerDisconnected"


def test_the_welcome_mail_arrives_with_the_password(mailing, smtp_server, runtime):
    """Flow 5.1 to its end."""
    view = users.create_user(mailing, "dana@acme.example", role=Role.VIEWER)
    assert view.temporary_password is None

    send(mailing)

    [sent] = smtp_server.wait_for(1)
    password = sent.text.partition("temporary password: ")[2].split()[0]
    from electis_cli.services.auth import log_in

    assert log_in(runtime, "dana@acme.example", password).user.must_change_password


# --- alerts -----------------------------------------------------------------------------------------------------------


def test_alerts_are_mailed_to_all_active_admins(mailing, smtp_server):
    users.create_user(mailing, "second@acme.example", role=Role.ADMIN)
    users.create_user(mailing, "gone@acme.example", role=Role.ADMIN)
    users.deactivate_user(mailing, "gone@acme.example")
    users.create_user(mailing, "viewer@acme.example", role=Role.VIEWER)
    send(mailing)
    before = len(smtp_server.mails)
    raise_alert(mailing)
    raise_alert(mailing, "dead", "An article was refused.")

    assert mail.mail_alerts(mailing.runtime, mailing.org_id) == 2
    send(mailing)

    sent = smtp_server.wait_for(before + 2)[before:]
    assert sorted(one.recipients[0] for one in sent) == ["admin@acme.example", "second@acme.example"]
    assert "AIMS does not answer." in sent[0].text
    assert "An article was refused." in sent[0].text
    assert sent[0].subject == "electis: 2 alerts for ACME"


def test_a_cause_is_mailed_once_an_hour_and_only_when_it_happened_again(scope, runtime, clock):
    def mailed():
        return mail.mail_alerts(runtime, scope.org_id)

    raise_alert(scope)
    assert mailed() == 1
    assert mailed() == 0
    clock.advance(1800)
    raise_alert(scope)
    assert mailed() == 0, "the hour is not over"
    clock.advance(1800)
    assert mailed() == 1
    clock.advance(7200)
    assert mailed() == 0, "it did not happen again"
    raise_alert(scope)
    assert mailed() == 1


def test_an_alert_that_opens_again_within_the_hour_waits_too(scope, runtime, clock):
    raise_alert(scope)
    assert mail.mail_alerts(runtime, scope.org_id) == 1
    clock.advance(60)
    with runtime.database.write(scope.org_id) as uow:
        alerts.close_alert(uow, "down", clock())
        uow.commit()
    raise_alert(scope)

    assert mail.mail_alerts(runtime, scope.org_id) == 0
    clock.advance(3600)
    assert mail.mail_alerts(runtime, scope.org_id) == 1


def test_alerts_of_one_organization_reach_nobody_elses_admins(scope, bench, runtime):
    stranger = bench.organization("OTHER")
    raise_alert(scope)

    assert mail.mail_alerts(runtime, stranger.org_id) == 0
    assert mail.mail_alerts(runtime, scope.org_id) == 1

    with runtime.database.read() as uow:
        assert uow.execute(sa.select(outgoing_mail.c.recipient)).scalars().all() == ["admin@acme.example"]


def test_a_mail_says_for_each_alert_what_to_begin_with(mailing, smtp_server):
    raise_alert(mailing, "aims:breaker", "The queue is stopped.")
    raise_alert(mailing, "else", "Something else.")
    mail.mail_alerts(mailing.runtime, mailing.org_id)
    send(mailing)
    (sent,) = smtp_server.wait_for(1)
    assert "  begin with: electis aims doctor\n" in sent.text
    assert "  begin with: electis queue status\n" in sent.text


def test_two_workers_at_once_queue_one_mail_for_each_alert(scope, make_runtime, open_database, clock):
    """Two daemons' housekeeping at the same moment: every cause is in one mail to each admin, and in one only."""
    workers = [make_runtime(open_database()) for _ in range(3)]
    start = threading.Barrier(len(workers))

    def work(runtime):
        start.wait(20)
        return mail.mail_alerts(runtime, scope.org_id)

    with ThreadPoolExecutor(len(workers)) as pool:
        for round_ in range(8):
            for number in range(5):
                raise_alert(scope, f"cause-{number}")
            assert sum(pool.map(work, workers)) == 5, f"round {round_}"
            clock.advance(3600)
    queued = [view.subject for view in mail.list_mail(scope) if view.kind == mail.ALERT]
    assert queued
    counted = [1 if "an alert" in subject else int(subject.split()[1]) for subject in queued]
    assert sum(counted) == 8 * 5


# --- who may look -----------------------------------------------------------------------------------------------------


def test_the_outbox_is_for_admins_of_its_organization(scope, bench):
    mail_id = queue(scope)
    stranger = bench.organization("OTHER")

    assert [view.recipient for view in mail.list_mail(scope)] == ["dana@acme.example"]
    assert mail.list_mail(stranger) == []
    with pytest.raises(NotFound):
        mail.retry_mail(stranger, mail_id)
    for role in (Role.MANAGER, Role.VIEWER):
        with pytest.raises(PermissionRefused):
            mail.list_mail(bench.as_role(scope, role))
        with pytest.raises(PermissionRefused):
            mail.send_mail_now(bench.as_role(scope, role))
        with pytest.raises(PermissionRefused):
            mail.retry_mail(bench.as_role(scope, role), mail_id)


def _refuse(name):
    accept = smtplib.SMTP.rcpt

    def rcpt(self, recipient, options=()):
        return (553, b"bad address") if recipient == name else accept(self, recipient, options)

    return rcpt
