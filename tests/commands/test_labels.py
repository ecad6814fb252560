"""`electis label` as a process."""

from __future__ import annotations

import pytest

VIEW = ["label_code", "store", "article", "page", "acked_article", "acked_page", "status", "error"]


@pytest.mark.slow
def test_a_label_is_linked_shown_and_unlinked(shop):
    shop("space", "create", "4-1")
    shop("conference", "create", "3")

    linked = shop("label", "link", "08:48:a6:eb:e2:b0", "4-1", "-o", "json").json
    assert list(linked) == VIEW
    assert (linked["label_code"], linked["article"], linked["page"], linked["status"]) == (
        "0848A6EBE2B0", "4-1", None, "pending",
    )  # fmt: skip
    assert shop("label", "link", "0848A6EBE2B0", "C3", "-o", "json").json["page"] == 1
    assert shop("label", "list", "-o", "csv", "--fields", "label_code,article").out == (
        "label_code,article\n0848A6EBE2B0,C3\n"
    )
    assert shop("label", "unlink", "0848A6EBE2B0", "-n", "-o", "json").json["article"] is None
    assert shop("label", "show", "0848A6EBE2B0", "-o", "json").json["article"] == "C3"
    shop("label", "unlink", "0848A6EBE2B0")
    assert shop("label", "list", "-o", "json").json == []


@pytest.mark.slow
def test_codes_and_articles_are_checked_and_a_checksum_only_warns(shop):
    shop("space", "create", "4-1")
    for code, word, *arguments in (
        (8, "E-INPUT", "link", "xyz", "4-1"),
        (6, "E-ARTICLE-NOT-FOUND", "link", "0848A6EBE2B0", "4-9"),
        (6, "E-LABEL-NOT-FOUND", "unlink", "0848A6EBE2B0"),
        (6, "E-LABEL-NOT-FOUND", "show", "0848A6EBE2B0"),
    ):
        assert shop("label", *arguments, "-o", "json", check=code).error["code"] == word

    assert shop("label", "link", "0848A6EBE2BA", "4-1").err == ""
    assert "does not fit" in shop("label", "link", "0848A6EBE2B0", "4-1").err
