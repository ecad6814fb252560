"""Searching articles (contract 5.1): by id, by name, by code, and by the company's search fields."""

from collections.abc import Sequence

from electis_cli.simulator.call import Call, Refused, Reply
from electis_cli.simulator.clock import stamp
from electis_cli.simulator.devices import Json
from electis_cli.simulator.model import Article
from electis_cli.simulator.operations.articles_read import SORTS, full, matching, short
from electis_cli.simulator.paging import one_page, ordered, whole

DATED = ("generateDate", "lastModified")


def get_by_id(call: Call) -> Reply:
    """The short list, only the article of that id."""
    return _short_list(call, matching(call, call.text("id"), ""))


def get_by_name(call: Call) -> Reply:
    """The short list, articles whose name contains the text; without the EANs."""
    rows = matching(call, "", call.text("name"))
    return _short_list(call, rows, without="EANs")


def get_by_id_or_field(call: Call) -> Reply:
    """Articles with a text as id or as the whole value of any column; all of them without one."""
    text = call.text("article")
    rows = [
        article
        for article in matching(call, "", "")
        if text in ("", article.id) or any(text == value for value in article.data.values())
    ]
    return one_page(
        call, "articleList", ordered(call, rows, SORTS, "articleId,asc"), lambda one: _row(call, one)
    )


def get_for_assignment(call: Call) -> Reply:
    """Articles by id or by EAN, for linking by scanner."""
    by_ean = call.text("searchType") == "EAN"
    text = call.text("ean" if by_ean else "articleId")
    if not text:
        raise Refused(405, "FIELD_IS_MISSING")
    rows = [one for one in matching(call, "", "") if (text in one.eans if by_ean else text == one.id)]

    def render(article: Article) -> Json:
        return {
            "articleId": article.id,
            "articleName": article.name,
            "nfcUrl": article.nfc_url,
            "stationCode": call.store.code,
            "eans": article.eans,
            "data": article.data,
            "generateDate": stamp(article.created),
            "lastUpdated": stamp(article.updated),
        }

    return whole(call, "articleInfo", rows, render)


def get_keys(call: Call) -> Reply:
    """The columns of the company's article format."""
    columns = (call.company.format or {}).get("articleData", [])
    return whole(call, "articleDataKeyList", columns, lambda column: column)


def _short_list(call: Call, rows: Sequence[Article], without: str = "") -> Reply:
    def render(article: Article) -> Json:
        return {name: value for name, value in short(call, article).items() if name != without}

    return one_page(call, "articleList", rows, render, beside={"totalArticleCnt": len(rows)})


def _row(call: Call, article: Article) -> Json:
    dates = dict(zip(DATED, (stamp(article.created), stamp(article.updated)), strict=True))
    kept = ("articleId", "articleName", "nfcUrl", "data", "assignedLabel")
    found = full(call, article)
    return {name: found[name] for name in kept} | dates


HANDLERS = {
    "getArticlesId": get_by_id,
    "getArticlesName": get_by_name,
    "getConfigArticleFieldNSecondly": get_by_id_or_field,
    "getArticlesAssignSearch": get_for_assignment,
    "getArticlesData": get_keys,
}
