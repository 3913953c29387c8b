"""Documents: PDF, XML (12-lead exports), and SVG as far as a signature is drawn with it."""

from __future__ import annotations

import re

from lxml import etree

from app.ems.media.malformed import Malformed

XML_BEGINNINGS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<")
_PDF_HEADER = re.compile(rb"%PDF-[12]\.[0-9][\r\n]")
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


def check_pdf(content: bytes) -> bytes:
    """From its header to its end: nothing before, nothing behind. Raises Malformed."""
    if _PDF_HEADER.match(content) is None or not content.rstrip(b"\0\t\r\n ").endswith(b"%%EOF"):
        raise Malformed("no whole PDF")
    return content


def check_xml(content: bytes) -> bytes:
    """Well-formed and without a document type, hence without entities. Raises Malformed."""
    _parsed(content)
    return content


def root_of(content: bytes) -> str:
    """Local name of the root, in lower case. Raises Malformed."""
    return etree.QName(_parsed(content)).localname.lower()


def check_svg(content: bytes) -> bytes:
    """Lines and shapes only: no script, style, text, picture or reference. Raises Malformed."""
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
