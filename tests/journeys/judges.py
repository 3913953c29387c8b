"""The official schema as an independent judge of exported documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree


def xsd_errors(document: bytes, shared: Path, build: str = "3.5.1.251001CP2") -> list[str]:
    """libxml2's own errors against the official XSD of `build`, not by way of the project's code."""
    schema = etree.XMLSchema(etree.parse(str(shared / "nemsis" / "xsd" / build / "EMSDataSet_v3.xsd")))
    schema.validate(etree.fromstring(document).getroottree())
    log: Any = schema.error_log
    return [str(error) for error in log]
