"""Dictation and other sound: RIFF WAVE and MPEG audio. MPEG audio has no magic number, only a row of frames."""

from __future__ import annotations

import re

from app.ems.media.malformed import Malformed

_HEADER = 4
_NO_ZERO = re.compile(rb"[^\0]")
_TAGS_BEHIND = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")
_MAX_TAGS_BEHIND = 1024 * 1024
_WAV_FORMATS = frozenset({0x0001, 0x0002, 0x0003, 0x0006, 0x0007, 0x0011, 0x0031, 0xFFFE})
"""PCM, Microsoft ADPCM, IEEE float, A-law, µ-law, IMA ADPCM, GSM 6.10, extensible (RFC 2361)."""
_MAX_FORMAT_EXTRA = 64
_KBITS = {
    # (MPEG 1?, layer): bit rates in kbit/s by index (ISO/IEC 11172-3, 13818-3)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = (44_100, 48_000, 32_000)


def clean_wav(content: bytes) -> bytes:
    """The format and the sound of a RIFF WAVE, in a new file without other chunks. Raises Malformed.

    Bytes behind the declared length are dropped, too.
    """
    end = int.from_bytes(content[4:8], "little") + 8
    if end > len(content):
        raise Malformed("truncated")
    position = 12
    chunks: dict[bytes, bytes] = {}
    while position < end:
        name, length = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "little")
        position += 8 + length
        if position > end:
            raise Malformed("truncated")
        if name in (b"fmt ", b"fact", b"data"):
            if name in chunks or (name == b"data" and b"fmt " not in chunks):
                raise Malformed("chunks out of order")
            chunks[name] = content[position - length : position]
        position += length % 2  # some writers leave out the last chunk's padding
    form = _checked_format(chunks.get(b"fmt ", b""))
    sound = chunks.get(b"data", b"")
    block = int.from_bytes(form[12:14], "little")
    sound = sound[: len(sound) - len(sound) % block]
    if not sound:
        raise Malformed("no sound")
    fact = _chunk(b"fact", chunks[b"fact"][:4]) if len(chunks.get(b"fact", b"")) >= 4 else b""
    body = b"WAVE" + _chunk(b"fmt ", form) + fact + _chunk(b"data", sound)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _checked_format(form: bytes) -> bytes:
    """The format chunk, if every byte of it is understood (WAVEFORMATEX). Raises Malformed."""
    tag, channels, rate = (int.from_bytes(form[at:end], "little") for at, end in ((0, 2), (2, 4), (4, 8)))
    extra = int.from_bytes(form[16:18], "little")
    whole = len(form) == 16 or (len(form) == 18 + extra and extra <= _MAX_FORMAT_EXTRA)
    if (
        not whole
        or tag not in _WAV_FORMATS
        or not 1 <= channels <= 8
        or not 1 <= rate <= 384_000
        or form[12:14] == b"\0\0"
    ):
        raise Malformed("a format that no player knows")
    return form


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def is_mp3(content: bytes) -> bool:
    return content.startswith(b"ID3") or _frame_length(content[:_HEADER]) is not None


def clean_mp3(content: bytes) -> bytes:
    """The frames of MPEG audio, one behind the other, without any tag. Raises Malformed.

    The input may have ID3v2 tags before and between frames, and zeros everywhere. Behind the last frame it may have a
    part of a frame (the recorder was switched off) and tags of ID3v1, APE and Lyrics3. All else is refused.
    """
    position, kept = 0, bytearray()
    while position < len(content):
        length = _frame_length(content[position : position + _HEADER])
        if length is not None and position + length <= len(content):
            kept += content[position : position + length]
            position += length
        elif length is not None and kept:
            break
        elif content.startswith(b"ID3", position):
            position = _after_tag(content, position)
        elif content[position] == 0:
            position = _after_zeros(content, position)
        elif kept and content.startswith(_TAGS_BEHIND, position) and len(content) - position <= _MAX_TAGS_BEHIND:
            break
        else:
            raise Malformed("no frame")
    if not kept:
        raise Malformed("no sound")
    return bytes(kept)


def _after_tag(content: bytes, position: int) -> int:
    """The position behind an ID3v2 tag. The tag's length stands in four bytes of seven bits. Raises Malformed."""
    size = content[position + 6 : position + 10]
    if len(size) < 4 or any(byte & 0x80 for byte in size):
        raise Malformed("a damaged tag")
    return position + 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])


def _after_zeros(content: bytes, position: int) -> int:
    found = _NO_ZERO.search(content, position)
    return len(content) if found is None else found.start()


def _frame_length(header: bytes) -> int | None:
    """The size in bytes of the frame that `header` begins. None if it begins no frame."""
    if len(header) < _HEADER or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate, frequency, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or not 0 < rate < 15 or frequency == 3:
        return None
    bits = _KBITS[version == 3, layer][rate] * 1000
    hertz = _HERTZ[frequency] >> {3: 0, 2: 1, 0: 2}[version]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding
