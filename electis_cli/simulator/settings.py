"""What a simulator is told once, at its start: its population, its limits and its open choices."""

from dataclasses import dataclass

from electis_cli.simulator.dialects.choice import Dialect

CLUSTERS = ("common", "c1")


@dataclass(frozen=True, slots=True)
class Load:
    """How much a fresh world holds (contract 9.7)."""

    stores: int = 0
    """So many stores are filled, made where there are fewer; 0 for those there are."""
    articles: int = 100
    """In each store."""
    labels: int = 0
    """Of each article."""
    odd: bool = False
    """One article in five is odd."""
    cluster: str = "common"


@dataclass(frozen=True, slots=True)
class Settings:
    """Population and behavior; the defaults are the ones of contract 9.3 and 9.8 (marked I there)."""

    seed: int = 1
    companies: tuple[str, ...] = ("ACME",)
    stores: tuple[str, ...] = ("001", "002", "003")
    labels_per_store: int = 300
    gateways_per_store: int = 2
    floating_gateways: int = 1
    """Gateways of a company that no store has yet."""
    username: str | None = None
    """Without one every non-empty user name and password is accepted and sees every company."""
    password: str = ""
    token_seconds: int = 3600
    refresh_seconds: int = 1_209_600
    """Fourteen days, the sample of the v3 call (contract 2)."""
    unauthorized_prefix: str = "Unauthorized: "
    """Put before the TOKEN words of a 401; the contract has both spellings."""
    record_limit: int = 1000
    """Records per article call, 0 for none (contract 9.8, 1)."""
    over_limit: str = "refuse"
    """Above that: `refuse` (405), `truncate` (only the first are taken) or `accept`."""
    page_cap: int = 500
    """The largest page (contract 9.8, 2)."""
    over_page: str = "lower"
    """Above that: `lower` the size without a word, or `refuse` (405)."""
    paging_headers: bool = True
    unstable_sort: bool = False
    """Lists without `sort` come in another order each time."""
    update_seconds: float = 2.0
    """How long a label shows PROCESSING before it acknowledges."""
    reboot_seconds: float = 60.0
    register_seconds: float = 60.0
    """How long a gateway is NOT_READY after its registration; AIMS takes up to five minutes."""
    store_exists_status: int = 409
    """Answer to a POST of a store that exists (contract 5.9, D)."""
    known_areas_only: bool = False
    """Refuse a store in an area where there is none yet."""
    dither_answer: str = "message"
    """Where a dither preview is (Q12): `message`, `object` or `missing`."""
    detail_default_result: str = "SUCCESS"
    """The `result` filter of batch detail when none is sent; empty text for no filter (9.8, 12)."""
    unknown_delete: str = "accept"
    """DELETE of ids AIMS does not have: `accept` (200) or `refuse` (405 ARTICLE_ID_NOT_FOUND)."""
    visibility_seconds: float = 0.0
    """So long after a write articles read as before (contract 9.8, 4)."""
    list_mode: str = "whole"
    """Lists of links, unlinks and pages (contract 9.8, 6): `whole` or not at all, or the good entries are taken
    and the answer is 405 for the first bad one (`parts-405`) or 200 all the same (`parts-200`)."""
    unknown_keys: str = "keep"
    """Data keys outside the article format (contract 9.8, 7): `keep`, `drop`, or `reject` the record."""
    stored_form: str = "as-sent"
    """What AIMS makes of columns it stores: whole `numbers` get two decimals, runs of `blanks` become one, long texts
    are `cut` to 40 characters. The id and the store's code stay what they are."""
    rate_per_second: float = 0.0
    """Calls per second, 0 for any number; above it 429 (contract 9.8, 9)."""
    rate_burst: int = 10
    retry_after: str = "seconds"
    """What such a 429 says: `seconds`, `date`, `none` or `garbage`."""
    whitelist_status: int = 405
    whitelist_text: str = "label is not in the whiteList"
    """The refusal of a label that is not whitelisted (contract 9.8, 10)."""
    refresh_rotates: bool = True
    """Whether a v2 refresh uses its refresh token up (contract 9.8, 11)."""
    ids_ignore_case: bool = False
    """Article ids that differ only in case are one (contract 9.8, 13)."""
    post_unlinks: bool = False
    """A POST over an existing article takes its labels away (contract 9.8, 14)."""
    unknown_path: str = "html"
    """Any path outside the contract: `html` (200, Q21) or `404`."""
    write_status: int = 200
    """Status of a write that was taken: 200, or 202 (contract 9.8, 8)."""
    dialects: tuple[Dialect, ...] = ()
    """How answers are written from the start (contract 9.4)."""
    load: Load | None = None
    """Articles and labels a fresh world has already."""
