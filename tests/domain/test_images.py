"""Pictures are known by their first bytes."""

from __future__ import annotations

import struct

import pytest

from electis_cli.domain.errors import InvalidInput
from electis_cli.domain.images import LARGEST_IMAGE, check_fits, check_picture

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 296, 128) + b"rest"
GIF = b"GIF89a" + struct.pack("<HH", 296, 128) + b"rest"
BMP = b"BM" + bytes(12) + struct.pack("<Iii", 40, 296, 128) + b"rest"
TOP_DOWN = b"BM" + bytes(12) + struct.pack("<Iii", 40, 296, -128) + b"rest"
OS2 = b"BM" + bytes(12) + struct.pack("<IHHI", 12, 296, 128, 0)
JPEG = b"".join(
    [
        b"\xff\xd8",
        *(b"\xff\xe0", struct.pack(">H", 16), bytes(14)),
        *(b"\xff\xff\xc4", struct.pack(">H", 4), bytes(2)),  # after a byte of padding
        *(b"\xff\xc2", struct.pack(">HBHH", 17, 8, 128, 296), bytes(20)),
    ]
)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PNG, "png"), (GIF, "gif"), (BMP, "bmp"), (TOP_DOWN, "bmp"), (OS2, "bmp"), (JPEG, "jpeg")],
    ids=["png", "gif", "bmp", "top-down bmp", "os/2 bmp", "jpeg"],
)
def test_a_picture_is_known(content, kind):
    picture = check_picture(content)
    assert (picture.kind, picture.width, picture.height) == (kind, 296, 128)


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg/>", PNG[:20], JPEG[:30], b"\xff\xd8\x00\x00" + bytes(20), b"\xff\xd8\xff\xd9" + bytes(20), b"BM",
     GIF[:8], b"GIF89a" + bytes(4)],
    ids=["nothing", "svg", "half a png", "half a jpeg", "no marker", "an end", "half a bmp", "half a gif", "no size"],
)  # fmt: skip
def test_anything_else_is_refused(content):
    with pytest.raises(InvalidInput, match="no image"):
        check_picture(content)


def test_a_huge_file_is_refused():
    with pytest.raises(InvalidInput, match="bytes"):
        check_picture(PNG + bytes(LARGEST_IMAGE))


def test_a_picture_must_be_as_large_as_the_label():
    picture = check_picture(PNG)
    check_fits(picture, 296, 128)
    check_fits(picture, None, 128)
    check_fits(picture, None, None)
    for size in ((400, 300), (296, 300), (128, 296)):
        with pytest.raises(InvalidInput, match="296 x 128"):
            check_fits(picture, *size)
