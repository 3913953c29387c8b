"""Small contents of every type that charts take."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

from PIL import Image

from app.ems.media.inspection import MediaType, stored_as
from app.ems.media.walking import walk

GPS = b"GPSLatitude 39.7817 N 89.6501 W"


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


def photo(width: int = 32, height: int = 24) -> Image.Image:
    """Red with a blue quarter at the upper left, so that it shows which way is up."""
    image = Image.new("RGB", (width, height), (200, 40, 40))
    image.paste((20, 20, 220), (0, 0, width // 2, height // 2))
    return image


def written(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


_JPEG = written(photo(), "JPEG", quality=90)
_AFTER_JFIF = 20


def jpeg(*app: bytes, behind: bytes = b"", image: bytes = _JPEG) -> bytes:
    """A photo with further segments, and with something behind its end."""
    return image[:_AFTER_JFIF] + b"".join(app) + image[_AFTER_JFIF:] + behind


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(*extra: bytes, behind: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + pixels + chunk(b"IEND", b"") + behind


def vast_png(width: int, height: int) -> bytes:
    """A few bytes that declare a picture of this size."""
    head = png()[8:33]
    return png().replace(head, chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))


def wav(sound: bytes = b"\0\x01" * 20) -> bytes:
    content = b"WAVE" + b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    content += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(content)) + content


def pdf(*objects: bytes, catalog: bytes = b"", page: bytes = b"") -> bytes:
    """One page with a stroke on it. `objects` are numbered from 5; `catalog` and `page` are entries of theirs."""
    stroke = b"0 0 m 100 100 l S"
    numbered = [
        b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<<>>" + page + b">>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stroke), stroke),
        *objects,
    ]
    content, places = b"%PDF-1.7\n", []
    for number, written_object in enumerate(numbered, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, written_object)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(numbered) + 1
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\n" % (size, table, size)
    return content + b"startxref\n%d\n%%%%EOF\n" % start


MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)
ID3 = b"ID3\x04\0\0" + bytes((0, 0, 0, 12)) + b"TIT2 nothing"
PDF = pdf()
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAb5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAAAA"
    "AERAAAIAAQAAAAAB4gABAAAAAAAAADMAAgAAAAACFQABAAAAAAAAAE8AAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZl"
    "AgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH/"
    "/wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29s"
    "cm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAA"
    "AwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAim1kYXQAAAAvKAGvGYD3hEl/8SOI2dNwDNXi"
    "vsKXk+9Px7lrK4yM7Yhzn4/uZgPDjLsgfY1BgbgAAAAGRXhpZgAATU0AKgAAAAgAAgEPAAIAAAAEWEFOAAESAAMAAAABAAEAAAAAAABHUFNMYXRp"
    "dHVkZSAzOS43ODE3IE4gODkuNjUwMSBX"
)
"""The same picture, 64 by 48, as a HEVC frame with an Exif block that holds GPS. No kept library writes HEIC."""
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3"><id root="1.2"/></AnnotatedECG>'
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40" width="100" height="40">'
    b'<path d="M1,2 C3.5 4,5 6 7-8" stroke-width="2" stroke="#000" fill="none"/></svg>'
)
SAMPLES: dict[str, bytes] = {
    "image/jpeg": jpeg(),
    "image/png": png(),
    "image/heic": HEIC,
    "image/svg+xml": SVG,
    "application/pdf": PDF,
    "application/xml": XML,
    "audio/wav": wav(),
    "audio/mpeg": MP3_FRAME * 4,
}


def kept(file_type: str) -> tuple[bytes, str]:
    """What is stored of a sample, and its type."""
    return walk(MediaType(file_type), SAMPLES[file_type]), stored_as(MediaType(file_type)).value
