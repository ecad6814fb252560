"""What the users keep: stores, spaces, people, conference rooms and label wishes."""

from __future__ import annotations

import sqlalchemy as sa

from electis_cli.db.tables.metadata import metadata
from electis_cli.db.types import Json, UtcDateTime


def store_key() -> sa.ForeignKeyConstraint:
    """Return a new foreign key to the row's store, within the same organization."""
    return sa.ForeignKeyConstraint(["org_id", "store_id"], ["stores.org_id", "stores.id"])


stores = sa.Table(
    "stores",
    metadata,
    sa.Column("org_id", sa.Text, sa.ForeignKey("organizations.id"), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("sync_enabled", sa.Boolean, nullable=False),
    sa.Column("full_sync_minutes", sa.Integer, nullable=False),
    sa.Column("last_sync_at", UtcDateTime),
    sa.Column("next_sync_at", UtcDateTime),  # a run that met an unreachable AIMS is queued here
    sa.Column("paused_at", UtcDateTime),
    sa.Column("paused_why", sa.Text),
    # First contact: since then remote articles are compared, not believed.
    sa.Column("listed_at", UtcDateTime),
    sa.Column("last_write_at", UtcDateTime),  # the last write that AIMS took for this store
    sa.Column("backoff_until", UtcDateTime),
    sa.Column("backoff_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("bound_to", sa.Text),  # the account, company and store that was listed last
    sa.Column("restored_at", UtcDateTime),  # the database was set back; until a full sync is approved
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("org_id", "code"),
)

spaces = sa.Table(
    "spaces",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    store_key(),
    sa.UniqueConstraint("org_id", "store_id", "external_id"),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("assigned_space", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    store_key(),
    sa.ForeignKeyConstraint(
        ["org_id", "store_id", "assigned_space"],
        ["spaces.org_id", "spaces.store_id", "spaces.external_id"],
    ),
    sa.UniqueConstraint("org_id", "store_id", "external_id"),
    sa.UniqueConstraint("org_id", "store_id", "assigned_space"),  # two people never share a space
)

conference_rooms = sa.Table(
    "conference_rooms",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("room_name", sa.Text, nullable=False),
    sa.Column("has_meeting", sa.Boolean, nullable=False),
    sa.Column("meeting_name", sa.Text),
    sa.Column("start_time", sa.Text),
    sa.Column("end_time", sa.Text),
    sa.Column("participants", Json, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    store_key(),
    sa.UniqueConstraint("org_id", "store_id", "external_id"),
)

label_links = sa.Table(
    "label_links",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("label_code", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("desired_article", sa.Text),  # null: the wish is to be unlinked
    sa.Column("acked_article", sa.Text),
    sa.Column("desired_page", sa.Integer),  # null: nobody minds
    sa.Column("acked_page", sa.Integer),  # null: not known
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("synced_version", sa.Integer, nullable=False),
    sa.Column("inflight_version", sa.Integer),
    sa.Column("state", sa.Text, nullable=False),  # active, failed, held
    sa.Column("origin", sa.Text, nullable=False),  # wish, observed
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("doubts", sa.Integer, nullable=False),
    sa.Column("last_tried_at", UtcDateTime),
    sa.Column("next_attempt_at", UtcDateTime),
    sa.Column("error_class", sa.Text),
    sa.Column("error_text", sa.Text),
    sa.Column("acked_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("display", sa.Text, nullable=False, server_default="unknown"),  # see domain/labels.Display
    sa.Column("display_since", UtcDateTime),
    sa.Column("resent_at", UtcDateTime),
    sa.Column(
        "page_check_at", UtcDateTime
    ),  # when AIMS is asked whether the flip took; null: it was, or need not be
    sa.Column("page_rounds", sa.Integer, nullable=False, server_default="0"),  # flips in a row that did not
    sa.Column("waits_for", sa.Text),  # the label that replaces it: it lets go once that one is linked
    store_key(),
    sa.Index("ix_label_links_store", "org_id", "store_id", "desired_article"),
)
