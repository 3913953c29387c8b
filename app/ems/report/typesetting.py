"""Typesetting a report: PDF/UA, the same bytes for the same content."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import orjson
import typst
from anyascii import anyascii

from app.core.pools import REPORTS

_TEMPLATE = Path(__file__).with_name("report.typ")
_UNPRINTABLE = re.compile("[^\u0000-\u03ff\u0400-\u052f\u0590-\u06ff\u1e00-\u1fff\u2000-\u206f\u20a0-\u22ff]")
"""Characters that typst's fonts cannot print: emoji, and scripts beyond Latin, Greek, Cyrillic, Hebrew and Arabic."""
_BEYOND_ASCII = re.compile("[^\u0000-\u007f]")
SPELLED = (
    "Letters of other scripts were spelled in Latin ones, because this document cannot print them. The chart itself"
    " holds them as they were written."
)
LEFT_OUT = "Images of signatures: one of them cannot be printed. They are handed over separately."


async def typeset(content: dict[str, Any]) -> bytes:
    """The report as PDF. Raises ServiceUnavailable while too many wait.

    A report depends only on its content. It uses neither the clock nor fonts of the host.
    """
    return await REPORTS.run(_typeset, content)


def _typeset(content: dict[str, Any]) -> bytes:
    for attempt in (content, _said_spelled(content, _UNPRINTABLE), _said_spelled(content, _BEYOND_ASCII)):
        try:
            return _compile(attempt)
        except typst.TypstError:
            # Most likely a character has no glyph. PDF/UA refuses it. Without PDF/UA it would vanish without a warning.
            continue
    return _compile(_without_images(attempt))


def _compile(content: dict[str, Any]) -> bytes:
    changed = dt.datetime.fromisoformat(content["last_change"]).replace(microsecond=0)
    return typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": orjson.dumps(content).decode()},
        pdf_standards="ua-1",
        timestamp=changed,
    )


def _said_spelled(content: dict[str, Any], unprintable: re.Pattern[str]) -> dict[str, Any]:
    spelled: dict[str, Any] = _spelled(content, unprintable)
    return {**spelled, "withheld": [*spelled["withheld"], SPELLED]}


def _spelled(value: Any, unprintable: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return unprintable.sub(lambda found: anyascii(found[0]), value)
    if isinstance(value, list):
        return [_spelled(item, unprintable) for item in value]
    if isinstance(value, dict):
        return {name: _spelled(item, unprintable) for name, item in value.items()}
    return value


def _without_images(content: dict[str, Any]) -> dict[str, Any]:
    """The content without images, if typst refuses one that the upload's check accepted. The report says so."""
    signatures = [{**one, "image": []} for one in content["signatures"]]
    return {**content, "signatures": signatures, "withheld": [*content["withheld"], LEFT_OUT]}
