"""Where the official NEMSIS files are on this machine; without them the tests that need them skip and say so."""

import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from app.ems.elements import BUILDS

PROJECT_ROOT = Path(__file__).resolve().parents[3]
SHARED_DIR = Path(os.environ.get("SHARED_DIR") or PROJECT_ROOT.parent / "shared")
NEMSIS = SHARED_DIR / "nemsis"
SCHEMA_DIR = NEMSIS / "xsd"
SAMPLES = NEMSIS / "samples"

needs_official_files = pytest.mark.skipif(
    not SCHEMA_DIR.is_dir(), reason=f"the official NEMSIS files are not at {NEMSIS} (set SHARED_DIR)"
)


def ems_documents(*folders: str) -> list[Path]:
    """The EMSDataSet documents below the sample folders (all of them by default), by name."""
    roots = [SAMPLES / folder for folder in folders] if folders else [SAMPLES]
    found = {path for root in roots for path in ([root] if root.is_file() else root.rglob("*.xml"))}
    return sorted(path for path in found if _is_ems(path))


def _is_ems(path: Path) -> bool:
    with path.open("rb") as stream:
        for _, element in etree.iterparse(stream, events=("start",)):
            return bool(etree.QName(element).localname == "EMSDataSet")
    return False


def parse(path: Path) -> etree._Element:
    return etree.parse(str(path)).getroot()


@cache
def official_schema(build: str) -> etree.XMLSchema:
    assert build in BUILDS
    return etree.XMLSchema(etree.parse(str(SCHEMA_DIR / build / "EMSDataSet_v3.xsd")))
