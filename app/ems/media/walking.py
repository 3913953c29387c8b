"""An upload is recognised by its bytes and read to its end, because a name, a header or a declaration proves nothing.

A walk returns a new content, made of the parts that it understood. Metadata, and bytes before, between or behind the
parts, are not in it. M4A and MP4 are refused: only their codecs know where they hold a location.

The walks run the decoders, so the server never calls this module itself: `judging` starts a process for it.
"""

from __future__ import annotations

from app.ems.media.audio import clean_mp3, clean_wav, is_mp3
from app.ems.media.beginnings import is_heic, is_pdf
from app.ems.media.documents import XML_BEGINNINGS, check_svg, check_xml, root_of
from app.ems.media.inspection import MediaType, Refusal, RefusedContent
from app.ems.media.malformed import Excessive, Malformed


def recognise(content: bytes) -> MediaType | None:
    """The type by the first bytes, or for XML by the root. None for a type that is not accepted. Raises Malformed.

    PDF is checked last: its header may stand anywhere in the first kilobyte, behind the beginning of another type.
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
    """The cleaned content, in the type `stored_as(declared)`. Raises RefusedContent."""
    try:
        if recognise(content) is not declared:
            raise RefusedContent(Refusal.WRONG_TYPE)
        return _cleaned(declared, content)
    except Malformed as error:
        raise RefusedContent(Refusal.MALFORMED) from error
    except (Excessive, MemoryError) as error:
        raise RefusedContent(Refusal.TOO_LARGE) from error


def _cleaned(declared: MediaType, content: bytes) -> bytes:
    """The result of this type's walk. Large decoders are loaded only when a content needs them."""
    match declared:
        case MediaType.SVG:
            return check_svg(content)
        case MediaType.XML:
            return check_xml(content)
        case MediaType.WAV:
            return clean_wav(content)
        case MediaType.MP3:
            return clean_mp3(content)
        case MediaType.PDF:
            from app.ems.media.pdf import rewrite_pdf

            return rewrite_pdf(content)
        case MediaType.JPEG | MediaType.PNG | MediaType.HEIC:
            from app.ems.media.photos import rewrite_photo

            return rewrite_photo(declared, content)
