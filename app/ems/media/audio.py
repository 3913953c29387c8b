"""Dictation and other sound: RIFF WAVE, and MPEG audio, which has no magic number but its frames in a row."""

from __future__ import annotations

from app.ems.media.malformed import Malformed

_HEADER = 4
_WANTED_FRAMES = 3
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


def check_wav(content: bytes) -> bytes:
    """RIFF chunks to the very end, a format before the sound. Raises Malformed."""
    if int.from_bytes(content[4:8], "little") + 8 != len(content):
        raise Malformed("not as long as it says")
    position = 12
    names: list[bytes] = []
    while position < len(content):
        length = int.from_bytes(content[position + 4 : position + 8], "little")
        names.append(content[position : position + 4])
        position += 8 + length + length % 2
    if position not in (len(content), len(content) + 1):  # some writers leave out the last chunk's padding
        raise Malformed("truncated")
    if b"fmt " not in names or b"data" not in names or names.index(b"fmt ") > names.index(b"data"):
        raise Malformed("no sound")
    return content


def is_mp3(content: bytes) -> bool:
    return content.startswith(b"ID3") or _frame_length(content[:_HEADER]) is not None


def check_mp3(content: bytes) -> bytes:
    """Three frames in a row after the tag, or as many as there are. Raises Malformed."""
    position, frames = _after_tag(content), 0
    while frames < _WANTED_FRAMES and position < len(content):
        length = _frame_length(content[position : position + _HEADER])
        if length is None:
            raise Malformed("no frame")
        position, frames = position + length, frames + 1
    if not frames or position > len(content):
        raise Malformed("no sound")
    return content


def _after_tag(content: bytes) -> int:
    """ID3v2 holds its length in four bytes of seven bits."""
    if not content.startswith(b"ID3"):
        return 0
    size = content[6:10]
    if len(size) < 4 or any(byte & 0x80 for byte in size):
        raise Malformed("a damaged tag")
    return 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])


def _frame_length(header: bytes) -> int | None:
    """Bytes of the frame that `header` begins, or None where none begins."""
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
