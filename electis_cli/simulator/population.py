"""A first population from a seed: the same settings make the same labels on every machine."""

import hashlib
import random

from electis_cli.simulator.devices import Gateway, Label
from electis_cli.simulator.label_code import check_digit
from electis_cli.simulator.model import Cluster, Company, Store, User, World
from electis_cli.simulator.settings import CLUSTERS, Settings

COLUMNS = (
    "STORE_ID",
    "ARTICLE_ID",
    "ITEM_NAME",
    "NFC_URL",
    "TITLE",
    "DEPARTMENT",
    "PHONE",
    "EMAIL",
    "MEETING_NAME",
    "MEETING_TIME",
    "PARTICIPANTS",
)
MODELS = (
    ("NEWTON_GRAPHIC_2_9_RED_NFC", 296, 128, "BWR"),
    ("NEWTON_GRAPHIC_4_2_RED_NFC", 400, 300, "BWR"),
    ("NEWTON_GRAPHIC_7_5_RED_NFC", 800, 480, "BWR"),
)
PLACES = (("North", "Exampleton"), ("South", "Sampleville"), ("West", "Testford"))


def make_format() -> dict[str, object]:
    """The article format every company starts with (contract 5.3)."""
    return {
        "fileExtension": "csv",
        "delimeter": ";",
        "mappingInfo": {
            "store": "STORE_ID",
            "articleId": "ARTICLE_ID",
            "articleName": "ITEM_NAME",
            "nfcUrl": "NFC_URL",
        },
        "articleBasicInfo": ["store", "articleId", "articleName", "nfcUrl"],
        "articleData": list(COLUMNS),
    }


def make_world(settings: Settings, now: float) -> World:
    """Both clusters with all companies and stores of the settings."""
    world = World(seed=settings.seed)
    complete(world, settings, now)
    return world


def complete(world: World, settings: Settings, now: float) -> None:
    """Add what the settings name and the world lacks, and let in the settings' user alone."""
    world.users = {}
    if settings.username is not None:
        world.users[settings.username] = User(settings.username, settings.password)
    for name in CLUSTERS:
        cluster = world.clusters.setdefault(name, Cluster(name))
        for code in settings.companies:
            known = code in cluster.companies
            company = cluster.companies.setdefault(code, Company(code, make_format()))
            for number in range(0 if known else settings.floating_gateways):
                gateway = make_gateway(f"{settings.seed}/{name}/{code}/floating/{number}", number, now)
                company.floating[gateway.mac] = gateway
            for place, store in enumerate(settings.stores):
                if store not in company.stores:
                    company.stores[store] = make_store(settings, name, code, store, place, now)


def make_store(settings: Settings, cluster: str, company: str, code: str, place: int, now: float) -> Store:
    """One store with unassigned labels and its gateways."""
    region, city = PLACES[place % len(PLACES)]
    store = Store(code, f"Store {code}", "Exampleland", region, city, "Europe/Paris", now, now)
    root = f"{settings.seed}/{cluster}/{company}/{code}"
    for number in range(settings.gateways_per_store):
        gateway = make_gateway(f"{root}/gateway/{number}", number, now)
        gateway.name, gateway.ip = f"GW_{code}_{number + 1:02d}", f"10.{place}.0.{number + 21}"
        store.gateways[gateway.mac] = gateway
    for number in range(settings.labels_per_store):
        label = make_label(make_code(f"{root}/label/{number}"), sorted(store.gateways), now)
        store.labels[label.code] = label
    return store


def make_gateway(root: str, number: int, now: float) -> Gateway:
    """A gateway as it comes from its box."""
    mac = "D02544FFFE" + _digest(root)[:6]
    name = f"GW_{mac[-6:]}"
    rebooted = now - 86_400 * (number + 1)
    return Gateway(mac, name, "", "N10.3.5.0", "Newton Normal (G5)", 11 + number, rebooted)


def make_label(code: str, gateways: list[str], now: float) -> Label:
    """A label as it comes from its box; its traits follow from its code alone."""
    traits = random.Random(code)
    model, width, height, color = traits.choices(MODELS, weights=(6, 3, 1))[0]
    good = traits.random() >= 0.05
    signal, rssi = traits.choices((("EXCELLENT", -52), ("GOOD", -71), ("BAD", -91)), (7, 2, 1))[0]
    return Label(
        code=code,
        model=model,
        width=width,
        height=height,
        color=color,
        nfc=True,
        gateway=gateways[traits.randrange(len(gateways))] if gateways else "",
        battery="GOOD" if good else "BAD",
        battery_level="FF" if good else "19",
        signal=signal,
        rssi=rssi,
        online=True,
        last_seen=now - traits.randrange(900),
        unassigned_on=now - traits.randrange(86_400, 864_000),
        pages=traits.choice((2, 2, 2, 3, 7)),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest().upper()


def make_code(text: str) -> str:
    """A sound label code that follows from a text."""
    body = _digest(text)[:11]
    return body + check_digit(body)
