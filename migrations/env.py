"""Alembic's entry: always runs inside the connection and transaction it is given."""

from __future__ import annotations

from alembic import context

from electis_cli.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
