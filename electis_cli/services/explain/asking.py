"""What AIMS says of a thing that is to be explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from electis_cli.aims.client import AimsClient
from electis_cli.aims.inspection import AimsInspector
from electis_cli.domain.errors import ElectisError
from electis_cli.services.change import Scope
from electis_cli.services.explain.looking import Local
from electis_cli.services.remote import Shown, as_agreed, shown
from electis_cli.services.showing.asking import LabelAtAims, label_at_aims

MOST_LABELS = 20
"""Of how many labels of one article AIMS is asked in full: three calls each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What AIMS says; `error` when it could not be asked.

    `linked` are the labels it lists with the article, `labels` what it tells of these and of those the database knows
    with it (None: nothing, it does not know the label here), `elsewhere` the stores it has some of them in instead.
    """

    article: Shown | None = None
    linked: frozenset[str] = frozenset()
    labels: Mapping[str, LabelAtAims | None] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    batch_result: str | None = None
    error: str | None = None


def ask(scope: Scope, local: Local) -> Remote:
    """Ask AIMS, uncached, for the article, its labels and the last batch; never raises for AIMS's sake."""
    if local.article_id is None and local.noun != "label":
        return Remote(error="there is nothing to ask for")
    if local.organization.article_format is None or local.organization.aims_base_url is None:
        return Remote(error="there is nothing to ask for")
    try:
        client = scope.runtime.connect(local.organization)
    except ElectisError as error:
        return Remote(error=error.why or error.message)
    try:
        return _read(client, local)
    except ElectisError as error:
        return Remote(error=error.why or error.message)
    finally:
        client.close()


def _read(client: AimsClient, local: Local) -> Remote:
    inspector = AimsInspector(client)
    store, article_format, article_id = local.place.code, local.organization.article_format, local.article_id
    found = client.articles_by_id(store, [article_id]).get(article_id) if article_id else None
    wished = {wish.label_code for wish in local.wishes}
    # AIMS refuses to list the labels of an article it does not have, and has broken their links.
    is_listed = found is not None and article_id is not None and local.noun != "label"
    linked = inspector.labels_of_article(store, article_id or "") if is_listed else ()
    asked = [local.identifier] if local.noun == "label" else sorted({*linked, *wished})[:MOST_LABELS]
    rows = {code: inspector.label(store, code) for code in asked}
    homes = {code: inspector.store_of_label(code) for code, row in rows.items() if row is None}
    batch = local.last_push.batch_id if local.last_push else None
    return Remote(
        article=_as_ours(shown(found, article_format), local) if found and article_format else None,
        linked=frozenset(linked),
        labels={code: label_at_aims(inspector, store, row) if row else None for code, row in rows.items()},
        elsewhere={code: home for code, home in homes.items() if home not in {None, store}},
        batch_result=client.batch_result(batch) if batch else None,
    )


def _as_ours(article: Shown, local: Local) -> Shown:
    """Return what AIMS shows in the form in which we know it: without quotes and echoes of its own (Q16)."""
    ours = local.rendered.content if local.rendered else None
    return as_agreed(article, local.ledger, ours)
