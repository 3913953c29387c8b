"""Photos without what the camera wrote beside the picture: places, times, serial numbers, names.

The picture itself is not decoded: a photo of an injury stays, bit for bit, what the camera saw. What is kept is listed,
not what is removed, so that a new kind of metadata goes too. Whatever follows the end of the picture is dropped: phones
append videos and second pictures there (with places of their own), and others a second file.
"""

from __future__ import annotations

import re
import struct
import zlib

from app.ems.media.malformed import Malformed

_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC, 0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF}
"""Baseline, extended and progressive, Huffman or arithmetic (ITU-T T.81, table B.1): what viewers show."""
_PICTURE = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD}
"""Frames, and DHT, DAC, DQT, DNL, DRI, which they are decoded with."""
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
_ORIENTATION = 0x0112


def clean_jpeg(content: bytes) -> bytes:
    """Of its APP segments only JFIF, ICC profile, Adobe's colour transform and the orientation. Raises Malformed."""
    kept = [b"\xff\xd8"]
    position, frames, scans = 2, 0, 0
    while True:
        marker, position = _marker_at(content, position)
        if marker == _EOI:
            break
        segment, end = _segment_at(content, position)
        if marker == _SOS:
            if not frames:
                raise Malformed("a scan before its frame")
            found = _NEXT_MARKER.search(content, end)
            if found is None:
                raise Malformed("a scan without end")
            end, scans = found.start(), scans + 1
            kept.append(b"\xff\xda" + content[position:end])
        elif marker in _PICTURE:
            frames += marker in _FRAMES
            kept.append(bytes((0xFF, marker)) + content[position:end])
        elif not (_APP0 <= marker <= 0xEF or marker == 0xFE):
            raise Malformed("a marker that no photo has")
        elif (needed := _needed(marker, segment)) is not None:
            kept.append(bytes((0xFF, marker)) + struct.pack(">H", len(needed) + 2) + needed)
        position = end
    if not scans:
        raise Malformed("no picture")
    return b"".join([*kept, b"\xff\xd9"])


def _marker_at(content: bytes, position: int) -> tuple[int, int]:
    """The marker at `position`, past its fill bytes, and where its segment begins."""
    if content[position : position + 1] != b"\xff":
        raise Malformed("no marker")
    while content[position : position + 1] == b"\xff":
        position += 1
    if position >= len(content):
        raise Malformed("truncated")
    return content[position], position + 1


def _segment_at(content: bytes, position: int) -> tuple[bytes, int]:
    """What the segment holds, without its length, and where it ends."""
    length = int.from_bytes(content[position : position + 2])
    end = position + length
    if length < 2 or end > len(content):
        raise Malformed("truncated")
    return content[position + 2 : end], end


def _needed(marker: int, segment: bytes) -> bytes | None:
    """What of an APP segment a viewer needs to show the same picture."""
    if marker == _APP0 and segment.startswith(b"JFIF\0"):
        return segment[:12] + b"\0\0"  # without the thumbnail, which shows what was in the picture before it was cut
    if marker == _APP2 and segment.startswith(b"ICC_PROFILE\0"):
        return segment
    if marker == _APP14 and segment.startswith(b"Adobe"):
        return segment
    if marker == _APP1 and segment.startswith(b"Exif\0\0"):
        return _upright(segment[6:])
    return None


def _upright(tiff: bytes) -> bytes | None:
    """An Exif block with nothing but the orientation, if the camera was not held upright."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return None
    (directory,) = struct.unpack(order + "I", tiff[4:8])
    count = struct.unpack_from(order + "H", tiff, directory)[0] if directory + 2 <= len(tiff) else 0
    for at in range(directory + 2, min(directory + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, values, value = struct.unpack_from(order + "HHIH", tiff, at)
        if (tag, kind, values) == (_ORIENTATION, 3, 1) and 2 <= value <= 8:
            entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, value, 0)
            return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return None


_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"bKGD",
        b"pHYs",
    }
)  # fmt: skip


def clean_png(content: bytes) -> bytes:
    """Only the chunks that make the picture: neither eXIf nor text (where XMP is). Raises Malformed."""
    kept = [_PNG_SIGNATURE]
    position = len(_PNG_SIGNATURE)
    names: list[bytes] = []
    while not names or names[-1] != b"IEND":
        length = int.from_bytes(content[position : position + 4])
        end = position + 12 + length
        if end > len(content):
            raise Malformed("truncated")
        name = content[position + 4 : position + 8]
        if int.from_bytes(content[end - 4 : end]) != zlib.crc32(content[position + 4 : end - 4]):
            raise Malformed("damaged")
        names.append(name)
        if name in _PNG_KEPT:
            kept.append(content[position:end])
        elif not name[0] & 0x20:
            raise Malformed("an unknown critical chunk")
        position = end
    if names[0] != b"IHDR" or names.count(b"IHDR") != 1 or b"IDAT" not in names:
        raise Malformed("no picture")
    return b"".join(kept)
