"""The name under which a client may save a content."""

from __future__ import annotations

import unicodedata
from pathlib import PureWindowsPath

from pathvalidate import sanitize_filename

from app.ems.media.inspection import EXTENSIONS, MediaType

_MAX_STEM_BYTES = 200
_KNOWN = frozenset(EXTENSIONS.values()) | {".jpeg", ".heif"}


def saved_as(called: str | None, otherwise: str, stored: MediaType) -> str:
    """The person's file name, safe for any file system: no folders, no invisible characters, the stored extension.

    `called` is the name that the person gave. `otherwise` is used if nothing of it can be kept.
    """
    visible = "".join(letter for letter in called or "" if not unicodedata.category(letter).startswith("C"))
    name = PureWindowsPath(visible).name
    suffix = PureWindowsPath(name).suffix
    stem = name.removesuffix(suffix) if suffix.lower() in _KNOWN else name
    short = stem.encode()[:_MAX_STEM_BYTES].decode(errors="ignore")
    safe = sanitize_filename(short, platform="universal").strip(" .")
    return f"{safe or otherwise}{EXTENSIONS[stored]}"
