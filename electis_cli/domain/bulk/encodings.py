"""The encoding of a text file, told from its bytes while they stream by; never from its name."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ASCII = bytes(range(0x80))
_LEADS = bytes(range(0xC2, 0xF5))
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}",
)
# Hebrew letters stand together in words of their own; the same bytes in Western European text are single
# accented letters in the middle of ASCII ones.
_HEBREW_WORD = re.compile(rb"(?<![A-Za-z\xc0-\xff])[\xe0-\xfa]{2,}(?![A-Za-z])")
_ACCENTED = re.compile(rb"[A-Za-z][\xc0-\xff]|[\xc0-\xff][A-Za-z]")
_UNDEFINED = {
    "cp1255": bytes.fromhex("81 8a 8c 8d 8e 8f 90 9a 9c 9d 9e 9f ca d9 da db dc dd de df fb fc ff"),
    "cp1252": bytes.fromhex("81 8d 8f 90 9d"),
}
_MOST_ZEROS_ELSEWHERE = 0.02
_FEWEST_ZEROS = 0.1
_FEWEST_SMALL = 0.9
_SMALL = bytes(range(8)) + b"\x20"
_ENOUGH_WORDS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What a file's bytes are: the codec's name, the length of the byte order mark, and the first byte that is wrong.

    `bad_byte` is the offset of a byte that the encoding does not allow, `nul` that of the first zero in what is not
    UTF-16; either makes the file unreadable.
    """

    encoding: str
    bom: int = 0
    bad_byte: int | None = None
    nul: int | None = None


@dataclass(slots=True)
class EncodingSniffer:
    """Tells an encoding from chunks of bytes: `feed` them all in order, then ask for the `result`.

    The first chunk decides about byte order marks and UTF-16, so it should be some thousand bytes or the whole file.
    Never holds more than a chunk. With `declared`, the file is only checked against that encoding.
    """

    declared: str | None = None
    _encoding: str | None = None
    _bom: int = 0
    _decoder: codecs.IncrementalDecoder | None = None
    _offset: int = 0
    _bad_byte: int | None = None
    _nul: int | None = None
    _sequences: int = 0
    _strays: int = 0
    _hebrew: int = 0
    _accented: int = 0
    _undefined: set[str] = field(default_factory=set)

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes of the file."""
        if not chunk:
            return
        if self._decoder is None:
            chunk = self._begin(chunk)
        if self._nul is None and not self._is_wide():
            place = chunk.find(0)
            self._nul = self._offset + place if place >= 0 else None
        if self._bad_byte is None:
            self._decode(chunk)
        if self._is_guessed() and not chunk.isascii():
            self._count(chunk)
        self._offset += len(chunk)

    def result(self) -> Sniffed:
        """Return what the file is; call it once, after the last chunk."""
        if self._decoder is not None and self._bad_byte is None:
            try:
                self._decoder.decode(b"", True)  # noqa: FBT003 (codecs take no keyword here)
            except UnicodeDecodeError as error:
                self._bad_byte = self._offset - len(error.object) + error.start
        encoding, bad_byte = self._encoding or "utf-8", self._bad_byte
        if bad_byte is not None and self._is_guessed() and self._sequences <= self._strays:
            hebrew_first = self._hebrew > self._accented
            order = ("cp1255", "cp1252") if hebrew_first else ("cp1252", "cp1255")
            for candidate in order:
                if candidate not in self._undefined:
                    encoding, bad_byte = candidate, None
                    break
        return Sniffed(encoding=encoding, bom=self._bom, bad_byte=bad_byte, nul=self._nul)

    def _begin(self, chunk: bytes) -> bytes:
        encoding = self.declared
        for mark, name in _BOMS:
            if chunk.startswith(mark) and encoding in {None, name}:
                encoding, self._bom = name, len(mark)
        self._encoding = encoding or _wide_without_mark(chunk) or None
        self._decoder = codecs.getincrementaldecoder(self._encoding or "utf-8")()
        self._offset = self._bom
        return chunk[self._bom :]

    def _is_wide(self) -> bool:
        return self._encoding is not None and self._encoding.replace("_", "-").startswith(
            ("utf-16", "utf-32")
        )

    def _is_guessed(self) -> bool:
        return self._encoding is None

    def _decode(self, chunk: bytes) -> None:
        assert self._decoder is not None
        waiting = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            self._bad_byte = self._offset - waiting + error.start
        else:
            if self._is_wide() and self._nul is None and "\0" in text:
                before = text[: text.index("\0")].encode(self._encoding or "")
                self._nul = self._offset - waiting + len(before)

    def _count(self, chunk: bytes) -> None:
        # A sequence or word that is cut by the end of a chunk is counted wrong; a few of them do not matter.
        high = chunk.translate(None, _ASCII)
        if self._bad_byte is None:
            self._sequences += len(high) - len(high.translate(None, _LEADS))
        elif self._hebrew + self._accented < _ENOUGH_WORDS:
            sequences = _UTF8_SEQUENCE.findall(chunk)
            self._sequences += len(sequences)
            self._strays += len(high) - sum(map(len, sequences))
            self._hebrew += len(_HEBREW_WORD.findall(chunk))
            self._accented += len(_ACCENTED.findall(chunk))
        for name, undefined in _UNDEFINED.items():
            if len(high.translate(None, undefined)) < len(high):
                self._undefined.add(name)


def _wide_without_mark(chunk: bytes) -> str | None:
    """Return which UTF-16 a file's first bytes are, if any.

    Digits and separators have one byte that is zero; Latin, Hebrew, Arabic and Cyrillic letters have one below eight
    in the same place, where text of single bytes with a few zeros in it has letters.
    """
    units = len(chunk) // 2
    if not units:
        return None
    even, odd = chunk[0 : units * 2 : 2], chunk[1 : units * 2 : 2]
    for upper, lower, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        small = units - len(upper.translate(None, _SMALL))
        if (
            upper.count(0) >= units * _FEWEST_ZEROS
            and small >= units * _FEWEST_SMALL
            and lower.count(0) <= units * _MOST_ZEROS_ELSEWHERE
        ):
            return name
    return None
