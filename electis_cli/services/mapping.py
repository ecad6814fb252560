"""The column mapping: which columns show a meeting, what columns are called, and constants of occupied spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from electis_cli.db import organizations, stores
from electis_cli.db.organizations import Organization
from electis_cli.domain.access import Action
from electis_cli.domain.articles import merge_data
from electis_cli.domain.errors import InvalidInput, Problem, UsageProblem
from electis_cli.domain.organizations import ArticleFormat, ColumnMapping, mapping_to_stored
from electis_cli.services.change import Change, Scope, changing, reading
from electis_cli.services.rendering import render_store, require_format

LANGUAGES = ("he", "en")
MEETING_FIELDS = ("name", "time", "participants")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingView:
    """The mapping as it is; `rerendered` counts the articles that a change of it made pending."""

    meeting_name: str | None
    meeting_time: str | None
    participants: str | None
    friendly_names: Mapping[str, Mapping[str, str]]
    defaults: Mapping[str, str]
    rerendered: int = 0
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingProblem:
    """One thing that is wrong with the mapping, or only odd."""

    severity: str
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingChange:
    """What is to change; None and no key leave as it is, an empty text takes away."""

    meeting: Mapping[str, str | None] = field(default_factory=dict)
    friendly: Mapping[tuple[str, str], str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


def show_mapping(scope: Scope) -> MappingView:
    """Return the organization's mapping."""
    with reading(scope, Action.READ) as read:
        return _view(read.organization().mapping)


def validate_mapping(scope: Scope) -> list[MappingProblem]:
    """Return what is wrong with the mapping as it is stored, errors first. Raises FormatMissing."""
    with reading(scope, Action.READ) as read:
        organization = read.organization()
    return check_mapping(organization.mapping, require_format(organization))


def set_mapping(scope: Scope, wanted: MappingChange, *, dry_run: bool = False) -> MappingView:
    """Change the mapping, and push every article that is rendered differently with it.

    Raises InvalidInput with all problems when the mapping would not fit the article format, FormatMissing.
    """
    with changing(scope, Action.CHANGE_SETTINGS, dry_run=dry_run) as change:
        before = organizations.own_organization(change.uow, lock=True)
        article_format = require_format(before)
        mapping = change_mapping(before.mapping, wanted)
        problems = [item for item in check_mapping(mapping, article_format) if item.severity == "error"]
        if problems:
            raise InvalidInput(
                "The mapping does not fit the article format.",
                fix="electis aims format show",
                problems=tuple(
                    Problem(code="E-MAPPING", message=item.message, field=item.field) for item in problems
                ),
            )
        count = 0
        if mapping != before.mapping:
            stored = mapping_to_stored(mapping)
            count = _render_again(change, before, replace(before, mapping=mapping))
            organizations.update_organization(change.uow, before.id, {"mapping": stored})
            change.record(
                "aims:mapping_changed",
                "organization",
                before.id,
                before=mapping_to_stored(before.mapping),
                after=stored,
            )
        return _view(mapping, rerendered=count, dry_run=dry_run)


def parse_change(
    *,
    meeting: Mapping[str, str | None],
    friendly: Sequence[str] = (),
    defaults: Sequence[str] = (),
    no_defaults: Sequence[str] = (),
) -> MappingChange:
    """Return the change a person typed: `COLUMN:LANGUAGE=NAME` and `COLUMN=VALUE`. Raises UsageProblem."""
    names: dict[tuple[str, str], str] = {}
    for item in friendly:
        left, sign, name = item.partition("=")
        column, mark, language = left.rpartition(":")
        if not (sign and mark and column.strip()):
            raise UsageProblem(
                f"{item!r} does not name a column in a language.", fix="--friendly COLUMN:he=NAME"
            )
        names[column.strip(), language.strip()] = " ".join(name.split())
    constants: dict[str, str] = {}
    for item in defaults:
        column, sign, value = item.partition("=")
        if not sign or not column.strip():
            raise UsageProblem(
                f"{item!r} does not say which column has which default.", fix="--default COLUMN=VALUE"
            )
        constants[column.strip()] = value.strip()
    constants.update({column.strip(): "" for column in no_defaults})
    return MappingChange(meeting=dict(meeting), friendly=names, defaults=constants)


