"""Who may do what: the whole table, and what a store's limit takes away."""

import pytest

from electis_cli.domain.access import Action, Actor, Role, is_allowed, require, system_actor
from electis_cli.domain.errors import PermissionRefused

A = Action
READS = {A.READ, A.READ_SETTINGS}
ALLOWED = {
    Role.VIEWER: {A.READ},
    Role.MANAGER: READS | {A.CHANGE_FACTS, A.SYNC},
    Role.ADMIN: set(A) - {A.CREATE_ORGANIZATION},
    Role.SUPPORT: READS | {A.READ_USERS},
    Role.PLATFORM_ADMIN: set(A),
}


def actor(role: Role, store: str | None = None) -> Actor:
    return Actor(user_id="u", email="u@acme.example", role=role, org_id="o", store_id=store)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_the_table(role, action):
    allowed = action in ALLOWED[role]

    assert is_allowed(actor(role), action) is allowed
    if allowed:
        require(actor(role), action)
    else:
        with pytest.raises(PermissionRefused) as caught:
            require(actor(role), action)
        assert role.value in caught.value.message


@pytest.mark.parametrize("action", Action)
def test_somebody_limited_to_a_store_never_gets_beyond_it(action):
    limited = actor(Role.MANAGER, store="s1")

    inside = action in {A.READ, A.CHANGE_FACTS, A.SYNC}
    assert is_allowed(limited, action, store_id="s1") is inside
    assert not is_allowed(limited, action, store_id="s2")


@pytest.mark.parametrize("action", Action)
def test_the_system_may_do_everything(action):
    assert is_allowed(system_actor(), action, store_id="s1")
    assert system_actor().is_system
    assert not system_actor().is_platform


def test_only_platform_roles_look_into_every_organization():
    assert {role for role in Role if actor(role).is_platform} == {Role.PLATFORM_ADMIN, Role.SUPPORT}
