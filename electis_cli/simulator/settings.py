"""What a simulator is told once, at its start: its population, its limits and its open choices."""

from dataclasses import dataclass

CLUSTERS = ("common", "c1")


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
    """Records per article call, 0 for none; above it the answer is 405 (contract 9.8, 1)."""
    page_cap: int = 500
    """The largest page; a larger `size` is lowered without a word (contract 9.8, 2)."""
    paging_headers: bool = True
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
    unknown_path: str = "html"
    """Any path outside the contract: `html` (200, Q21) or `404`."""
