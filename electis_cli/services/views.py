"""What every noun looks like to people and programs: one view per noun, for tables, CSV, JSON and the API alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from electis_cli.db.organizations import Organization
from electis_cli.db.stores import Store
from electis_cli.db.users import User
from electis_cli.domain.conference import Room
from electis_cli.domain.people import Person
from electis_cli.domain.queue import LabelWish, Status
from electis_cli.domain.spaces import Space


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceView:
    """A space, who sits in it and how its labels stand."""

    external_id: str
    store: str
    person: str | None
    status: Status
    labels: int
    data: Mapping[str, str]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """A person, where they sit and how that space's labels stand."""

    external_id: str
    store: str
    space: str | None
    status: Status | None
    data: Mapping[str, str]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomView:
    """A conference room, its meeting and how its labels stand."""

    external_id: str
    store: str
    article_id: str
    room_name: str
    has_meeting: bool
    meeting_name: str | None
    start_time: str | None
    end_time: str | None
    participants: tuple[str, ...]
    status: Status
    labels: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelView:
    """What a label should show, and what AIMS acknowledged that it shows."""

    label_code: str
    store: str
    article: str | None
    page: int | None
    acked_article: str | None
    acked_page: int | None
    status: Status
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationView:
    """An organization without its secrets."""

    code: str
    name: str
    aims_company: str | None
    aims_base_url: str | None
    aims_cluster: str | None
    aims_username: str | None
    article_columns: tuple[str, ...]
    format_fetched_at: datetime | None
    room_prefix: str
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreView:
    """A store and how much it holds."""

    code: str
    name: str
    timezone: str
    sync_enabled: bool
    full_sync_minutes: int
    last_sync_at: datetime | None
    paused: bool
    spaces: int
    people: int
    conference_rooms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user; `temporary_password` only in the answer that made it, and only when no mail carries it."""

    email: str
    role: str
    store: str | None
    first_name: str | None
    last_name: str | None
    is_active: bool
    must_change_password: bool
    last_login_at: datetime | None
    temporary_password: str | None = None


def view_space(space: Space, *, store: str, person: str | None, status: Status, labels: int) -> SpaceView:
    """Return the view of a space."""
    return SpaceView(
        external_id=space.external_id,
        store=store,
        person=person,
        status=status,
        labels=labels,
        data=space.data,
        version=space.version,
    )


def view_person(person: Person, *, store: str, status: Status | None) -> PersonView:
    """Return the view of a person."""
    return PersonView(
        external_id=person.external_id,
        store=store,
        space=person.assigned_space,
        status=status,
        data=person.data,
        version=person.version,
    )


def view_room(room: Room, *, store: str, article_id: str, status: Status, labels: int) -> RoomView:
    """Return the view of a conference room."""
    return RoomView(
        external_id=room.external_id,
        store=store,
        article_id=article_id,
        room_name=room.room_name,
        has_meeting=room.has_meeting,
        meeting_name=room.meeting_name,
        start_time=room.start_time,
        end_time=room.end_time,
        participants=room.participants,
        status=status,
        labels=labels,
        version=room.version,
    )


def view_label(wish: LabelWish, *, store: str, status: Status) -> LabelView:
    """Return the view of a label wish."""
    return LabelView(
        label_code=wish.label_code,
        store=store,
        article=wish.desired_article,
        page=wish.desired_page,
        acked_article=wish.acked_article,
        acked_page=wish.acked_page,
        status=status,
        error=wish.error_text,
    )


def view_organization(organization: Organization) -> OrganizationView:
    """Return the view of an organization."""
    known = organization.article_format
    return OrganizationView(
        code=organization.code,
        name=organization.name,
        aims_company=organization.aims_company,
        aims_base_url=organization.aims_base_url,
        aims_cluster=organization.aims_cluster,
        aims_username=organization.aims_username,
        article_columns=known.columns if known else (),
        format_fetched_at=organization.format_fetched_at,
        room_prefix=organization.room_prefix,
        strategy=organization.strategy.value,
    )


def view_store(store: Store, counts: Mapping[str, int]) -> StoreView:
    """Return the view of a store."""
    return StoreView(
        code=store.code,
        name=store.name,
        timezone=store.timezone,
        sync_enabled=store.sync_enabled,
        full_sync_minutes=store.full_sync_minutes,
        last_sync_at=store.last_sync_at,
        paused=store.paused_at is not None,
        spaces=counts.get("spaces", 0),
        people=counts.get("people", 0),
        conference_rooms=counts.get("conference_rooms", 0),
    )


def view_user(user: User, *, store: str | None, temporary_password: str | None = None) -> UserView:
    """Return the view of a user."""
    return UserView(
        email=user.email,
        role=user.role.value,
        store=store,
        first_name=user.first_name,
        last_name=user.last_name,
        is_active=user.is_active,
        must_change_password=user.must_change_password,
        last_login_at=user.last_login_at,
        temporary_password=temporary_password,
    )
