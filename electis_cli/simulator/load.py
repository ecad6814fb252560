"""Many articles at once (contract 9.7): plain ones, and odd ones of every sort a real customer has."""

import random
from dataclasses import fields
from typing import Any

from electis_cli.simulator import display
from electis_cli.simulator.devices import Json, Label
from electis_cli.simulator.model import Article, Cluster, Company, Store, World
from electis_cli.simulator.population import make_code, make_label, make_store
from electis_cli.simulator.settings import Load, Settings
from electis_cli.simulator.stock import store_column

FIRST = ("Ada", "Ben", "Chloé", "Dov", "Emil", "Fay", "Noa", "Zoë")
LAST = ("Example", "Sample", "Muster", "Specimen", "Placeholder")
MEETINGS = ("Standup", "Planning", "Review", "Retro", "")
ODD_EVERY = 5
"""One article in so many is odd."""
LONG = 4_000

OddArticle = tuple[str, str, dict[str, Json]]


def load_from_text(text: str) -> Load:
    """A load from a command line: `stores=20,articles=5000,labels=2,odd=yes`."""
    words: dict[str, Any] = {}
    known = {one.name for one in fields(Load)}
    for part in text.split(","):
        name, mark, value = (one.strip() for one in part.partition("="))
        if not mark or name not in known:
            raise ValueError(f"{part!r} is not name=value with a name of {', '.join(sorted(known))}")
        if name == "odd":
            words[name] = value.lower() in ("yes", "true", "1")
        else:
            words[name] = value if name == "cluster" else int(value)
    return Load(**words)


def fill(world: World, settings: Settings, load: Load, now: float) -> int:
    """Put the articles and their labels into the stores of every company; answers how many articles."""
    cluster = world.clusters[load.cluster]
    return sum(_fill(cluster, company, settings, load, now) for company in cluster.companies.values())


def _fill(cluster: Cluster, company: Company, settings: Settings, load: Load, now: float) -> int:
    for place in range(len(company.stores), load.stores):
        code = next(code for number in range(1, 10_000) if (code := f"{number:03d}") not in company.stores)
        company.stores[code] = make_store(settings, cluster.name, company.code, code, place, now)
    stores = list(company.stores.values())[: load.stores] if load.stores else list(company.stores.values())
    for store in stores:
        root = f"{settings.seed}/{cluster.name}/{company.code}/{store.code}/load"
        chance = random.Random(root)
        for number in range(load.articles):
            article = _article(company, store, number, chance, now, odd=load.odd)
            store.articles[article.id] = article
            for place in range(load.labels):
                _hang(company, store, article, make_code(f"{root}/{number}/{place}"), now)
        store.articles_changed()
        store.links_changed()
    return load.articles * len(stores)


def _article(
    company: Company, store: Store, number: int, chance: random.Random, now: float, *, odd: bool
) -> Article:
    id_ = f"A{number + 1:06d}"
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    data: dict[str, Json] = {
        "TITLE": f"Room {number + 1}",
        "DEPARTMENT": f"Floor {number % 12}",
        "MEETING_NAME": chance.choice(MEETINGS),
        "MEETING_TIME": f"{8 + number % 10:02d}:00",
    }
    if odd and number % ODD_EVERY == 0:
        id_, name, more = odd_article(number // ODD_EVERY)
        data |= more
    data = {"ARTICLE_ID": id_, "ITEM_NAME": name, **data}
    column = store_column(company)
    if column:
        data[column] = store.code
    return Article(id_, name, "", [], data, now, now)


def odd_article(number: int) -> OddArticle:
    """One of the odd sorts, in turn; the number keeps ids apart."""
    sorts: tuple[OddArticle, ...] = (
        (f"{number:05d}", "leading zeros", {"PHONE": "0041"}),
        (f'q"{number}"', 'The "Blue" room', {"TITLE": 'it\'s "quoted", with; marks'}),
        (f"חדר-{number}", "חדר ישיבות 3 (Blue)", {"MEETING_NAME": "ישיבת צוות: Q3", "TITLE": "قاعة ٣"}),
        (f"long-{number}-" + "x" * 200, "n" * 300, {"TITLE": "Lorem ipsum " * (LONG // 12)}),
        (f"extra-{number}", "keys outside the format", {"X_UNKNOWN": "kept?", "": "no name"}),
        (f"csv-{number}", '"Room ""A"""', {"TITLE": '"one; ""two"""'}),
        (f"case-{number}-a", "small", {}),
        (f"CASE-{number - 1}-A", "capital: the same id but for its case", {}),
        (f" blank-{number} ", "  outer blanks  ", {"TITLE": " ", "PHONE": None}),
        (f"🙂-{number}", "line\nbreak\tand tab", {"PHONE": 41, "EMAIL": "é"}),
    )
    return sorts[number % len(sorts)]


def _hang(company: Company, store: Store, article: Article, code: str, now: float) -> None:
    label: Label = make_label(code, sorted(store.gateways), now)
    label.articles = [article.id]
    label.shown = display.content(company, store, label)
    store.labels[code] = label
