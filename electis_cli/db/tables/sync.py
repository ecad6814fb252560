"""The sync: the article ledger and what keeps it honest (design section 5)."""

from __future__ import annotations

import sqlalchemy as sa

from electis_cli.db.tables.facts import store_key
from electis_cli.db.tables.metadata import metadata
from electis_cli.db.types import Json, UtcDateTime

counters = sa.Table(
    "counters",
    metadata,
    # SQLite has no sequences; its writers are one at a time anyway. PostgreSQL uses a sequence of the same name.
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

aims_accounts = sa.Table(
    "aims_accounts",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("last_solum_ping", UtcDateTime),
    sa.Column("ping_state", sa.Text, nullable=False),  # unknown, ok, error
    sa.Column("ping_error", sa.Text),
    sa.Column("pinged_at", UtcDateTime),
    sa.Column("breaker", sa.Text, nullable=False),  # closed, open, half-open
    sa.Column("breaker_reason", sa.Text),  # health, throttled, license, login, format
    sa.Column("breaker_since", UtcDateTime),
    sa.Column("backoff_until", UtcDateTime),
)

articles = sa.Table(
    "articles",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, primary_key=True),
    sa.Column("article_id", sa.Text, primary_key=True),
    sa.Column("desired_version", sa.BigInteger, nullable=False),
    sa.Column("desired_seq", sa.BigInteger, nullable=False),
    sa.Column("desired_deleted", sa.Boolean, nullable=False),
    sa.Column("synced_version", sa.BigInteger, nullable=False),
    sa.Column("base", Json),  # the content both sides last agreed on; null: none, or absence
    sa.Column("base_hash", sa.Text),  # null: never agreed on anything; "-": agreed that it is absent
    sa.Column("state", sa.Text, nullable=False),  # active, failed, held, conflict
    sa.Column("inflight_version", sa.BigInteger),
    sa.Column("inflight_hash", sa.Text),
    sa.Column("inflight_content", Json),
    sa.Column("inflight_epoch", sa.BigInteger),
    sa.Column("attempts", sa.Integer, nullable=False),  # failures of its own
    sa.Column("doubts", sa.Integer, nullable=False),  # ambiguous answers while AIMS was well
    sa.Column("last_tried_at", UtcDateTime),
    sa.Column("next_attempt_at", UtcDateTime),
    sa.Column("error_class", sa.Text),
    sa.Column("error_text", sa.Text),
    sa.Column("acked_at", UtcDateTime),
    sa.Column("verify_after", UtcDateTime),  # read again then, to see that what was accepted is there
    sa.Column("last_seen_remote_at", UtcDateTime),
    sa.Column("missing_since", UtcDateTime),  # the first complete listing that did not show it any more
    sa.Column("odd_hash", sa.Text),
    sa.Column("odd_since", UtcDateTime),
    # The sequence's number at the last bump, claim or acknowledgement: what moved since a listing began.
    sa.Column("touched_seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("read_equal_at", UtcDateTime),  # read back equal since the last acknowledgement
    sa.Column("remote_updated", sa.Text),  # AIMS's own "last updated", in its words, when last listed
    sa.Column("echo", Json),  # the form in which AIMS itself shows the base
    sa.Column("echo_rounds", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    # What was ever sent or agreed on, `HASH:SECONDS HASH:SECONDS`. In the row, as each claim writes both and locks it
    # anyway; as text, as taking documents apart and putting them together took a fifth of a claim.
    sa.Column("known", sa.Text),
    store_key(),
    sa.CheckConstraint("synced_version <= desired_version", name="order"),
    # Of dirty articles only: a daemon asks for them all the time, and mostly there are none.
    sa.Index(
        "ix_articles_dirty",
        "org_id",
        "store_id",
        "desired_deleted",
        "desired_seq",
        sqlite_where=sa.text("desired_version > synced_version"),
        postgresql_where=sa.text("desired_version > synced_version"),
    ),
)

known_hashes = sa.Table(
    "known_hashes",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),  # a label's code
    sa.Column("kind", sa.Text, primary_key=True),  # link, page, and what listings showed
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    store_key(),
    sa.Index("ix_known_hashes_at", "org_id", "at"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("first_at", UtcDateTime, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("mailed_at", UtcDateTime),
    # Handing it to the operator's receiver: when last tried, when to try again (null: no more), how often, what failed.
    sa.Column("told_at", UtcDateTime),
    sa.Column("tell_again_at", UtcDateTime),
    sa.Column("tell_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tell_error", sa.Text),
    sa.Column("closed_at", UtcDateTime),
    store_key(),
    sa.Index(
        "uq_alerts_open_cause",
        "org_id",
        "cause",
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # article, label
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("error_class", sa.Text, nullable=False),
    sa.Column("error_text", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("ended_by", sa.Text),  # retry, edit, discard
    store_key(),
    sa.ForeignKeyConstraint(["org_id", "alert_id"], ["alerts.org_id", "alerts.id"]),
    sa.Index("ix_dead_letters_subject", "org_id", "store_id", "kind", "subject"),
)

sync_runs = sa.Table(
    "sync_runs",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    # running, completed, error, held, queued, approved, interrupted
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("terms", Json),  # what a person chose for this run
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("listed_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("counts", Json, nullable=False),
    sa.Column("actions", Json, nullable=False),
    sa.Column("brakes", Json, nullable=False),
    sa.Column("digest", sa.Text),
    sa.Column("error_code", sa.Text),
    sa.Column("error_text", sa.Text),
    store_key(),
    sa.Index("ix_sync_runs_store", "org_id", "store_id", "started_at"),
)

sync_conflicts = sa.Table(
    "sync_conflicts",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("article_id", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("base", Json),
    sa.Column("local", Json),
    sa.Column("remote", Json),
    sa.Column("choice", sa.Text, nullable=False),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("decided_by", sa.Text),
    sa.Column("at", UtcDateTime, nullable=False),
    store_key(),
    sa.Index("ix_sync_conflicts_article", "org_id", "store_id", "article_id"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("resource", sa.Text, primary_key=True),  # push:STORE, sync:STORE, ping:ORG, housekeeping:ORG
    sa.Column("holder", sa.Text),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

commands = sa.Table(
    "commands",
    metadata,
    # One-shot orders to labels: no desired state, so they live for minutes and are never repeated when in doubt.
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # blink, resend
    sa.Column("payload", Json, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending, syncing, done, failed, unknown, expired, canceled
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_tried_at", UtcDateTime),
    sa.Column("next_attempt_at", UtcDateTime),
    sa.Column("inflight_epoch", sa.BigInteger),
    sa.Column("answer", Json),
    sa.Column("error_class", sa.Text),
    sa.Column("error_text", sa.Text),
    sa.Column("ended_at", UtcDateTime),
    store_key(),
    sa.Index("ix_commands_queue", "org_id", "store_id", "state", "created_at"),
)
