"""Typesetting a report, and what it says where it cannot be printed as it is charted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.core.typesetting import spelled_forms
from app.core.typesetting import typeset as typeset_document

_TEMPLATE = Path(__file__).with_name("report.typ")
SPELLED = (
    "Letters of other scripts were spelled in Latin ones, because this document cannot print them. The chart itself"
    " holds them as they were written."
)
LEFT_OUT = "Images of signatures: one of them cannot be printed. They are handed over separately."


async def typeset(content: dict[str, Any]) -> bytes:
    """The report as PDF. Raises ServiceUnavailable while too many wait."""
    changed = dt.datetime.fromisoformat(content["last_change"])
    return await typeset_document(_TEMPLATE, printable_forms(content), changed)


def printable_forms(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The report as charted, then with letters spelled, last without images. Each says what it changed.

    Typst may refuse an image that the upload's check accepted.
    """
    yield content
    form = content
    for spelled in spelled_forms(content):
        form = {**spelled, "withheld": [*spelled["withheld"], SPELLED]}
        yield form
    signatures = [{**one, "image": []} for one in form["signatures"]]
    yield {**form, "signatures": signatures, "withheld": [*form["withheld"], LEFT_OUT]}
