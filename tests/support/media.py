"""Small contents of every type that charts take, made here byte by byte."""

from __future__ import annotations

import struct
import zlib

GPS = b"GPSLatitude 39.7817 N 89.6501 W"
SCAN = bytes(range(1, 200)) + b"\xff\x00\xff\xd3" + b"\x10" * 40
SOF = b"\x08\x00\x08\x00\x08\x01\x01\x11\x00"


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def exif(orientation: int, order: str = "<") -> bytes:
    """An Exif block with orientation, a maker's name and a place."""
    entries = [(0x010F, 2, 4, 0x58414E00), (0x0112, 3, 1, orientation), (0x8825, 4, 1, 64)]
    packed = b"".join(
        struct.pack(order + "HHI", *entry[:3])
        + (struct.pack(order + "HH", entry[3], 0) if entry[1] == 3 else struct.pack(order + "I", entry[3]))
        for entry in entries
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    return b"Exif\0\0" + head + packed + bytes(4) + GPS


def jpeg(*app: bytes, behind: bytes = b"") -> bytes:
    """A photo with further segments, and with something behind its end."""
    head = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
    picture = segment(0xDB, bytes(65)) + segment(0xC0, SOF) + segment(0xC4, bytes(20))
    return b"\xff\xd8" + head + b"".join(app) + picture + segment(0xDA, bytes(6)) + SCAN + b"\xff\xd9" + behind


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(*extra: bytes, behind: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + pixels + chunk(b"IEND", b"") + behind


def wav(sound: bytes = b"\0\x01" * 20) -> bytes:
    content = b"WAVE" + b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    content += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(content)) + content


MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)
ID3 = b"ID3\x04\0\0" + bytes((0, 0, 0, 12)) + b"TIT2 nothing"
PDF = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3"><id root="1.2"/></AnnotatedECG>'
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40" width="100" height="40">'
    b'<path d="M1,2 C3.5 4,5 6 7-8" stroke-width="2" stroke="#000" fill="none"/></svg>'
)
SAMPLES: dict[str, bytes] = {
    "image/jpeg": jpeg(),
    "image/png": png(),
    "image/svg+xml": SVG,
    "application/pdf": PDF,
    "application/xml": XML,
    "audio/wav": wav(),
    "audio/mpeg": ID3 + MP3_FRAME * 4,
}
