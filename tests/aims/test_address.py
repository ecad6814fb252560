"""Base URLs as people write them, and the hosts a password may be sent to (contract 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.aims.address import Cluster, check_allowed, normalize_address
from electis_cli.domain.errors import HostNotAllowed, InvalidInput

HOST = "https://eu.common.solumesl.com"


@pytest.mark.parametrize(
    ("written", "prefix"),
    [
        ("eu.common.solumesl.com", f"{HOST}/common"),
        ("https://eu.common.solumesl.com", f"{HOST}/common"),
        ("https://eu.common.solumesl.com/", f"{HOST}/common"),
        ("https://eu.common.solumesl.com/common", f"{HOST}/common"),
        ("https://eu.common.solumesl.com/common/", f"{HOST}/common"),
        ("https://eu.common.solumesl.com//common//", f"{HOST}/common"),
        ("https://eu.common.solumesl.com/c1", f"{HOST}/c1/common"),
        ("https://eu.common.solumesl.com/c1/", f"{HOST}/c1/common"),
        ("https://eu.common.solumesl.com/c1/common", f"{HOST}/c1/common"),
        ("eu.common.solumesl.com/c1/common/", f"{HOST}/c1/common"),
        ("  HTTPS://EU.Common.SoluMesl.com/common ", f"{HOST}/common"),
        ("https://eu.common.solumesl.com:8443/c1", f"{HOST}:8443/c1/common"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/common"),
        ("localhost:8081", "https://localhost:8081/common"),
        ("http://[::1]:8081/common", "http://[::1]:8081/common"),
    ],
)
def test_every_way_people_write_a_base_url_means_the_same(written, prefix):
    assert normalize_address(written).prefix == prefix


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "/", "https://", "https:///common", "ftp://eu.common.solumesl.com", "file:///etc/passwd",
        f"{HOST}/api/v2", f"{HOST}/common/api/v2/common", f"{HOST}/common/common", f"{HOST}/c2/common",
        f"{HOST}/COMMON", f"{HOST}?x=1", f"{HOST}/common#top", "https://user:pw@eu.common.solumesl.com",
        "https://eu.common.solumesl.com:99999", "https://eu.common.solumesl.com:port", "https://[::1",
        "https://eu common.solumesl.com", "https://evil.example\\.solumesl.com", "https://:pw@eu.common.solumesl.com",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(written):
    with pytest.raises(InvalidInput):
        normalize_address(written)


@pytest.mark.parametrize(
    "url", ["https://user:hunter2@eu.common.solumesl.com", "user:hunter2@host", "https://user:hunter2/x@h//@"]
)
def test_a_login_in_the_url_is_not_repeated_in_the_refusal(url):
    with pytest.raises(InvalidInput) as caught:
        normalize_address(url)
    assert "hunter2" not in caught.value.message + caught.value.why


@given(st.text(max_size=40))
def test_no_text_makes_the_address_crash(text):
    try:
        address = normalize_address(text)
    except InvalidInput:
        return
    assert normalize_address(address.prefix) == address


def test_the_cluster_comes_from_the_option_or_the_url():
    assert normalize_address(HOST, "c1").cluster is Cluster.C1
    assert normalize_address(f"{HOST}/c1", "c1").cluster is Cluster.C1
    assert normalize_address(HOST, "common").cluster is Cluster.COMMON


def test_a_cluster_that_contradicts_the_url_or_is_unknown_is_refused():
    with pytest.raises(InvalidInput, match="--cluster names common"):
        normalize_address(f"{HOST}/c1", "common")
    with pytest.raises(InvalidInput, match="not a cluster"):
        normalize_address(HOST, "c2")


# --- where a password may go ----------------------------------------------------------------------------------------


def allowed(url, *, hosts="", embedded=True):
    try:
        check_allowed(normalize_address(url), allowed_hosts=hosts, embedded=embedded)
    except HostNotAllowed:
        return False
    return True


@pytest.mark.parametrize("embedded", [False, True])
def test_the_vendor_is_allowed_over_https_only(embedded):
    assert allowed(HOST, embedded=embedded)
    assert allowed("https://solumesl.com", embedded=embedded)
    assert allowed(f"{HOST}:8443", embedded=embedded)
    assert not allowed("http://eu.common.solumesl.com", embedded=embedded)


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://notsolumesl.com", "https://solumesl.com.evil.example"]
)
def test_a_host_that_only_looks_like_the_vendor_is_not(url):
    assert not allowed(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081", "http://localhost:8081", "http://[::1]:8081"])
def test_a_simulator_on_this_machine_is_allowed_while_the_database_is_the_embedded_one(url):
    assert allowed(url, embedded=True)
    assert not allowed(url, embedded=False)


def test_plain_http_to_another_machine_is_never_a_simulator():
    assert not allowed("http://192.168.1.5:8081")
    assert not allowed("http://127.0.0.1.evil.example:8081")


def test_a_list_of_hosts_replaces_the_default():
    assert allowed("https://aims.example", hosts="aims.example, other.example")
    assert allowed("https://other.example", hosts="aims.example other.example")
    assert not allowed(HOST, hosts="aims.example")
    assert not allowed("http://127.0.0.1:8081", hosts="aims.example")


def test_plain_http_is_allowed_only_where_the_whole_origin_is_listed():
    assert allowed("http://sim.example:8081", hosts="http://sim.example:8081", embedded=False)
    assert not allowed("http://sim.example:8082", hosts="http://sim.example:8081")
    assert not allowed("http://sim.example", hosts="sim.example")


def test_a_refused_host_is_named_with_the_setting_that_would_allow_it():
    with pytest.raises(HostNotAllowed) as caught:
        check_allowed(normalize_address("https://aims.example"), allowed_hosts="", embedded=False)
    assert "https://aims.example" in str(caught.value)
    assert caught.value.fix == "export ELECTIS_AIMS_HOSTS=https://aims.example"
