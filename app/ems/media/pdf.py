"""PDFs are written anew (ISO 32000-1). Pages, outlines and forms look the same. Actions and attachments go."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pikepdf
from pikepdf import settings

from app.ems.media.beginnings import has_pdf_header
from app.ems.media.malformed import Excessive, Malformed

MAX_OBJECTS = 500_000
MAX_PAGES = 5_000
_MIB = 1024 * 1024
_CATALOG_KEPT = frozenset(
    {
        "/Type", "/Version", "/Pages", "/PageLabels", "/Names", "/Dests", "/ViewerPreferences", "/PageLayout",
        "/PageMode", "/Outlines", "/AcroForm", "/OCProperties", "/Lang", "/MarkInfo", "/StructTreeRoot",
    }
)  # fmt: skip
_NAMES_KEPT = frozenset({"/Dests"})
_PAGE_KEPT = frozenset(
    {
        "/Type", "/Parent", "/Resources", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Contents",
        "/Rotate", "/Group", "/Annots", "/UserUnit", "/StructParents", "/Tabs",
    }
)  # fmt: skip
_DROPPED = (
    "/AA", "/JS", "/OpenAction", "/EmbeddedFiles", "/EF", "/AF", "/XFA", "/Metadata", "/PieceInfo", "/OPI",
    "/RichMediaContent", "/RichMediaSettings", "/Movie", "/Sound", "/3DD", "/JavaScript", "/Thumb",
)  # fmt: skip
_ACTION_KEYS = ("/A", "/PA", "/Next")
_HARMLESS_ACTIONS = frozenset({"/GoTo", "/Named", "/URI"})


def rewrite_pdf(content: bytes) -> bytes:
    """The same pages in a new file. Raises Malformed (also for an encrypted PDF), Excessive.

    Streams of pages are copied without unpacking. Bytes before the header, behind the end and in objects that no page
    needs are dropped.
    """
    settings.set_qpdf_limits(
        doc_max_warnings=1000,
        parser_max_container_size=1_000_000,
        flate_max_memory=256 * _MIB,
        run_length_max_memory=256 * _MIB,
        png_max_memory=256 * _MIB,
        tiff_max_memory=256 * _MIB,
    )
    try:
        with pikepdf.open(io.BytesIO(_headed(content))) as pdf:
            if len(pdf.objects) > MAX_OBJECTS or len(pdf.pages) > MAX_PAGES:
                raise Excessive("objects")
            if len(pdf.pages) == 0:
                raise Malformed("no pages")
            _strip(pdf)
            return _written(pdf)
    except (Malformed, Excessive, MemoryError):
        raise
    except (
        pikepdf.PdfError,
        pikepdf.PasswordError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RuntimeError,
        OSError,
    ) as error:
        raise Malformed("no whole PDF") from error


def _headed(content: bytes) -> bytes:
    """The content with a header, because qpdf does not find an object at the very beginning."""
    return content if has_pdf_header(content) else b"%PDF-1.7\n" + content


def _written(pdf: pikepdf.Pdf) -> bytes:
    file = io.BytesIO()
    pdf.save(
        file,
        preserve_pdfa=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        encryption=False,
        deterministic_id=True,
    )
    return file.getvalue()


def _strip(pdf: pikepdf.Pdf) -> None:
    """Keeps only listed keys of the catalog and the pages, and removes actions from every object."""
    for key in set(pdf.trailer.keys()) - {"/Root", "/Size", "/ID"}:
        del pdf.trailer[key]
    _keep(pdf.Root, _CATALOG_KEPT)
    names = pdf.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        _keep(names, _NAMES_KEPT)
    for page in pdf.pages:
        _keep(page.obj, _PAGE_KEPT)
    for indirect in pdf.objects:
        for found in _dictionaries(indirect):
            _calm(found)


def _keep(found: pikepdf.Object, kept: frozenset[str]) -> None:
    for key in set(found.keys()) - kept:
        del found[key]


def _dictionaries(indirect: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """The dictionaries of one indirect object, also nested ones, but none that lies in another indirect object."""
    waiting: list[object] = [indirect]
    while waiting:
        found = waiting.pop()
        if isinstance(found, pikepdf.Array):
            waiting.extend(item for item in found if isinstance(item, pikepdf.Object) and not item.is_indirect)
        elif isinstance(found, (pikepdf.Dictionary, pikepdf.Stream)):
            yield found
            values = (found[key] for key in found.keys())  # noqa: SIM118 (an Object of pikepdf is no dict)
            waiting.extend(item for item in values if isinstance(item, pikepdf.Object) and not item.is_indirect)


def _calm(found: pikepdf.Object) -> None:
    for key in _DROPPED:
        if key in found:
            del found[key]
    for key in _ACTION_KEYS:
        if key in found and _acts(found[key]):
            del found[key]


def _acts(value: object) -> bool:
    """True if an action does more than show another place (ISO 32000-1, 12.6.4). An outline's /Next has no /S."""
    if isinstance(value, pikepdf.Array):
        return any(_acts(item) for item in value)
    if not isinstance(value, pikepdf.Dictionary) or "/S" not in value:
        return False
    return str(value["/S"]) not in _HARMLESS_ACTIONS
