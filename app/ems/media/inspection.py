"""What was uploaded is recognised by its bytes and walked to its end: a name, a header or a declaration proves nothing.

HEIC, M4A and MP4 are not taken: where they keep a place is the business of their codecs, so it could not be removed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from app.ems.media.audio import check_mp3, check_wav, is_mp3
from app.ems.media.documents import XML_BEGINNINGS, check_pdf, check_svg, check_xml, root_of
from app.ems.media.malformed import Malformed
from app.ems.media.photos import clean_jpeg, clean_png


class MediaType(StrEnum):
    """12-lead exports come as PDF or XML, dictation as WAV or MP3, signatures as PNG or SVG."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    SVG = "image/svg+xml"
    PDF = "application/pdf"
    XML = "application/xml"
    WAV = "audio/wav"
    MP3 = "audio/mpeg"


class Refusal(StrEnum):
    """Why an upload was thrown away."""

    WRONG_SIZE = "wrong_size"
    WRONG_HASH = "wrong_hash"
    WRONG_TYPE = "wrong_type"
    MALFORMED = "malformed"


class RefusedContent(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


EXTENSIONS = {
    MediaType.JPEG: ".jpg",
    MediaType.PNG: ".png",
    MediaType.SVG: ".svg",
    MediaType.PDF: ".pdf",
    MediaType.XML: ".xml",
    MediaType.WAV: ".wav",
    MediaType.MP3: ".mp3",
}
_CLEAN: dict[MediaType, Callable[[bytes], bytes]] = {
    MediaType.JPEG: clean_jpeg,
    MediaType.PNG: clean_png,
    MediaType.SVG: check_svg,
    MediaType.PDF: check_pdf,
    MediaType.XML: check_xml,
    MediaType.WAV: check_wav,
    MediaType.MP3: check_mp3,
}


def recognise(content: bytes) -> MediaType | None:
    """The type by its first bytes, for XML by its root; None for everything that is not taken."""
    if content.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if content.startswith(b"%PDF-"):
        return MediaType.PDF
    if content.startswith(b"RIFF") and content[8:12] == b"WAVE":
        return MediaType.WAV
    if is_mp3(content):
        return MediaType.MP3
    if content.lstrip(b" \t\r\n").startswith(XML_BEGINNINGS):
        return {"svg": MediaType.SVG, "html": None}.get(root_of(content), MediaType.XML)
    return None


def inspect(declared: MediaType, content: bytes) -> bytes:
    """What may be stored of `content`: all of it, or a photo without its metadata. Raises RefusedContent."""
    try:
        if recognise(content) is not declared:
            raise RefusedContent(Refusal.WRONG_TYPE)
        return _CLEAN[declared](content)
    except Malformed as error:
        raise RefusedContent(Refusal.MALFORMED) from error
