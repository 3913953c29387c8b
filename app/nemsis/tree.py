"""The few XML facts that every reader and writer of an EMSDataSet shares, and the only parser for foreign documents."""

from collections.abc import Iterator
from typing import Any

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSI_NIL = f"{{{XSI}}}nil"
XML_SPACE = " \t\r\n"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class UnreadableDocumentError(ValueError):
    """The project cannot read the bytes as XML. The message never quotes the document."""


def parse_document(data: bytes) -> etree._Element:
    """The root element of a document from outside: no DOCTYPE, no entities, no network, libxml2's size limits kept.

    Raises UnreadableDocumentError.
    """
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableDocumentError(f"the document is not well-formed (line {error.lineno})") from None
    document_info: Any = root.getroottree().docinfo  # the stubs do not know its doctype
    if document_info.doctype:
        raise UnreadableDocumentError("the document has a DOCTYPE")
    return root


def texts(node: etree._Element) -> Iterator[str]:
    """The character data directly inside `node`. Comments and processing instructions are skipped."""
    if node.text:
        yield str(node.text)
    for child in node.iterchildren():
        if child.tail:
            yield str(child.tail)


def attributes(node: etree._Element) -> Iterator[tuple[str, str]]:
    for name, value in node.attrib.items():
        yield str(name), str(value)


def nil_value(text: str | None) -> bool | None:
    """The value of the xsi:nil attribute. None when it is absent or no xs:boolean."""
    return None if text is None else _BOOLEANS.get(text.strip(XML_SPACE))
