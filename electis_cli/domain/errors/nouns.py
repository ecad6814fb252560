"""Errors about organizations, stores, users, spaces, people, rooms and labels."""

from __future__ import annotations

from electis_cli.domain.errors.categories import (
    Conflict,
    InvalidInput,
    NotFound,
)


class OrganizationNotFound(NotFound):
    """There is no such organization."""

    code = "E-ORG-NOT-FOUND"
    default_fix = "electis org list"


class StoreNotFound(NotFound):
    """There is no such store."""

    code = "E-STORE-NOT-FOUND"
    default_fix = "electis store list"


class UserNotFound(NotFound):
    """There is no such user."""

    code = "E-USER-NOT-FOUND"
    default_fix = "electis user list"


class SpaceNotFound(NotFound):
    """There is no such space."""

    code = "E-SPACE-NOT-FOUND"
    default_fix = "electis space list"


class PersonNotFound(NotFound):
    """There is no such person."""

    code = "E-PERSON-NOT-FOUND"
    default_fix = "electis people list"


class RoomNotFound(NotFound):
    """There is no such conference room."""

    code = "E-ROOM-NOT-FOUND"
    default_fix = "electis conference list"


class LabelNotFound(NotFound):
    """No link is known for this label."""

    code = "E-LABEL-NOT-FOUND"
    default_fix = "electis label list"


class ArticleNotFound(NotFound):
    """No article of this store has that id."""

    code = "E-ARTICLE-NOT-FOUND"
    default_fix = "electis space list"


class ChangesetNotFound(NotFound):
    """There is no such change."""

    code = "E-CHANGE-NOT-FOUND"
    default_fix = "electis history list"


class SnapshotNotFound(NotFound):
    """There is no such snapshot."""

    code = "E-SNAPSHOT-NOT-FOUND"
    default_fix = "electis snapshot list"


class AlreadyExists(Conflict):
    """It exists already."""

    code = "E-EXISTS"


class EmailTaken(Conflict):
    """A user with this email address exists already."""

    code = "E-EMAIL-TAKEN"


class SpaceTaken(Conflict):
    """The space is taken."""

    code = "E-SPACE-TAKEN"


class SpaceOccupied(Conflict):
    """Somebody sits in this space."""

    code = "E-SPACE-OCCUPIED"


class PersonNotAssigned(Conflict):
    """This person has no space to move from."""

    code = "E-PERSON-UNASSIGNED"


class StoreNotEmpty(Conflict):
    """The store still has spaces, people or conference rooms."""

    code = "E-STORE-NOT-EMPTY"


class ChangedMeanwhile(Conflict):
    """Somebody else changed this at the same moment; nothing was written."""

    code = "E-CHANGED-MEANWHILE"
    retryable = True


class LastAdmin(Conflict):
    """This is the last active admin of the organization."""

    code = "E-LAST-ADMIN"


class ArticleIdTaken(Conflict):
    """A conference room and a space would have the same article id."""

    code = "E-ARTICLE-ID-TAKEN"


class UnknownColumn(InvalidInput):
    """The article format has no such column."""

    code = "E-COLUMN-UNKNOWN"
    default_fix = "electis aims format show"


class InvalidTime(InvalidInput):
    """A time of day must look like 09:30."""

    code = "E-TIME"


class ImportRejected(InvalidInput):
    """The file has errors; nothing was written."""

    code = "E-IMPORT"


class CannotTakeIn(Conflict):
    """The database can not hold what AIMS shows."""

    code = "E-CANNOT-TAKE-IN"
