"""All tables (design section 3), by what they are about."""

from electis_cli.db.tables.changesets import changeset_rows, changesets, import_mappings, snapshots
from electis_cli.db.tables.daemons import daemons
from electis_cli.db.tables.facts import conference_rooms, label_links, people, spaces, stores
from electis_cli.db.tables.identity import (
    installation,
    login_attempts,
    organizations,
    refresh_tokens,
    sessions,
    users,
)
from electis_cli.db.tables.metadata import metadata
from electis_cli.db.tables.sync import (
    aims_accounts,
    alerts,
    articles,
    commands,
    counters,
    dead_letters,
    known_hashes,
    leases,
    sync_conflicts,
    sync_runs,
)
from electis_cli.db.tables.trail import aims_exchanges, audit_log, events, outgoing_mail

TENANT_TABLES = (
    stores,
    spaces,
    people,
    conference_rooms,
    label_links,
    aims_accounts,
    articles,
    known_hashes,
    dead_letters,
    alerts,
    sync_runs,
    sync_conflicts,
    events,
    audit_log,
    outgoing_mail,
    aims_exchanges,
    commands,
    changesets,
    changeset_rows,
    snapshots,
    import_mappings,
)
"""Every table whose rows belong to one organization: `org_id` leads their keys."""

__all__ = [
    "TENANT_TABLES",
    "aims_accounts",
    "aims_exchanges",
    "alerts",
    "articles",
    "audit_log",
    "changeset_rows",
    "changesets",
    "commands",
    "conference_rooms",
    "counters",
    "daemons",
    "dead_letters",
    "events",
    "import_mappings",
    "installation",
    "known_hashes",
    "label_links",
    "leases",
    "login_attempts",
    "metadata",
    "organizations",
    "outgoing_mail",
    "people",
    "refresh_tokens",
    "sessions",
    "snapshots",
    "spaces",
    "stores",
    "sync_conflicts",
    "sync_runs",
    "users",
]
