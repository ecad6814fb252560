"""Organizations, users and their sessions; not tenant tables, read unfiltered only where somebody logs in."""

from __future__ import annotations

import sqlalchemy as sa

from electis_cli.db.tables.metadata import metadata
from electis_cli.db.types import Json, UtcDateTime

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key_fingerprint", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("id = 1", name="single"),
)

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("aims_company", sa.Text),
    sa.Column("aims_base_url", sa.Text),
    sa.Column("aims_cluster", sa.Text),
    sa.Column("aims_username", sa.Text),
    sa.Column("aims_password", sa.Text),  # sealed with the master key
    sa.Column("article_format", Json),
    sa.Column("format_fetched_at", UtcDateTime),
    sa.Column("mapping", Json),
    sa.Column("room_prefix", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id")),  # null: platform-wide
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("store_id", sa.Text),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("must_change_password", sa.Boolean, nullable=False),
    sa.Column("last_login_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(["org_id", "store_id"], ["stores.org_id", "stores.id"]),
    sa.Index("ix_users_org_id", "org_id"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("access_hash", sa.Text, nullable=False, unique=True),
    sa.Column("access_expires_at", UtcDateTime, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("last_used_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("revoked_why", sa.Text),
    sa.Index("ix_sessions_user_id", "user_id"),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),  # SHA-256; the token itself is never stored
    sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id"), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("rotated_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Index("ix_refresh_tokens_session_id", "session_id"),
)

login_attempts = sa.Table(
    "login_attempts",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),  # SHA-256 of the email address that was tried
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("window_started_at", UtcDateTime, nullable=False),
    sa.Column("blocked_until", UtcDateTime),
)
