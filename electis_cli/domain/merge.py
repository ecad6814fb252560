"""Who wins when the database and AIMS both changed an article (design 5.3): per field, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from electis_cli.domain.articles import Content, changed_columns
from electis_cli.domain.organizations import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What to do about two differing contents.

    `adopt` are columns to write into the database (`""` clears); `push` says that AIMS gets the database's content
    afterwards; `undecided` that a person must choose.
    """

    adopt: Mapping[str, str] = field(default_factory=dict)
    push: bool = False
    undecided: bool = False


def resolve(base: Content | None, local: Content, remote: Content, strategy: Strategy) -> Resolution:
    """Return what a strategy makes of base, local and remote content.

    Without a base nothing was agreed on yet: `merge` takes from AIMS what the database does not say at all, and the
    database wins the rest.
    """
    if strategy is Strategy.MANUAL:
        return Resolution(undecided=True)
    differing = changed_columns(local, remote)
    if strategy is Strategy.DATABASE_WINS:
        return Resolution(push=bool(differing))
    if strategy is Strategy.AIMS_WINS:
        return Resolution(adopt={column: remote.get(column, "") for column in differing})
    agreed = base or {}
    adopt = {
        column: remote.get(column, "")
        for column in differing
        # Only AIMS changed this field; where both did, the database wins the tie.
        if local.get(column, "") == agreed.get(column, "")
    }
    return Resolution(adopt=adopt, push=len(adopt) < len(differing))
