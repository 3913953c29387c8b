"""Documents in XML: 12-lead exports, and the part of SVG that draws signatures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from app.ems.media.malformed import Excessive, Malformed

MAX_NODES = 1_000_000
"""The limit of elements and attributes in one document. A 12-lead export has some thousands."""
MAX_DEPTH = 256
MAX_SVG_BYTES = 1_000_000
_PROLOG = 65_536
_STEP = 65_536

XML_BEGINNINGS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<")
_SVG = "{http://www.w3.org/2000/svg}"
_DRAWN = frozenset(
    _SVG + name for name in ("svg", "g", "path", "line", "polyline", "polygon", "circle", "ellipse", "rect")
)
_DRAWN_WITH = frozenset(
    {
        "version", "viewBox", "width", "height", "x", "y", "d", "points", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx",
        "ry", "transform", "fill", "fill-opacity", "fill-rule", "opacity", "stroke", "stroke-width", "stroke-opacity",
        "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "preserveAspectRatio",
    }
)  # fmt: skip
_VALUE = re.compile(r"(?!.*url)[A-Za-z0-9\s.,#%()+-]*", re.IGNORECASE | re.DOTALL)


class _Walk:
    """The target of a streaming parse. It counts elements and attributes, and keeps only the root's name."""

    def __init__(self) -> None:
        self.root: str | None = None
        self._nodes = 0
        self._depth = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self.root is None:
            self.root = etree.QName(tag).localname.lower()
        self._count(1 + len(attributes))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Excessive("depth")

    def end(self, tag: str) -> None:
        self._depth -= 1

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Raises Malformed, because a document type can define entities, which expand."""
        raise Malformed("a document type")

    def close(self) -> None:
        """The parser asks for a result here. There is none."""

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise Excessive("nodes")


def check_xml(content: bytes) -> bytes:
    """The document if it is well-formed and without a document type, hence without entities.

    It is parsed once, as a stream of events, and never becomes a tree. Raises Malformed, Excessive.
    """
    seen = _Walk()
    parser = _streaming(seen)
    try:
        for at in range(0, len(content), _STEP):
            parser.feed(content[at : at + _STEP])
        parser.close()
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed("not well-formed") from error
    return content


def root_of(content: bytes) -> str:
    """Local name of the root, in lower case, from the first 64 KiB. Raises Malformed."""
    seen = _Walk()
    parser = _streaming(seen)
    try:
        for at in range(0, min(len(content), _PROLOG), 1024):
            parser.feed(content[at : at + 1024])
            if seen.root is not None:
                return seen.root
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed("not well-formed") from error
    raise Malformed("no root")


def _streaming(target: Any) -> etree.XMLParser:
    """A parser that builds no tree. It reports to `target` only the events that `target` has a method for."""
    return etree.XMLParser(target=target, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def check_svg(content: bytes) -> bytes:
    """The drawing, if it has only lines and shapes: no script, style, text, picture or reference.

    Raises Malformed, Excessive.
    """
    if len(content) > MAX_SVG_BYTES:
        raise Excessive("drawing")
    root = _parsed(content)
    if root.getprevious() is not None or root.getnext() is not None:
        raise Malformed("something beside the drawing")
    for element in root.iter():
        if element.tag not in _DRAWN:  # comments and processing instructions have functions for tags
            raise Malformed("more than strokes")
        if (element.text or "").strip() or (element.tail or "").strip():
            raise Malformed("text among the strokes")
        for name, value in element.attrib.items():
            if name not in _DRAWN_WITH or _VALUE.fullmatch(str(value)) is None:
                raise Malformed("more than strokes")
    return content


def _parsed(content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed("not well-formed") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Malformed("a document type")
    return root
