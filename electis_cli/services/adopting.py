"""Taking a value from AIMS into the database: into the person of an occupied space, else into the space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from electis_cli.db import people, runs, spaces
from electis_cli.db.organizations import Organization
from electis_cli.domain.articles import fold_own_fields, merge_data
from electis_cli.domain.bulk.changes import person_change, space_change
from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.organizations import ArticleFormat
from electis_cli.services.change import Change
from electis_cli.services.rendering import render_articles, require_format


class _NotHeld(Exception):
    """The row can not hold the value: what was written is taken back."""


def adopt_columns(
    change: Change, organization: Organization, store_id: str, article_id: str, columns: Mapping[str, str]
) -> bool:
    """Write columns of a remote edit to the row they belong to; False, and nothing written, when none can hold them.

    Afterwards the row must render those very columns, else a domain rule stands in between and a person must look.
    """
    try:
        with change.uow.savepoint():
            _adopt(change, organization, store_id, article_id, columns)
    except (_NotHeld, InvalidInput):
        return False
    return True


def _adopt(
    change: Change, organization: Organization, store_id: str, article_id: str, columns: Mapping[str, str]
) -> None:
    article_format = require_format(organization)
    values = _row_values(columns, article_format)
    space = spaces.find_space(change.uow, store_id, article_id, lock=True)
    if space is None or not values:
        raise _NotHeld
    person = people.occupants(change.uow, store_id, [article_id]).get(article_id)
    if person is not None:
        before, after = person.data, merge_data(person.data, values, article_format)
        saved = people.save_person(change.uow, replace(person, data=after), change.now)
        row = person_change(person, replace(person, data=after))
        noun, name = "person", person.external_id
    else:
        before, after = space.data, merge_data(space.data, values, article_format)
        saved = spaces.save_space(change.uow, replace(space, data=after), change.now)
        row = space_change(space, replace(space, data=after))
        noun, name = "space", space.external_id
    rendered = render_articles(change.uow, organization, store_id, [article_id])[article_id]
    if not saved or any(rendered.content.get(column, "") != value for column, value in values.items()):
        raise _NotHeld
    change.record(
        f"{noun}:updated_by_aims",
        noun,
        name,
        before={"data": dict(before)},
        after={"data": dict(after)},
        store_id=store_id,
    )
    change.note(row)


def _row_values(columns: Mapping[str, str], article_format: ArticleFormat) -> dict[str, str]:
    """Return the columns a row can hold; AIMS's own name and NFC fields are put into their mapped columns."""
    folded = {**columns, **fold_own_fields(columns, article_format)}
    return {
        column: value
        for column, value in folded.items()
        if column in article_format.content_columns and column != article_format.id_column
    }


def keep_conflict(
    change: Change,
    store_id: str,
    article_id: str,
    *,
    base: Mapping[str, str] | None,
    local: Mapping[str, str] | None,
    remote: Mapping[str, str] | None,
    choice: str,
    run_id: str | None = None,
) -> None:
    """Keep what two sides said and what was chosen, so that a value that lost can be found again."""
    runs.insert_conflict(
        change.uow,
        {
            "id": change.new_id(),
            "store_id": store_id,
            "article_id": article_id,
            "run_id": run_id,
            "base": dict(base) if base is not None else None,
            "local": dict(local) if local is not None else None,
            "remote": dict(remote) if remote is not None else None,
            "choice": choice,
            "at": change.now,
        },
    )
