"""Encodings told from bytes."""
# ruff: noqa: RUF001 (Hebrew letters and typographic quotes are the point)

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from electis_cli.domain.bulk.encodings import EncodingSniffer, Sniffed

HEBREW = "external_id,ITEM_NAME\r\n1,דנה לוי\r\n2,יוסי כהן\r\n3,Tom Adler\r\n"
FRENCH = "external_id,ITEM_NAME\r\n1,Zoë Müller\r\n2,François Créé à Nîmes\r\n3,Tom Adler\r\n"


def sniff(content, *, declared=None, size=1 << 20):
    sniffer = EncodingSniffer(declared=declared)
    for at in range(0, len(content), size):
        sniffer.feed(content[at : at + size])
    return sniffer.result()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", Sniffed(encoding="utf-8")),
        (b"a,b\n1,2\n", Sniffed(encoding="utf-8")),
        (HEBREW.encode(), Sniffed(encoding="utf-8")),
        (HEBREW.encode("utf-8-sig"), Sniffed(encoding="utf-8", bom=3)),
        (codecs.BOM_UTF16_LE + HEBREW.encode("utf-16-le"), Sniffed(encoding="utf-16-le", bom=2)),
        (codecs.BOM_UTF16_BE + HEBREW.encode("utf-16-be"), Sniffed(encoding="utf-16-be", bom=2)),
        (HEBREW.encode("utf-16-le"), Sniffed(encoding="utf-16-le")),
        (HEBREW.encode("utf-16-be"), Sniffed(encoding="utf-16-be")),
        (HEBREW.encode("cp1255"), Sniffed(encoding="cp1255")),
        (FRENCH.encode("cp1252"), Sniffed(encoding="cp1252")),
        ("1,“don’t” – 5 €\n".encode("cp1252"), Sniffed(encoding="cp1252")),
        ("1,שלום “Zoe” – 5 €\n".encode("cp1255"), Sniffed(encoding="cp1255")),
    ],
)
def test_each_encoding_is_told(content, expected):
    assert sniff(content) == expected


@pytest.mark.parametrize("size", [16, 17, 1000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1255"])
def test_it_does_not_matter_how_the_file_is_cut_into_chunks(encoding, size):
    content = (HEBREW * 20).encode(encoding)
    assert sniff(content, size=size) == sniff(content)


def test_utf_8_with_a_few_wrong_bytes_is_damaged_and_nothing_else():
    content = (HEBREW * 20).encode()
    place = content.index("כהן".encode(), 700)
    damaged = content[:place] + b"\xe9" + content[place:]

    assert sniff(damaged) == Sniffed(encoding="utf-8", bad_byte=place)
    assert sniff(damaged, size=64) == Sniffed(encoding="utf-8", bad_byte=place)
    assert sniff(codecs.BOM_UTF8 + b"a\xe9b").bad_byte == 4
    assert sniff(content[:-1] + "א".encode()[:1]).bad_byte == len(content) - 1


def test_bytes_that_no_encoding_has_are_named():
    assert sniff(b"a,\xe0\xe1\n\x81,\xff\x90") == Sniffed(encoding="utf-8", bad_byte=2)


def test_zeros_that_do_not_make_utf_16_are_named():
    assert sniff(b"a,b\n1,x\0y\n" * 9) == Sniffed(encoding="utf-8", nul=7)
    assert sniff("a,b\n1,2\0\n".encode("utf-16")) == Sniffed(encoding="utf-16-le", bom=2, nul=16)


def test_half_a_letter_of_utf_16_at_the_end_is_named():
    content = "a,b\n1,2\n".encode("utf-16") + b"x"
    assert sniff(content) == Sniffed(encoding="utf-16-le", bom=2, bad_byte=len(content) - 1)


def test_a_declared_encoding_is_only_checked():
    assert sniff(HEBREW.encode("cp1255"), declared="iso8859-8") == Sniffed(encoding="iso8859-8")
    assert sniff(HEBREW.encode("cp1255"), declared="utf-8").bad_byte == HEBREW.index("ד")
    assert sniff(HEBREW.encode("utf-8-sig"), declared="utf-8") == Sniffed(encoding="utf-8", bom=3)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(64, 200))
def test_any_utf_8_is_utf_8(text, size):
    content = b"external_id,ITEM_NAME\n" + text.encode()
    assert sniff(content, size=size) == Sniffed(encoding="utf-8")
