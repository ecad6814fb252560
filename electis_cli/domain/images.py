"""Pictures for labels: what kind a file is and how large, read from its first bytes without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

from electis_cli.domain.errors import InvalidInput

LARGEST_IMAGE = 4 * 1024 * 1024
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's start-of-frame markers
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture's kind (png, jpeg, bmp, gif) and its size in pixels."""

    kind: str
    width: int
    height: int


def check_picture(content: bytes) -> Picture:
    """Return what a file holds. Raises InvalidInput for anything AIMS would not take (contract 5.6)."""
    if len(content) > LARGEST_IMAGE:
        raise InvalidInput(
            f"The image has {len(content)} bytes.", why=f"More than {LARGEST_IMAGE} make no sense on a label."
        )
    picture = _png(content) or _gif(content) or _bmp(content) or _jpeg(content)
    if picture is None or picture.width < 1 or picture.height < 1:
        raise InvalidInput("The file is no image that AIMS takes.", why="It takes PNG, JPEG, BMP and GIF.")
    return picture


def check_fits(picture: Picture, width: int | None, height: int | None) -> None:
    """Raise InvalidInput when a picture is not as large as the label; an unknown size (None) is not checked."""
    if (width is not None and picture.width != width) or (height is not None and picture.height != height):
        raise InvalidInput(
            f"The image has {picture.width} x {picture.height} pixels, the label {width or '?'} x {height or '?'}.",
            why="AIMS takes an image in the label's own resolution, or fits it when it is to dither.",
            fix="scale the image, or add --dither",
        )


def _png(content: bytes) -> Picture | None:
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
        return None
    return _picture("png", content[16:20], content[20:24], "big")


def _gif(content: bytes) -> Picture | None:
    if content[:6] not in {b"GIF87a", b"GIF89a"} or len(content) < 10:
        return None
    return _picture("gif", content[6:8], content[8:10], "little")


def _bmp(content: bytes) -> Picture | None:
    if not content.startswith(b"BM") or len(content) < 26:
        return None
    if int.from_bytes(content[14:18], "little") == 12:  # the header of OS/2
        return _picture("bmp", content[18:20], content[20:22], "little")
    height = int.from_bytes(content[22:26], "little", signed=True)  # negative: stored from the top
    return Picture(kind="bmp", width=int.from_bytes(content[18:22], "little"), height=abs(height))


def _jpeg(content: bytes) -> Picture | None:
    """Walk JPEG's segments to the frame header, which tells the size."""
    place = 2
    while content.startswith(b"\xff\xd8") and place + 9 <= len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker == 0xFF:  # padding
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        elif marker in _FRAMES:
            return _picture("jpeg", content[place + 7 : place + 9], content[place + 5 : place + 7], "big")
        else:
            place += 2 + max(2, int.from_bytes(content[place + 2 : place + 4], "big"))
    return None


def _picture(kind: str, width: bytes, height: bytes, order: str) -> Picture:
    little = order == "little"
    return Picture(
        kind=kind,
        width=int.from_bytes(width, "little" if little else "big"),
        height=int.from_bytes(height, "little" if little else "big"),
    )
