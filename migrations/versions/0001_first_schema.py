"""The first schema: organizations, facts, the article ledger and the trail.

Revision: 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from electis_cli.db.types import Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "stores",
    "spaces",
    "people",
    "conference_rooms",
    "label_links",
    "aims_accounts",
    "articles",
    "known_hashes",
    "dead_letters",
    "alerts",
    "sync_runs",
    "sync_conflicts",
    "events",
    "audit_log",
    "outgoing_mail",
)


def upgrade() -> None:
    """Create every table; on PostgreSQL also the sequence and the row security policies."""
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "leases",
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("resource", name=op.f("pk_leases")),
    )
    op.create_table(
        "login_attempts",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_started_at", UtcDateTime(), nullable=False),
        sa.Column("blocked_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_login_attempts")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aims_company", sa.Text(), nullable=True),
        sa.Column("aims_base_url", sa.Text(), nullable=True),
        sa.Column("aims_cluster", sa.Text(), nullable=True),
        sa.Column("aims_username", sa.Text(), nullable=True),
        sa.Column("aims_password", sa.Text(), nullable=True),
        sa.Column("article_format", Json, nullable=True),
        sa.Column("format_fetched_at", UtcDateTime(), nullable=True),
        sa.Column("mapping", Json, nullable=True),
        sa.Column("room_prefix", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("code", name=op.f("uq_organizations_code")),
    )
    op.create_table(
        "aims_accounts",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("last_solum_ping", UtcDateTime(), nullable=True),
        sa.Column("ping_state", sa.Text(), nullable=False),
        sa.Column("ping_error", sa.Text(), nullable=True),
        sa.Column("pinged_at", UtcDateTime(), nullable=True),
        sa.Column("breaker", sa.Text(), nullable=False),
        sa.Column("breaker_reason", sa.Text(), nullable=True),
        sa.Column("breaker_since", UtcDateTime(), nullable=True),
        sa.Column("backoff_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_aims_accounts_org_id_organizations")
        ),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_aims_accounts")),
    )
    op.create_table(
        "audit_log",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("actor_email", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.Column("after", Json, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_audit_log_org_id_organizations")
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_entity", "audit_log", ["org_id", "entity", "entity_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_events_org_id_organizations")
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_events")),
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=False),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_outgoing_mail_org_id_organizations")
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_outgoing_mail")),
    )
    op.create_index(
        "ix_outgoing_mail_waiting", "outgoing_mail", ["org_id", "state", "next_attempt_at"], unique=False
    )
    op.create_table(
        "stores",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("sync_enabled", sa.Boolean(), nullable=False),
        sa.Column("full_sync_minutes", sa.Integer(), nullable=False),
        sa.Column("last_sync_at", UtcDateTime(), nullable=True),
        sa.Column("next_sync_at", UtcDateTime(), nullable=True),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("paused_why", sa.Text(), nullable=True),
        sa.Column("listed_at", UtcDateTime(), nullable=True),
        sa.Column("last_write_at", UtcDateTime(), nullable=True),
        sa.Column("backoff_until", UtcDateTime(), nullable=True),
        sa.Column("backoff_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_stores_org_id_organizations")
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_stores")),
        sa.UniqueConstraint("org_id", "code", name=op.f("uq_stores_org_id_code")),
    )
    op.create_table(
        "alerts",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_alerts_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_alerts")),
    )
    op.create_index(
        "uq_alerts_open_cause",
        "alerts",
        ["org_id", "cause"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "articles",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("desired_version", sa.BigInteger(), nullable=False),
        sa.Column("desired_seq", sa.BigInteger(), nullable=False),
        sa.Column("desired_deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_version", sa.BigInteger(), nullable=False),
        sa.Column("base", Json, nullable=True),
        sa.Column("base_hash", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("inflight_version", sa.BigInteger(), nullable=True),
        sa.Column("inflight_hash", sa.Text(), nullable=True),
        sa.Column("inflight_content", Json, nullable=True),
        sa.Column("inflight_epoch", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("last_tried_at", UtcDateTime(), nullable=True),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("acked_at", UtcDateTime(), nullable=True),
        sa.Column("verify_after", UtcDateTime(), nullable=True),
        sa.Column("last_seen_remote_at", UtcDateTime(), nullable=True),
        sa.Column("missing_since", UtcDateTime(), nullable=True),
        sa.Column("odd_hash", sa.Text(), nullable=True),
        sa.Column("odd_since", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("synced_version <= desired_version", name=op.f("ck_articles_order")),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_articles_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "store_id", "article_id", name=op.f("pk_articles")),
    )
    op.create_index(
        "ix_articles_queue", "articles", ["org_id", "store_id", "state", "desired_seq"], unique=False
    )
    op.create_table(
        "conference_rooms",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("room_name", sa.Text(), nullable=False),
        sa.Column("has_meeting", sa.Boolean(), nullable=False),
        sa.Column("meeting_name", sa.Text(), nullable=True),
        sa.Column("start_time", sa.Text(), nullable=True),
        sa.Column("end_time", sa.Text(), nullable=True),
        sa.Column("participants", Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_conference_rooms_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_conference_rooms")),
        sa.UniqueConstraint(
            "org_id", "store_id", "external_id", name=op.f("uq_conference_rooms_org_id_store_id_external_id")
        ),
    )
    op.create_table(
        "known_hashes",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_known_hashes_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint(
            "org_id", "store_id", "subject", "kind", "hash", name=op.f("pk_known_hashes")
        ),
    )
    op.create_index("ix_known_hashes_at", "known_hashes", ["org_id", "at"], unique=False)
    op.create_table(
        "label_links",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("label_code", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("desired_article", sa.Text(), nullable=True),
        sa.Column("acked_article", sa.Text(), nullable=True),
        sa.Column("desired_page", sa.Integer(), nullable=True),
        sa.Column("acked_page", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("synced_version", sa.Integer(), nullable=False),
        sa.Column("inflight_version", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("last_tried_at", UtcDateTime(), nullable=True),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.Column("acked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_label_links_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "label_code", name=op.f("pk_label_links")),
    )
    op.create_index(
        "ix_label_links_store", "label_links", ["org_id", "store_id", "desired_article"], unique=False
    )
    op.create_table(
        "spaces",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_spaces_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_spaces")),
        sa.UniqueConstraint(
            "org_id", "store_id", "external_id", name=op.f("uq_spaces_org_id_store_id_external_id")
        ),
    )
    op.create_table(
        "sync_conflicts",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("base", Json, nullable=True),
        sa.Column("local", Json, nullable=True),
        sa.Column("remote", Json, nullable=True),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_sync_conflicts_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_sync_conflicts")),
    )
    op.create_index(
        "ix_sync_conflicts_article", "sync_conflicts", ["org_id", "store_id", "article_id"], unique=False
    )
    op.create_table(
        "sync_runs",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("listed_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("counts", Json, nullable=False),
        sa.Column("actions", Json, nullable=False),
        sa.Column("brakes", Json, nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_sync_runs_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_sync_runs")),
    )
    op.create_index("ix_sync_runs_store", "sync_runs", ["org_id", "store_id", "started_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("last_login_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_users_org_id_store_id_stores"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_users_org_id_organizations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_index("ix_users_org_id", "users", ["org_id"], unique=False)
    op.create_table(
        "dead_letters",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("error_class", sa.Text(), nullable=False),
        sa.Column("error_text", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "alert_id"],
            ["alerts.org_id", "alerts.id"],
            name=op.f("fk_dead_letters_org_id_alert_id_alerts"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_dead_letters_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_dead_letters")),
    )
    op.create_index(
        "ix_dead_letters_subject", "dead_letters", ["org_id", "store_id", "kind", "subject"], unique=False
    )
    op.create_table(
        "people",
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("assigned_space", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id", "assigned_space"],
            ["spaces.org_id", "spaces.store_id", "spaces.external_id"],
            name=op.f("fk_people_org_id_store_id_assigned_space_spaces"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "store_id"],
            ["stores.org_id", "stores.id"],
            name=op.f("fk_people_org_id_store_id_stores"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_people")),
        sa.UniqueConstraint(
            "org_id", "store_id", "assigned_space", name=op.f("uq_people_org_id_store_id_assigned_space")
        ),
        sa.UniqueConstraint(
            "org_id", "store_id", "external_id", name=op.f("uq_people_org_id_store_id_external_id")
        ),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("access_hash", sa.Text(), nullable=False),
        sa.Column("access_expires_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("access_hash", name=op.f("uq_sessions_access_hash")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("rotated_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id_sessions")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"], unique=False)
    op.execute("INSERT INTO counters (name, value) VALUES ('desired_seq', 0)")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE desired_seq")
        for table in TENANT_TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            # After SET LOCAL ended the setting is '' rather than unknown, so it is made NULL: no rows at all.
            op.execute(
                f"CREATE POLICY tenant ON {table} USING ("
                "org_id = NULLIF(current_setting('electis.org_id', true), '')"
                " OR current_setting('electis.org_id', true) = '*')"
            )


def downgrade() -> None:
    """Drop everything."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE desired_seq")
    op.drop_index("ix_refresh_tokens_session_id", table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index("ix_sessions_user_id", table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("people")
    op.drop_index("ix_dead_letters_subject", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index("ix_users_org_id", table_name="users")
    op.drop_table("users")
    op.drop_index("ix_sync_runs_store", table_name="sync_runs")
    op.drop_table("sync_runs")
    op.drop_index("ix_sync_conflicts_article", table_name="sync_conflicts")
    op.drop_table("sync_conflicts")
    op.drop_table("spaces")
    op.drop_index("ix_label_links_store", table_name="label_links")
    op.drop_table("label_links")
    op.drop_index("ix_known_hashes_at", table_name="known_hashes")
    op.drop_table("known_hashes")
    op.drop_table("conference_rooms")
    op.drop_index("ix_articles_queue", table_name="articles")
    op.drop_table("articles")
    op.drop_index(
        "uq_alerts_open_cause",
        table_name="alerts",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_table("alerts")
    op.drop_table("stores")
    op.drop_index("ix_outgoing_mail_waiting", table_name="outgoing_mail")
    op.drop_table("outgoing_mail")
    op.drop_table("events")
    op.drop_index("ix_audit_log_entity", table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_table("aims_accounts")
    op.drop_table("organizations")
    op.drop_table("login_attempts")
    op.drop_table("leases")
    op.drop_table("installation")
    op.drop_table("counters")
