"""Users as they are written, one by one or from a file: what they may be, and what the rows of a file make of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from electis_cli.domain.access import Role
from electis_cli.domain.articles import clean_text
from electis_cli.domain.bulk.cells import CellRow
from electis_cli.domain.bulk.changes import Image, RowChange
from electis_cli.domain.bulk.nouns import Noun
from electis_cli.domain.bulk.options import Mode
from electis_cli.domain.bulk.planning import Notes
from electis_cli.domain.errors import (
    ElectisError,
    EmailTaken,
    InvalidInput,
    LastAdmin,
    Problem,
    StoreNotFound,
)
from electis_cli.domain.organizations import check_email

ORGANIZATION_ROLES = (Role.ADMIN, Role.MANAGER, Role.VIEWER)
_ROLES = "It is admin, manager or viewer."
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """What an organization says of one of its users; `store` is the code of the store they are limited to."""

    id: str
    email: str
    role: Role
    store: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    is_active: bool = True

    @property
    def is_active_admin(self) -> bool:
        """Whether this user can manage the others."""
        return self.is_active and self.role is Role.ADMIN


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStep:
    """One user's change; `before` is None for a new one. `line` is the row that wants it, None when no row does."""

    before: UserFacts | None
    after: UserFacts
    line: int | None = None

    @property
    def deactivates(self) -> bool:
        """Whether the user is let in no more."""
        return self.before is not None and self.before.is_active and not self.after.is_active

    @property
    def removes_admin(self) -> bool:
        """Whether there is one active admin less afterwards."""
        return self.before is not None and self.before.is_active_admin and not self.after.is_active_admin

    @property
    def row(self) -> RowChange:
        """The change as a changeset keeps it."""
        return user_change(self.before, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGround:
    """What plans stand on: the store codes, which emails are taken anywhere, and who is planning.

    `acting` is the id of whoever does it; nobody is locked out by their own file.
    """

    stores: Collection[str]
    is_taken: Callable[[str], bool]
    new_id: Callable[[], str]
    mode: Mode
    acting: str | None


@dataclass(slots=True, kw_only=True)
class UserPlan:
    """What a file makes of an organization's users; with `leaves_no_admin` no part of it may be carried out."""

    steps: list[UserStep] = field(default_factory=list)
    unchanged: int = 0
    leaves_no_admin: bool = False

    @property
    def created(self) -> list[UserFacts]:
        """The new users."""
        return [step.after for step in self.steps if step.before is None]

    @property
    def deactivated(self) -> int:
        """How many users are let in no more."""
        return sum(step.deactivates for step in self.steps)

    @property
    def updated(self) -> int:
        """How many users change in any other way."""
        return len(self.steps) - len(self.created) - self.deactivated


def image_of_user(facts: UserFacts) -> dict[str, Any]:
    """Return a user's values as a change keeps them: nothing that lets anybody in."""
    return {
        "role": facts.role.value,
        "store": facts.store,
        "first_name": facts.first_name,
        "last_name": facts.last_name,
        "is_active": facts.is_active,
    }


def user_of_image(image: Image, *, row_id: str, email: str) -> UserFacts:
    """Return the user that a change speaks of."""
    return UserFacts(id=row_id, email=email, **{**image, "role": Role(image["role"])})


def user_change(before: UserFacts | None, after: UserFacts) -> RowChange:
    """Return the change of a user, for history and undo."""
    image = None if before is None else image_of_user(before)
    return RowChange(Noun.USER, after.email, after.id, image, image_of_user(after))


def email_taken(email: str) -> EmailTaken:
    """Return the error for an email that any user of any organization has; whose it is, it does not say."""
    return EmailTaken(f"A user with the email address {email} exists already.", fix="electis user list")


def last_admin() -> LastAdmin:
    """Return the error for removing the admin without whom nobody could manage the others."""
    return LastAdmin(
        why="Without an admin nobody could manage the organization's users.",
        fix="electis user create EMAIL --role admin",
    )


def check_role(role: Role) -> Role:
    """Return the role unchanged. Raises InvalidInput unless it is one within an organization."""
    if role not in ORGANIZATION_ROLES:
        raise InvalidInput(
            f"{role.value} is not a role within an organization.",
            why="Platform-wide users are made by the operator.",
            fix="electis init --platform-admin EMAIL",
        )
    return role


def read_role(text: str) -> Role:
    """Return the role that a word means, however it is written. Raises InvalidInput."""
    word = clean_text(text).casefold()
    if not word:
        raise InvalidInput("A user needs a role.", why=_ROLES)
    if word not in set(Role):
        raise InvalidInput(f"{clean_text(text)!r} is not a role.", why=_ROLES)
    return check_role(Role(word))


def check_name(text: str) -> str | None:
    """Return a first or last name as it is stored, None for an empty one. Raises InvalidInput."""
    cleaned = " ".join(clean_text(text).split())
    if len(cleaned) > _LONGEST_NAME:
        raise InvalidInput(f"A name has at most {_LONGEST_NAME} characters.")
    if any(unicodedata.category(character) == "Cc" for character in cleaned):
        raise InvalidInput("A name can not hold control characters.")
    return cleaned or None


def check_store(code: str, role: Role, known: Collection[str]) -> str:
    """Return the code of the store that a user of this role is limited to. Raises InvalidInput, StoreNotFound."""
    if role is Role.ADMIN:
        raise InvalidInput(
            "An admin can not be limited to one store.",
            why="Admins manage the whole organization.",
            fix="use --role manager, or --all-stores; in a file, another role or an empty store",
        )
    if code not in known:
        raise StoreNotFound(f"There is no store {code}.")
    return code


def change_user(
    facts: UserFacts,
    cells: Mapping[str, str],
    stores: Collection[str],
    wrong: Callable[[str, ElectisError], None],
) -> UserFacts | None:
    """Return a user as cells want them: an absent one leaves its field, an empty one clears it.

    None when something was wrong; `wrong` is told the field and the error, and may raise it.
    """
    is_wrong = False

    def refuse(name: str, error: ElectisError) -> None:
        nonlocal is_wrong
        is_wrong = True
        wrong(name, error)

    role = facts.role
    names: dict[str, Any] = {"first_name": facts.first_name, "last_name": facts.last_name}
    if "role" in cells:
        try:
            role = read_role(cells["role"])
        except InvalidInput as error:
            refuse("role", error)
            role = Role.VIEWER  # whatever was meant, an unknown store is wrong too
    for name in names:
        if name in cells:
            try:
                names[name] = check_name(cells[name])
            except InvalidInput as error:
                refuse(name, error)
    store = clean_text(cells["store"]) if "store" in cells else facts.store
    # A store that stays matters only to somebody who becomes an admin.
    if store and ("store" in cells or role is Role.ADMIN):
        try:
            check_store(store, role, stores)
        except (InvalidInput, StoreNotFound) as error:
            refuse("store" if "store" in cells else "role", error)
    return None if is_wrong else replace(facts, role=role, store=store or None, **names)


def plan_users(
    rows: Iterable[CellRow], current: Mapping[str, UserFacts], ground: UserGround, notes: Notes
) -> UserPlan:
    """Return what a file's good rows make of users; `current` are the organization's, by email.

    With `Mode.REPLACE` all other active users are deactivated, but for whoever is acting. Nobody is activated: who was
    shut out by hand stays so, whatever an old file says.
    """
    plan = UserPlan()
    lines: dict[str, int] = {}
    for row in rows:
        try:
            email = check_email(row.key)
        except InvalidInput as error:
            notes.error(row.line, notes.key, error)
            continue
        if email in lines:
            notes.twice(row.line, lines[email], email)
            continue
        lines[email] = row.line
        _plan_row(row, email, current.get(email), ground, notes, plan)
    if ground.mode is Mode.REPLACE:
        plan.steps += [
            UserStep(before=facts, after=replace(facts, is_active=False))
            for email, facts in sorted(current.items())
            if email not in lines and facts.is_active and facts.id != ground.acting
        ]
    _check_admins(current, notes, plan)
    return plan


def _plan_row(
    row: CellRow, email: str, before: UserFacts | None, ground: UserGround, notes: Notes, plan: UserPlan
) -> None:
    def wrong(name: str, error: ElectisError) -> None:
        notes.error(row.line, name if name in notes.places else notes.key, error)

    if before is not None and ground.mode is Mode.CREATE:
        notes.there_already(row.line, email)
        return
    if before is None and ground.mode is Mode.UPDATE:
        notes.not_there(row.line, email)
        return
    is_refused = before is None and ground.is_taken(email)
    if is_refused:
        wrong(notes.key, email_taken(email))
    # A new user has no role yet: without a cell that says it, the empty one is what is wrong.
    cells = row.cells if before is not None or "role" in row.cells else {**row.cells, "role": ""}
    start = before or UserFacts(id=ground.new_id(), email=email, role=Role.VIEWER)
    after = change_user(start, cells, ground.stores, wrong)
    if after is None or is_refused:
        return
    if after == before:
        plan.unchanged += 1
    else:
        plan.steps.append(UserStep(before=before, after=after, line=row.line))


def _check_admins(current: Mapping[str, UserFacts], notes: Notes, plan: UserPlan) -> None:
    """Note when nobody could manage the users any more: at the last row that makes it so, if a row does."""
    after = {**current, **{step.after.email: step.after for step in plan.steps}}
    removals = [step for step in plan.steps if step.removes_admin]
    if not removals or any(facts.is_active_admin for facts in after.values()):
        return
    plan.leaves_no_admin = True
    lines = [step.line for step in removals if step.line is not None]
    if lines:
        notes.error(lines[-1], "role", last_admin())
        return
    error = last_admin()
    message = f"The file names no active admin, so that none would be left. {error.why}"
    # No row is to blame, so the whole file is.
    where = notes.findings.source
    notes.findings.add(Problem(code=error.code, message=message, hint="add a row for an admin", where=where))


def plan_undo(
    rows: Sequence[RowChange], current: Mapping[str, UserFacts], stores: Collection[str], acting: str | None
) -> tuple[list[UserStep], list[tuple[str, str]]]:
    """Return what takes a change of users back, and the emails of those who are left as they are, with the reasons.

    `current` are the organization's users by id. A user who was created is deactivated: audit rows name them.
    """
    steps: list[UserStep] = []
    kept: list[tuple[str, str]] = []
    for row in reversed(rows):
        before = current.get(row.row_id)
        if before is None or row.after is None or image_of_user(before) != dict(row.after):
            kept.append((row.key, "somebody changed it since"))
            continue
        after = replace(before, is_active=False)
        if row.before is not None:
            after = user_of_image(row.before, row_id=before.id, email=before.email)
        step = UserStep(before=before, after=after)
        if after.store is not None and after.store not in stores:
            kept.append((row.key, f"the store {after.store} is not there any more"))
        elif step.deactivates and before.id == acting:
            kept.append((row.key, "nobody deactivates themselves by an undo"))
        else:
            steps.append(step)
    return _leave_an_admin(steps, current, kept), kept


def _leave_an_admin(
    steps: Sequence[UserStep], current: Mapping[str, UserFacts], kept: list[tuple[str, str]]
) -> list[UserStep]:
    """Return the steps without those that would remove the last active admin; what the steps add counts."""
    gained = [step for step in steps if step.after.is_active_admin]
    ids = {facts.id for facts in current.values() if facts.is_active_admin} | {
        step.after.id for step in gained
    }
    left = len(ids)
    allowed: list[UserStep] = []
    for step in steps:
        if step.removes_admin:
            if left <= 1:
                kept.append((step.after.email, "it is the last active admin"))
                continue
            left -= 1
        allowed.append(step)
    return allowed
