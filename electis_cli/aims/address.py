"""Where AIMS is: base URL, cluster and the hosts that may be called (contract 1)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from electis_cli.domain.errors import HostNotAllowed, InvalidInput

VENDOR_DOMAIN = "solumesl.com"
_LOGIN = re.compile(r"(?s)(//|^).*@")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")


class Cluster(StrEnum):
    """The two clusters of one host; they differ only by a path prefix."""

    COMMON = "common"
    C1 = "c1"


_PREFIX = {Cluster.COMMON: "/common", Cluster.C1: "/c1/common"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A normalized base URL: scheme, host and port, and the cluster whose prefix every path gets."""

    origin: str
    cluster: Cluster

    @property
    def prefix(self) -> str:
        """What every path is put behind, without a trailing slash."""
        return self.origin + _PREFIX[self.cluster]


def normalize_address(url: str, cluster: str | None = None) -> Address:
    """Return the address users meant: bare host, host with `/common` or `/c1/common`, with or without a slash.

    Raises InvalidInput for anything else, and for a cluster that contradicts the URL.
    """
    parts = _split(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    from_path = {(): None, ("common",): Cluster.COMMON, ("c1", "common"): Cluster.C1, ("c1",): Cluster.C1}
    if tuple(segments) not in from_path:
        raise InvalidInput(
            f"The base URL has the unknown path {parts.path!r}.",
            why="Nothing, /common or /c1/common is known.",
        )
    named = from_path[tuple(segments)]
    if cluster is not None and cluster not in {item.value for item in Cluster}:
        raise InvalidInput(f"{cluster!r} is not a cluster.", why="It is common or c1.")
    wanted = Cluster(cluster) if cluster else None
    if named is not None and wanted is not None and named is not wanted:
        raise InvalidInput(f"The base URL names the cluster {named}, the option --cluster names {wanted}.")
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    origin = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    return Address(origin=origin, cluster=wanted or named or Cluster.COMMON)


def _split(url: str) -> SplitResult:
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    is_address = ":" in host and _is_address(host)
    if (
        parts.scheme not in {"http", "https"}
        or not (_HOST.fullmatch(host) or is_address)
        or port == 0
        or parts.query
        or parts.fragment
        or "@" in (parts.netloc or "")
    ):
        shown = _LOGIN.sub(r"\1...@", url, count=1)  # what is told may be logged
        raise InvalidInput(
            f"{shown!r} is not a base URL.", why="It looks like https://eu.common.solumesl.com."
        )
    return parts


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_allowed(address: Address, *, allowed_hosts: str, embedded: bool) -> None:
    """Raise HostNotAllowed unless passwords may be sent to this address.

    `allowed_hosts` is the setting `ELECTIS_AIMS_HOSTS`: hosts, or whole origins such as `http://host:port`, between
    commas or blanks. Unset, the vendor's domain is allowed over https and, while the database is the embedded one,
    plain http to this machine (a simulator).
    """
    parts = urlsplit(address.origin)
    host = parts.hostname or ""
    entries = allowed_hosts.replace(",", " ").split()
    is_https = parts.scheme == "https"
    is_vendor = is_https and (host == VENDOR_DOMAIN or host.endswith("." + VENDOR_DOMAIN))
    is_simulator = parts.scheme == "http" and embedded and _is_loopback(host)
    if (
        (address.origin in entries or (is_https and host in entries))
        if entries
        else (is_vendor or is_simulator)
    ):
        return
    raise HostNotAllowed(
        f"AIMS at {address.origin} is not on the list of allowed hosts.",
        why="Passwords are sent only to the vendor's own hosts over https, or where the operator allows it.",
        fix=f"export ELECTIS_AIMS_HOSTS={address.origin}",
    )
