"""Typesetting a report: PDF/UA, the same bytes for the same content, in threads of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, cast

import orjson
import typst
from anyascii import anyascii

_TEMPLATE = Path(__file__).with_name("report.typ")
_TYPESETTERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="report")
"""More threads would gain nothing, and each report takes tens of megabytes."""
_UNPRINTABLE = re.compile("[^\u0000-\u03ff\u0400-\u052f\u0590-\u06ff\u1e00-\u1fff\u2000-\u206f\u20a0-\u22ff]")
"""What the fonts that come with typst cannot print: scripts beyond Latin, Greek, Cyrillic, Hebrew, Arabic; emoji."""
SPELLED = (
    "Letters of other scripts were spelled in Latin ones, because this document cannot print them. The chart itself"
    " holds them as they were written."
)


async def typeset(content: dict[str, Any]) -> bytes:
    """The report as PDF. A report is a function of its content: nothing else goes in, no clock, no font of the host."""
    return await asyncio.get_running_loop().run_in_executor(_TYPESETTERS, _typeset, content)


def _typeset(content: dict[str, Any]) -> bytes:
    try:
        return _compile(content)
    except typst.TypstError:
        # A character without a glyph: PDF/UA refuses it, and without PDF/UA it would vanish unwarned.
        spelled = _spelled(content)
        return _compile({**spelled, "withheld": [*spelled["withheld"], SPELLED]})


def _compile(content: dict[str, Any]) -> bytes:
    changed = dt.datetime.fromisoformat(content["last_change"]).replace(microsecond=0)
    document = typst.compile(
        _template(),
        root=_TEMPLATE.parent,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": orjson.dumps(content).decode()},
        pdf_standards=["ua-1"],
        timestamp=changed,
    )
    return cast("bytes", document)


@cache
def _template() -> bytes:
    return _TEMPLATE.read_bytes()


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return _UNPRINTABLE.sub(lambda found: anyascii(found[0]), value)
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if isinstance(value, dict):
        return {name: _spelled(item) for name, item in value.items()}
    return value
