"""The vocabulary of uploads: the accepted types, the types in which they are stored, and the reasons of refusal."""

from __future__ import annotations

from enum import StrEnum


class MediaType(StrEnum):
    """12-lead exports come as PDF or XML, dictation as WAV or MP3, signatures as PNG or SVG, phones' photos as HEIC."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    HEIC = "image/heic"
    SVG = "image/svg+xml"
    PDF = "application/pdf"
    XML = "application/xml"
    WAV = "audio/wav"
    MP3 = "audio/mpeg"


class Refusal(StrEnum):
    """Why an upload was thrown away. `too_large`: it expands to more pixels, nodes, memory or time than is allowed."""

    WRONG_SIZE = "wrong_size"
    WRONG_HASH = "wrong_hash"
    WRONG_TYPE = "wrong_type"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"


class RefusedContent(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


EXTENSIONS = {
    MediaType.JPEG: ".jpg",
    MediaType.PNG: ".png",
    MediaType.HEIC: ".heic",
    MediaType.SVG: ".svg",
    MediaType.PDF: ".pdf",
    MediaType.XML: ".xml",
    MediaType.WAV: ".wav",
    MediaType.MP3: ".mp3",
}


def stored_as(declared: MediaType) -> MediaType:
    """The type in which a content is stored. HEIC becomes JPEG, because few viewers open it. Other types stay."""
    return MediaType.JPEG if declared is MediaType.HEIC else declared
