"""Typesetting documents: PDF/UA, the same bytes for the same content (ADR 0040)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import typst
from anyascii import anyascii

from app.core.pools import REPORTS

_APP = Path(__file__).resolve().parent.parent
"""What templates may import of each other."""
_UNPRINTABLE = re.compile("[^\u0000-\u03ff\u0400-\u052f\u0590-\u06ff\u1e00-\u1fff\u2000-\u206f\u20a0-\u22ff]")
"""Characters that typst's fonts cannot print: emoji, and scripts beyond Latin, Greek, Cyrillic, Hebrew and Arabic."""
_BEYOND_ASCII = re.compile("[^\u0000-\u007f]")
Json = dict[str, Any]


async def typeset(template: Path, forms: Iterable[Json], changed: dt.datetime) -> bytes:
    """A document as PDF, of the first form of its content that can be printed. `changed` is the document's date.

    It depends only on the content, uses neither the clock nor fonts of the host, and raises ServiceUnavailable while
    too many wait.
    """
    return await REPORTS.run(_typeset, template, forms, changed)


def spelled_forms(content: Json) -> Iterator[Json]:
    """The content with letters that cannot be printed spelled in Latin ones, then with all beyond ASCII spelled."""
    for unprintable in (_UNPRINTABLE, _BEYOND_ASCII):
        yield _spelled(content, unprintable)


def _typeset(template: Path, forms: Iterable[Json], changed: dt.datetime) -> bytes:
    refused: typst.TypstError | None = None
    for form in forms:
        try:
            return _compile(template, form, changed)
        except typst.TypstError as error:
            # Most likely a character has no glyph. PDF/UA refuses it. Without PDF/UA it would vanish without a warning.
            refused = error
    raise ValueError("no form of the content can be printed") from refused


def _compile(template: Path, content: Json, changed: dt.datetime) -> bytes:
    return typst.compile(
        template,
        root=_APP,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": orjson.dumps(content).decode()},
        pdf_standards="ua-1",
        timestamp=changed.replace(microsecond=0),
    )


def _spelled(value: Any, unprintable: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return unprintable.sub(lambda found: anyascii(found[0]), value)
    if isinstance(value, list):
        return [_spelled(item, unprintable) for item in value]
    if isinstance(value, dict):
        return {name: _spelled(item, unprintable) for name, item in value.items()}
    return value
