"""What AIMS says of a thing that is to be explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from electis_cli.aims.client import AimsClient
from electis_cli.aims.wire import RemoteLabel
from electis_cli.domain.errors import ElectisError
from electis_cli.services.change import Scope
from electis_cli.services.explain.looking import Local
from electis_cli.services.remote import Shown, as_agreed, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What AIMS says; `error` when it could not be asked."""

    article: Shown | None = None
    labels: Sequence[RemoteLabel] = ()
    pages: Mapping[str, int | None] = field(default_factory=dict)
    batch_result: str | None = None
    error: str | None = None


def ask(scope: Scope, local: Local) -> Remote:
    """Ask AIMS, uncached, for the article, its labels and the last batch; never raises for AIMS's sake."""
    article_format = local.organization.article_format
    if local.article_id is None or article_format is None or local.organization.aims_base_url is None:
        return Remote(error="there is nothing to ask for")
    try:
        client = scope.runtime.connect(local.organization)
    except ElectisError as error:
        return Remote(error=error.why or error.message)
    try:
        return _read(client, local, local.article_id)
    except ElectisError as error:
        return Remote(error=error.why or error.message)
    finally:
        client.close()


def _read(client: AimsClient, local: Local, article_id: str) -> Remote:
    store, article_format = local.place.code, local.organization.article_format
    found = client.articles_by_id(store, [article_id]).get(article_id)
    # AIMS refuses to list the labels of an article it does not have, and has broken their links.
    linked = client.labels_of_article(store, article_id) if found else []
    if local.noun == "label":
        linked = [label for label in linked if label.label_code == local.identifier]
    batch = local.last_push.batch_id if local.last_push else None
    return Remote(
        article=_as_ours(shown(found, article_format), local) if found and article_format else None,
        labels=linked,
        pages={label.label_code: client.label_page(store, label.label_code) for label in linked[:20]},
        batch_result=client.batch_result(batch) if batch else None,
    )


def _as_ours(article: Shown, local: Local) -> Shown:
    """Return what AIMS shows in the form in which we know it: without quotes and echoes of its own (Q16)."""
    ours = local.rendered.content if local.rendered else None
    return as_agreed(article, local.ledger, ours)
