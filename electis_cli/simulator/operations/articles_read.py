"""Reading articles (contract 5.1)."""

from collections.abc import Sequence
from typing import Any

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json
from electis_cli.simulator.model import Article
from electis_cli.simulator.paging import one_page, ordered

IDS_AT_MOST = 50
"""Ids one `articleIdsList` may name (contract 5.1)."""

SORTS = {
    "articleName": lambda article: article.name,
    "nfcUrl": lambda article: article.nfc_url,
    "generateDate": lambda article: article.created,
    "lastUpdated": lambda article: article.updated,
}


def get_articles(call: Call) -> Reply:
    """The short list: no data, no labels (Q9)."""
    rows = matching(call, call.text("id"), call.text("name"))
    beside = {"totalArticleCnt": len(rows)}
    return one_page(call, "articleList", rows, lambda one: short(call, one), beside=beside)


def get_articles_linked(call: Call) -> Reply:
    """Articles with at least one label."""
    found = matching(call, call.text("id"), call.text("name"))
    rows = [article for article in found if call.store.holders(article.id)]

    def render(article: Article) -> Json:
        return {
            "articleId": article.id,
            "articleName": article.name,
            "labelCount": len(call.store.holders(article.id)),
        }

    beside = {"totalArticleCnt": len(rows)}
    return one_page(call, "articleList", rows, render, beside=beside)


def get_article_info(call: Call) -> Reply:
    """The full list: data and labels, for comparison."""
    if call.faults_of("empty-info"):
        return Reply()
    sent = call.request.query.get("articleIdsList", [])
    wanted = [one for text in sent for one in text.split(",") if one]
    if len(wanted) > IDS_AT_MOST:
        raise Refused(405, f"ARTICLEIDS_CAN_NOT_BE_GREATER_THAN_MAX_COUNT({IDS_AT_MOST})")
    rows = matching(call, call.text("articleId"), call.text("articleName"), wanted)
    return one_page(call, "articleList", rows, lambda one: dated(call, one))


def get_article_field(call: Call) -> Reply:
    """One article, flat beside the codes; 204 when AIMS does not have it."""
    article = call.store.articles.get(call.article_id(call.text("article")))
    return Reply() if article is None else Reply(full(call, article))


def matching(call: Call, id_: str, name: str, ids: Sequence[str] = ()) -> Sequence[Article]:
    """Articles of the store in the asked order; the id must be equal, the name contained."""
    articles = call.store.articles
    ids, id_ = [call.article_id(one) for one in ids], call.article_id(id_) if id_ else ""
    order: Sequence[str] = call.store.article_order()
    if ids:
        order = sorted({one for one in ids if one in articles})
    if id_:
        order = [id_] if id_ in articles and (not ids or id_ in ids) else []
    rows: Sequence[Article] = _Ordered(articles, order)
    if name:
        rows = [article for article in rows if name.casefold() in article.name.casefold()]
    if call.text("sort") == "articleId,desc":
        return list(reversed(rows))
    return ordered(call, rows, SORTS, "articleId,asc")


class _Ordered(Sequence[Article]):
    """The articles behind a list of ids, looked up only where a page needs them."""

    def __init__(self, articles: dict[str, Article], order: Sequence[str]) -> None:
        self._articles = articles
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._articles[one] for one in self._order[place]]
        return self._articles[self._order[place]]


def short(call: Call, article: Article) -> dict[str, Json]:
    """A row of `/articles`."""
    return {
        "articleId": article.id,
        "articleName": article.name,
        "nfcUrl": article.nfc_url,
        "labelCount": len(call.store.holders(article.id)),
        "EANs": article.eans,
        "generateDate": stamp(article.created),
        "lastUpdated": stamp(article.updated),
    }


def full(call: Call, article: Article) -> dict[str, Json]:
    """An article with its data and labels."""
    return {
        "articleId": article.id,
        "articleName": article.name,
        "nfcUrl": article.nfc_url,
        "eans": article.eans,
        "articleStoreCode": call.store.code,
        "data": article.data,
        "assignedLabel": list(call.store.holders(article.id)),
    }


def dated(call: Call, article: Article) -> dict[str, Json]:
    """A row of `/config/article/info`."""
    dates = {"generateDate": stamp(article.created), "lastUpdated": stamp(article.updated)}
    return {**full(call, article), **dates}


HANDLERS = {
    "getArticles": get_articles,
    "getArticlesLinked": get_articles_linked,
    "getConfigArticleInfo": get_article_info,
    "getConfigArticleField": get_article_field,
}
