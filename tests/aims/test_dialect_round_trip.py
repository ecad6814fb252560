"""What is pushed and then listed is the same, whatever the articles are and in whatever dialects AIMS answers."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from electis_cli.aims.address import normalize_address
from electis_cli.aims.client import AimsClient
from electis_cli.aims.connection import Credentials
from electis_cli.aims.inspection import AimsInspector
from electis_cli.domain.articles import Article, clean_text, content_of, content_of_article
from electis_cli.simulator import Dialect, Settings, Simulator, SimulatorServer
from electis_cli.simulator.dialects.choice import CHOICES
from tests.world.databases import FakeClock
from tests.world.dialects import pairwise, unmet
from tests.world.organizations import FORMAT

STORE = "001"
WORDS = ("wrap", "code", "message", "spelling", "ids", "data", "empty", "labels", "paging")
"""The dialects of contract 9.4; the simulator's other words change no article list, or its values (Q16)."""

CHOSEN = {word: CHOICES[word] for word in WORDS}
COMBINATIONS = pairwise(CHOSEN)


def test_every_two_dialects_meet_and_the_combinations_are_few():
    assert unmet(CHOSEN, COMBINATIONS) == set()
    assert 20 <= len(COMBINATIONS) <= 28


# --- articles -------------------------------------------------------------------------------------------------------

ODD = (
    '"',
    '""',
    "'",
    '"quoted"',
    'the ""blue"" room',
    "null",
    "None",
    "0",
    "00",
    "-0",
    "1e5",
    "true",
    "<b>&amp;</b>",
)
RTL = ("חדר 3", "ישיבת צוות: Q3", "قاعة ٣", "\u200fא\u200e 12", "e\u0301", "é")
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
LONG = st.builds(
    lambda text, times: text * times, st.sampled_from(["x", "ש", "Lorem ipsum ", '"']), st.integers(200, 4000)
)
VALUES = st.one_of(st.just(""), st.sampled_from((*ODD, *RTL, "two\nlines", "a\tb")), TEXT, LONG)
"""What a row may hold; never a control character but a line's end and a tab (`merge_data`)."""

PLAIN_IDS = st.text("0123456789", min_size=1, max_size=6)
"""Among them 007 beside 7: leading zeros tell ids apart."""
ODD_IDS = st.one_of(
    st.sampled_from(
        ['q"1"', "it's", "חדר-1", "a b", "a&b=c", "a/b", "a+b", "100%", "#1", "?", "0x10", "1.0", "-5"]
    ),
    st.text("aA", min_size=1, max_size=4),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=","), min_size=1, max_size=50),
    st.just("x" * 50),
)
IDS = st.one_of(PLAIN_IDS, ODD_IDS).map(clean_text).filter(lambda text: 0 < len(text) <= 50)
COLUMNS = [one for one in FORMAT.content_columns if one not in {FORMAT.id_column, FORMAT.nfc_column}]


@st.composite
def article_sets(draw):
    ids = draw(st.lists(IDS, min_size=1, max_size=6, unique=True))
    twins = [
        text.swapcase() for text in ids if text.swapcase() != text and len(clean_text(text.swapcase())) <= 50
    ]
    ids = list(dict.fromkeys([*ids, *(clean_text(text) for text in twins[:2])]))
    return [draw(articles(article_id)) for article_id in ids]


@st.composite
def articles(draw, article_id):
    filled = draw(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=4))
    nfc = draw(
        st.one_of(
            st.just(""), st.just("https://example.com/?a=1&b=ש"), TEXT.filter(lambda text: len(text) <= 254)
        )
    )
    values = {**filled, FORMAT.nfc_column: nfc, FORMAT.id_column: article_id}
    data = {column: clean_text(values.get(column, "")) for column in FORMAT.content_columns}
    return Article(
        article_id=article_id, name=data[FORMAT.name_column], nfc_url=data[FORMAT.nfc_column], data=data
    )


# --- there and back -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    with SimulatorServer(Simulator(Settings(stores=(STORE,), labels_per_store=4))) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    """Pages of three, so that most sets need several."""
    made = AimsClient(
        normalize_address(server.base_url),
        Credentials(company="ACME", username="tester", password="secret"),
        clock=FakeClock(),
        page_size=3,
    )
    yield made
    made.close()


@pytest.mark.parametrize(
    "words", [pytest.param(one, id="-".join(one[word] for word in WORDS)) for one in COMBINATIONS]
)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(pushed=article_sets())
def test_what_is_pushed_is_listed(server, client, words, pushed):
    cloud = server.simulator
    with cloud.lock:
        place = cloud.store("ACME", STORE)
        place.articles.clear()
        place.articles_changed()
    cloud.dialects.set(Dialect(**words))
    wanted = {one.article_id: content_of_article(one) for one in pushed}

    client.push_articles(STORE, pushed, merge=False)
    # Once more, merged: the same again changes nothing.
    client.push_articles(STORE, pushed, merge=True)

    for found in (
        list(client.articles(STORE)),
        client.articles_by_id(STORE, list(wanted)).values(),
        AimsInspector(client).articles(STORE),
    ):
        listed = {one.article_id: content_of(one.name, one.nfc_url, one.data, FORMAT) for one in found}
        assert listed == wanted
    assert asdict(cloud.dialects.of("GET", "/articles"))["wrap"] == words["wrap"], "the dialect was spoken"