def change_mapping(mapping: ColumnMapping, wanted: MappingChange) -> ColumnMapping:
    """Return the mapping with a change put on it."""
    meeting = {
        name: (column.strip() or None) for name, column in wanted.meeting.items() if column is not None
    }
    names = {column: dict(spellings) for column, spellings in mapping.friendly_names.items()}
    for (column, language), name in wanted.friendly.items():
        spellings = names.setdefault(column, {})
        if name:
            spellings[language] = name
        else:
            spellings.pop(language, None)
    defaults = {**mapping.defaults, **wanted.defaults}
    return replace(
        mapping,
        meeting=replace(mapping.meeting, **meeting),
        friendly_names={column: spellings for column, spellings in names.items() if spellings},
        defaults={column: value for column, value in defaults.items() if value},
    )


def check_mapping(mapping: ColumnMapping, article_format: ArticleFormat) -> list[MappingProblem]:
    """Return what is wrong with a mapping for this format, errors first."""
    found = [*_check_meeting(mapping, article_format), *_check_names(mapping, article_format)]
    for column, value in mapping.defaults.items():
        try:
            merge_data({}, {column: value}, article_format)
        except InvalidInput as error:
            found.append(_error(f"default {column}", error.message))
    return sorted(found, key=lambda item: item.severity)


def _check_meeting(mapping: ColumnMapping, article_format: ArticleFormat) -> list[MappingProblem]:
    found: list[MappingProblem] = []
    own = {
        article_format.id_column: "the id",
        article_format.name_column: "the room's name",
        article_format.nfc_column: "the NFC address",
    }
    taken: dict[str, str] = {}
    for name in MEETING_FIELDS:
        column = getattr(mapping.meeting, name)
        place = f"meeting {name}"
        if column is None:
            message = f"No column shows a meeting's {name}; rooms will not show it."
            found.append(MappingProblem(severity="warning", field=place, message=message))
        elif column not in article_format.content_columns:
            found.append(_error(place, _unknown(column)))
        elif column in own:
            found.append(
                _error(place, f"The column {column} holds {own[column]}; a meeting would overwrite it.")
            )
        elif column in taken:
            found.append(_error(place, f"The column {column} shows the meeting's {taken[column]} already."))
        else:
            taken[column] = name
    return found


def _check_names(mapping: ColumnMapping, article_format: ArticleFormat) -> list[MappingProblem]:
    found: list[MappingProblem] = []
    taken: dict[tuple[str, str], str] = {}
    for column, spellings in mapping.friendly_names.items():
        place = f"friendly {column}"
        if column not in article_format.columns:
            found.append(_error(place, _unknown(column)))
        for language, name in spellings.items():
            if language not in LANGUAGES:
                found.append(
                    _error(place, f"The language {language!r} is not one of {', '.join(LANGUAGES)}.")
                )
            other = taken.setdefault((language, name.casefold()), column)
            if other != column:
                found.append(_error(place, f"The columns {other} and {column} are both called {name!r}."))
    return found


def _error(place: str, message: str) -> MappingProblem:
    return MappingProblem(severity="error", field=place, message=message)


def _unknown(column: str) -> str:
    return f"The article format has no column {column!r} that electis fills."


def _render_again(change: Change, before: Organization, after: Organization) -> int:
    """Make every article pending that is rendered differently, and return how many."""
    if (before.mapping.meeting, before.mapping.defaults) == (after.mapping.meeting, after.mapping.defaults):
        return 0
    count = 0
    for store in stores.list_stores(change.uow):
        new = {article_id: one.hash for article_id, one in render_store(change.uow, after, store.id).items()}
        old = render_store(change.uow, before, store.id)
        changed = sorted(article_id for article_id, value in new.items() if old[article_id].hash != value)
        change.bump(store.id, changed)
        count += len(changed)
    return count


def _view(mapping: ColumnMapping, *, rerendered: int = 0, dry_run: bool = False) -> MappingView:
    return MappingView(
        meeting_name=mapping.meeting.name,
        meeting_time=mapping.meeting.time,
        participants=mapping.meeting.participants,
        friendly_names=mapping.friendly_names,
        defaults=mapping.defaults,
        rerendered=rerendered,
        dry_run=dry_run,
    )
