"""`electis find` as people type it."""

from __future__ import annotations


def test_support_has_only_a_name(desk):
    (match,) = desk.json("find", "dana")
    assert match == {
        "noun": "people", "id": "P-1", "store": "001", "field": "ITEM_NAME", "value": "Dana Levi",
        "show": "electis people show P-1", "explain": "electis explain people P-1",
    }  # fmt: skip
    assert desk(*match["show"].split()[1:]).out
    assert desk(*match["explain"].split()[1:]).out.startswith("person P-1 in store 001\n")
    assert desk("explain", "room", "3").out.startswith("conference 3 in store 001\n")
    assert desk("find", "dana").err == "why its label shows what it shows: electis explain people P-1\n"
    assert desk("find", "LEVI", "-o", "name").out == "P-1\n"
    assert "electis people show P-1" in desk("find", "levi").out


def test_nothing_and_too_little(desk):
    assert desk.json("find", "nobody") == []
    assert desk("find", "nobody").err == "Nothing holds 'nobody'.\n"
    assert desk("find", "-", "-o", "json", check=8).error["code"] == "E-INPUT"
    assert desk("find", "4", "--store", "009", "-o", "json", check=6).error["code"] == "E-STORE-NOT-FOUND"


def test_as_few_as_wanted(desk):
    assert len(desk.json("find", "4", "--limit", "1")) == 1
    assert list(desk.json("find", "4", "--fields", "noun,id", "--limit", "1")[0]) == ["noun", "id"]
