"""An upload is recognised by its bytes and walked to its end: a name, a header or a declaration proves nothing.

What a walk returns is made anew from what the walk understood. Metadata, and whatever lies before, between or behind
the parts of a content, is not in it. M4A and MP4 are not taken: only their codecs know where they keep a place.

The walks run the decoders, so the server never calls this module itself: `judging` starts a process for it.
"""

from __future__ import annotations

from collections.abc import Callable

from app.ems.media.audio import clean_mp3, clean_wav, is_mp3
from app.ems.media.documents import XML_BEGINNINGS, check_svg, check_xml, root_of
from app.ems.media.inspection import MediaType, Refusal, RefusedContent
from app.ems.media.malformed import Excessive, Malformed
from app.ems.media.pdf import is_pdf, rewrite_pdf
from app.ems.media.photos import is_heic, rewrite_heic, rewrite_jpeg, rewrite_png

_CLEAN: dict[MediaType, Callable[[bytes], bytes]] = {
    MediaType.JPEG: rewrite_jpeg,
    MediaType.PNG: rewrite_png,
    MediaType.HEIC: rewrite_heic,
    MediaType.SVG: check_svg,
    MediaType.PDF: rewrite_pdf,
    MediaType.XML: check_xml,
    MediaType.WAV: clean_wav,
    MediaType.MP3: clean_mp3,
}


def recognise(content: bytes) -> MediaType | None:
    """The type by its first bytes, for XML by its root; None for everything that is not taken. Raises Malformed.

    A PDF comes last: viewers look for its header in the first kilobyte, where another type may begin first.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if is_heic(content):
        return MediaType.HEIC
    if content.startswith(b"RIFF") and content[8:12] == b"WAVE":
        return MediaType.WAV
    if is_mp3(content):
        return MediaType.MP3
    if content[:64].lstrip(b" \t\r\n").startswith(XML_BEGINNINGS):
        return {"svg": MediaType.SVG, "html": None}.get(root_of(content), MediaType.XML)
    return MediaType.PDF if is_pdf(content) else None


def walk(declared: MediaType, content: bytes) -> bytes:
    """What may be stored of `content`, of the type `stored_as(declared)`. Raises RefusedContent."""
    try:
        if recognise(content) is not declared:
            raise RefusedContent(Refusal.WRONG_TYPE)
        return _CLEAN[declared](content)
    except Malformed as error:
        raise RefusedContent(Refusal.MALFORMED) from error
    except (Excessive, MemoryError) as error:
        raise RefusedContent(Refusal.TOO_LARGE) from error
