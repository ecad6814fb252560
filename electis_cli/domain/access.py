"""Who may do what: one function, deny by default (design section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from electis_cli.domain.errors import PermissionRefused


class Role(StrEnum):
    """A user's role: the first three hold within one organization, the last two everywhere."""

    ADMIN = "admin"
    MANAGER = "manager"
    VIEWER = "viewer"
    PLATFORM_ADMIN = "platform_admin"
    SUPPORT = "support"


class Action(StrEnum):
    """What a service does, as the access rules see it."""

    READ = "read"
    READ_SETTINGS = "read_settings"
    READ_USERS = "read_users"
    CHANGE_FACTS = "change_facts"  # spaces, people, conference rooms, labels
    SYNC = "sync"  # start a full sync, drain, retry
    CHANGE_SETTINGS = "change_settings"  # organization, stores, AIMS account
    CHANGE_USERS = "change_users"
    CREATE_ORGANIZATION = "create_organization"


_READS = frozenset({Action.READ, Action.READ_SETTINGS})
_ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.READ}),
    Role.MANAGER: _READS | {Action.CHANGE_FACTS, Action.SYNC},
    Role.ADMIN: frozenset(Action) - {Action.CREATE_ORGANIZATION},
    Role.SUPPORT: _READS | {Action.READ_USERS},
    Role.PLATFORM_ADMIN: frozenset(Action),
}
_SCOPED = frozenset({Action.READ, Action.CHANGE_FACTS, Action.SYNC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is acting: a logged-in user, or the system (daemon, operator) when `role` is None."""

    user_id: str | None
    email: str
    role: Role | None
    org_id: str | None
    store_id: str | None = None
    source: str = "cli"

    @property
    def is_system(self) -> bool:
        """True for the daemon and for whoever holds the database URL."""
        return self.role is None

    @property
    def is_platform(self) -> bool:
        """True when this actor may look into every organization."""
        return self.role in {Role.PLATFORM_ADMIN, Role.SUPPORT}


def system_actor(source: str = "daemon") -> Actor:
    """Return the actor the daemon and the operator's commands act as."""
    return Actor(user_id=None, email="system", role=None, org_id=None, source=source)


def is_allowed(actor: Actor, action: Action, *, store_id: str | None = None) -> bool:
    """Tell whether `actor` may do `action`; a store-scoped actor only within that store."""
    if actor.role is None:
        return True
    if action not in _ALLOWED[actor.role]:
        return False
    if actor.store_id is None:
        return True
    return action in _SCOPED and (store_id is None or store_id == actor.store_id)


def require(actor: Actor, action: Action, *, store_id: str | None = None) -> None:
    """Raise PermissionRefused unless `actor` may do `action`."""
    if not is_allowed(actor, action, store_id=store_id):
        role = actor.role.value if actor.role else "system"
        words = action.value.replace("_", " ")
        raise PermissionRefused(
            f"The role {role} may not {words} here.",
            why="An admin of the organization decides who may do this.",
            fix="electis whoami",
        )
