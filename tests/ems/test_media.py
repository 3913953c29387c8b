"""What is recognised, what is left of a content, what it may expand to; and nothing but a refusal comes of anything."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageStat

from app.ems.media.inspection import EXTENSIONS, MediaType, Refusal, RefusedContent, stored_as
from app.ems.media.walking import recognise, walk
from app.ems.uploads.names import saved_as
from tests.support.media import (
    GPS,
    HEIC,
    ID3,
    MP3_FRAME,
    PDF,
    SAMPLES,
    SVG,
    XML,
    chunk,
    exif,
    jpeg,
    pdf,
    photo,
    png,
    segment,
    vast_png,
    wav,
    written,
)

JPEG, PNG, TYPES = MediaType.JPEG, MediaType.PNG, sorted(SAMPLES)
ZIP = b"PK\x03\x04" + GPS


def refused(declared: MediaType, content: bytes) -> Refusal:
    with pytest.raises(RefusedContent) as found:
        walk(declared, content)
    return found.value.refusal


def shown(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def alike(one: Image.Image, other: Image.Image) -> bool:
    """The same picture, up to what compressing it again changes."""
    if one.size != other.size:
        return False
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean) < 20


def test_every_type_has_its_sample_and_extension() -> None:
    assert set(SAMPLES) == set(MediaType) == set(EXTENSIONS)


@pytest.mark.parametrize("declared", TYPES)
@pytest.mark.parametrize("actual", TYPES)
def test_a_content_is_of_its_own_type_only(declared: str, actual: str) -> None:
    content = SAMPLES[actual]
    assert recognise(content) == actual
    if declared == actual:
        assert recognise(walk(MediaType(declared), content)) is stored_as(MediaType(declared))
    else:
        assert refused(MediaType(declared), content) is Refusal.WRONG_TYPE


@pytest.mark.parametrize("kind", ["image/svg+xml", "application/xml", "audio/wav", "audio/mpeg", "image/png"])
def test_what_is_written_anew_without_loss_stays(kind: str) -> None:
    assert walk(MediaType(kind), SAMPLES[kind]) == SAMPLES[kind]


@pytest.mark.parametrize("kind", ["image/svg+xml", "application/xml", "audio/wav", "image/heic"])
def test_a_truncated_content_is_refused_wherever_it_ends(kind: str) -> None:
    content = SAMPLES[kind].rstrip(b"\n")
    whole = len(content) - len(GPS) if kind == "image/heic" else len(content)
    for length in range(0, whole, 1 if len(content) < 200 else 7):
        assert refused(MediaType(kind), content[:length]) in (Refusal.WRONG_TYPE, Refusal.MALFORMED), length


@given(st.sampled_from(TYPES), st.data())
def test_whatever_comes_is_taken_or_refused(kind: str, data: st.DataObject) -> None:
    """Damaged samples and arbitrary bytes; what was taken is taken again."""
    content = bytearray(SAMPLES[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    for given_content in (bytes(content), data.draw(st.binary(max_size=60))):
        try:
            taken = walk(MediaType(kind), given_content)
        except RefusedContent:
            continue
        assert walk(stored_as(MediaType(kind)), taken)


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xE1, exif(1)),
        (0xE1, exif(1, ">")),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + GPS),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + GPS),
        (0xE2, b"MPF\0" + GPS),
        (0xE2, b"ICC_PROFILE\0\x01\x01" + GPS),
        (0xE0, b"JFXX\0" + GPS),
        (0xED, b"Photoshop 3.0\08BIM" + GPS),
        (0xFE, b"taken at " + GPS),
        (0xEF, GPS),
        (0xEF, b"<?php ?>" + GPS),
    ],
    ids=["exif", "exif be", "xmp", "more xmp", "mpf", "no profile", "jfxx", "iptc", "comment", "app15", "script"],
)
def test_photos_lose_their_place(marker: int, content: bytes) -> None:
    cleaned = walk(JPEG, jpeg(segment(marker, content)))
    assert cleaned == walk(JPEG, jpeg())
    assert GPS not in cleaned and b"XAN" not in cleaned


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 10))
def test_photos_stand_upright(order: str, orientation: int) -> None:
    """A phone that was held sideways says so in its Exif block, which goes: the picture itself is turned."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    expected = photo().transpose(turns[orientation]) if orientation in turns else photo()
    cleaned = shown(walk(JPEG, jpeg(segment(0xE1, exif(orientation, order)))))
    assert alike(cleaned, expected)
    assert not cleaned.getexif()


def test_colours_are_kept_without_their_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind, form in ((JPEG, "JPEG"), (PNG, "PNG")):
        cleaned = walk(kind, written(photo(), form, icc_profile=profile))
        assert "icc_profile" not in shown(cleaned).info
        assert alike(shown(cleaned), photo())


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_photos_in_grey_and_in_colours_of_print(mode: str) -> None:
    cleaned = shown(walk(JPEG, written(photo().convert(mode), "JPEG")))
    assert (cleaned.mode, cleaned.size) == ("L" if mode == "L" else "RGB", photo().size)


def test_progressive_photos() -> None:
    assert alike(shown(walk(JPEG, written(photo(), "JPEG", progressive=True))), photo())


@pytest.mark.parametrize("behind", [ZIP, b"<script>" + GPS, jpeg(segment(0xE1, exif(1))), b"\0\0\0\x18ftypmp42" + GPS])
def test_nothing_stays_behind_a_content(behind: bytes) -> None:
    """Second files, and the videos and second pictures that phones append, with places of their own."""
    assert walk(JPEG, jpeg(behind=behind)) == walk(JPEG, jpeg())
    assert walk(PNG, png(behind=behind)) == png()
    assert walk(MediaType.HEIC, HEIC + behind) == walk(MediaType.HEIC, HEIC)
    assert walk(MediaType.WAV, wav() + behind) == wav()
    rewritten = walk(MediaType.PDF, PDF + behind)
    assert GPS not in rewritten and b"PK\x03\x04" not in rewritten


@pytest.mark.parametrize("cut", [1, 2])
def test_a_photo_without_its_end_marker_is_taken(cut: int) -> None:
    assert walk(JPEG, jpeg()[:-cut]) == walk(JPEG, jpeg())


@pytest.mark.parametrize("progressive", [False, True])
def test_a_photo_that_lacks_a_part_is_refused(progressive: bool) -> None:
    noise = written(Image.effect_noise((160, 120), 80), "JPEG", progressive=progressive)
    for cut in (8, 100, len(noise) // 2, len(noise) - 30):
        assert refused(JPEG, noise[:-cut]) is Refusal.MALFORMED


def test_a_png_without_its_end_is_taken_and_one_that_lacks_a_part_is_not() -> None:
    assert walk(PNG, png()[:-12]) == png()
    noise = written(Image.effect_noise((64, 64), 80), "PNG")
    for cut in (100, len(noise) // 2, len(noise) - 20):
        assert refused(PNG, noise[:-cut]) is Refusal.MALFORMED


@pytest.mark.parametrize("name", [b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"prVt"])
def test_pngs_lose_their_metadata(name: bytes) -> None:
    assert walk(PNG, png(chunk(name, GPS))) == png()


def test_pngs_keep_what_shows_through() -> None:
    picture = photo().convert("P")
    cleaned = shown(walk(PNG, written(picture, "PNG", transparency=0)))
    assert cleaned.info["transparency"] == 0
    clear = Image.new("RGBA", (4, 4), (1, 2, 3, 60))
    assert shown(walk(PNG, written(clear, "PNG"))).tobytes() == clear.tobytes()


def test_heic_becomes_a_jpeg_without_its_place() -> None:
    cleaned = walk(MediaType.HEIC, HEIC)
    assert recognise(cleaned) is JPEG
    assert GPS in HEIC and GPS not in cleaned and b"XAN" not in cleaned
    assert shown(cleaned).size == (64, 48)
    red, blue = shown(cleaned).getpixel((60, 40)), shown(cleaned).getpixel((4, 4))
    assert isinstance(red, tuple) and isinstance(blue, tuple) and red[0] > 150 > red[2] and blue[2] > 150 > blue[0]


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        (JPEG, b"\xff\xd8\xff\xe0" + b"<html>"),
        (JPEG, b"\xff\xd8\xff\xd9"),
        (PNG, b"\x89PNG\r\n\x1a\n<html>"),
        (PNG, png().replace(b"IDAT", b"IDAX")),
        (MediaType.HEIC, HEIC[:28] + b"<html>" * 20),
        (MediaType.HEIC, HEIC[:200]),
        (MediaType.PDF, b"%PDF-<script>"),
        (MediaType.PDF, b"%PDF-1.7\n%%EOF\n"),
        (MediaType.PDF, b"%PDF-1.7\n" + ZIP * 20),
        (MediaType.PDF, pdf().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[]/Count 0")),
        (MediaType.WAV, wav().replace(b"data", b"junk")),
        (MediaType.WAV, wav().replace(b"fmt ", b"junk")),
        (MediaType.WAV, wav().replace(b"\x01\x00\x01\x00\x40\x1f", b"\x55\x00\x01\x00\x40\x1f")),
        (MediaType.MP3, b"ID3<html>"),
        (MediaType.MP3, ID3),
        (MediaType.MP3, MP3_FRAME + b"<html>" * 100),
        (MediaType.MP3, MP3_FRAME * 4 + ZIP),
        (MediaType.MP3, MP3_FRAME * 4 + b"TAG" + bytes(2 * 1024 * 1024)),
        (MediaType.MP3, MP3_FRAME * 2 + ZIP + MP3_FRAME * 2),
        (MediaType.MP3, ID3 + MP3_FRAME[:-1]),
        (MediaType.XML, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        (MediaType.XML, b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>'),
        (MediaType.XML, b"<a><b></a>"),
        (MediaType.XML, XML + ZIP),
        (MediaType.SVG, SVG.replace(b"<path", b"<script>alert(1)</script><path")),
        (MediaType.SVG, SVG.replace(b"<path", b'<path onload="alert(1)"')),
        (MediaType.SVG, SVG.replace(b"<path", b'<image href="http://example.org"/><path')),
        (MediaType.SVG, SVG.replace(b"<path", b"<style>*{fill:url(http://example.org)}</style><path")),
        (MediaType.SVG, SVG.replace(b'fill="none"', b'fill="URL(#a)"')),
        (MediaType.SVG, SVG.replace(b'stroke="#000"', b'style="color:red"')),
        (MediaType.SVG, SVG.replace(b"<path", b"Ana Rivers<path")),
        (MediaType.SVG, SVG.replace(b"<path", b"<!-- Ana Rivers --><path")),
        (MediaType.SVG, b'<?xml-stylesheet href="http://example.org/a.css"?>' + SVG),
        (MediaType.SVG, b"<svg><path d='M1 1'/></svg>"),
    ],
)  # fmt: skip
def test_what_only_begins_as_a_type_is_refused(declared: MediaType, content: bytes) -> None:
    assert refused(declared, content) is Refusal.MALFORMED


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        (JPEG, b"GIF89a" + jpeg()),
        (MediaType.PDF, jpeg() + PDF),
        (MediaType.PDF, png() + PDF),
        (MediaType.PDF, b"<html>%PDF-1.7</html>"),
        (MediaType.PDF, bytes(2000) + PDF),
        (MediaType.XML, b"<html xmlns='http://www.w3.org/1999/xhtml'><script/></html>"),
        (MediaType.XML, b"<HTML></HTML>"),
        (MediaType.WAV, b"RIFF\x04\0\0\0AVI "),
        (MediaType.MP3, b"\0\0\0\x18ftypM4A "),
        (MediaType.HEIC, b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"),
        (JPEG, HEIC),
        (MediaType.PDF, b"PK\x03\x04"),
        (MediaType.XML, b"{}"),
    ],
)
def test_another_type_is_refused(declared: MediaType, content: bytes) -> None:
    assert refused(declared, content) is Refusal.WRONG_TYPE


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf\r\n" + PDF,
        b"HTTP/1.1 200 OK\r\n\r\n" + PDF,
        b"\x1b%-12345X@PJL ENTER LANGUAGE=PDF\r\n" + PDF,
        PDF + b"\x1b%-12345X\r\n",
        PDF + bytes(5000),
        PDF[PDF.index(b"1 0 obj") :],
        PDF.replace(b"%PDF-1.7", b"%PDF-1.7 "),
        PDF[: PDF.index(b"startxref")],
        PDF.replace(b"xref\n0 5\n", b"xref\n0 9\n"),
    ],
    ids=["bom", "http", "printer", "printer behind", "zeros behind", "no header", "blank", "no end", "wrong table"],
)
def test_pdfs_that_viewers_open_are_taken_and_written_anew(content: bytes) -> None:
    rewritten = walk(MediaType.PDF, content)
    assert rewritten.startswith(b"%PDF-1.") and rewritten.rstrip().endswith(b"%%EOF")
    with pikepdf.open(io.BytesIO(rewritten), attempt_recovery=False) as found:
        assert len(found.pages) == 1
        assert found.pages[0].Contents.read_bytes().split() == b"0 0 m 100 100 l S".split()


SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
ACTIVE = {
    "open action": pdf(catalog=b"/OpenAction" + SCRIPT),
    "events of the document": pdf(catalog=b"/AA<</WC" + SCRIPT + b">>"),
    "events of a page": pdf(page=b"/AA<</O" + SCRIPT + b">>"),
    "named scripts": pdf(SCRIPT, catalog=b"/Names<</JavaScript<</Names[(a) 5 0 R]>>>>"),
    "embedded file": pdf(
        b"<</Type/Filespec/F(a)/EF<</F 6 0 R>>>>",
        b"<</Length 14>>stream\napp.alert zip!\nendstream",
        catalog=b"/Names<</EmbeddedFiles<</Names[(a) 5 0 R]>>>>",
    ),
    "attached file": pdf(
        b"<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS<</Type/Filespec/F(a)/EF<</F 6 0 R>>>>>>",
        b"<</Length 14>>stream\napp.alert zip!\nendstream",
        page=b"/Annots[5 0 R]",
    ),
    "annotation": pdf(page=b"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A" + SCRIPT + b">>]"),
    "chained": pdf(page=b"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(x)/Next[" + SCRIPT + b"]>>>>]"),
    "program": pdf(page=b"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F(app.alert)>>>>]"),
    "form": pdf(catalog=b"/AcroForm<</Fields[]/XFA(app.alert)>>"),
    "metadata": pdf(b"<</Type/Metadata/Length 9>>stream\napp.alert\nendstream", catalog=b"/Metadata 5 0 R"),
    "private key": pdf(catalog=b"/Whatever(app.alert)"),
    "unused object": pdf(b"(app.alert)"),
    "information": pdf(b"<</Author(app.alert)>>").replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Info 5 0 R>>"),
}


@pytest.mark.parametrize("case", ACTIVE)
def test_pdfs_keep_nothing_that_acts_or_is_attached(case: str) -> None:
    assert b"app.alert" in ACTIVE[case]
    rewritten = walk(MediaType.PDF, ACTIVE[case])
    for gone in (b"app.alert", b"/JavaScript", b"/EmbeddedFile", b"/EF", b"/OpenAction", b"/AA", b"/Launch"):
        assert gone not in rewritten


def test_pdfs_keep_links_to_other_places() -> None:
    linked = pdf(page=b"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.org)>>>>]")
    assert b"https://example.org" in walk(MediaType.PDF, linked)


def test_pdfs_under_a_password_are_refused() -> None:
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDF)) as opened:
        opened.save(file, encryption=pikepdf.Encryption(owner="owner", user="user"))
    assert refused(MediaType.PDF, file.getvalue()) is Refusal.MALFORMED


LAUGHS = (
    b"<!DOCTYPE a ["
    + b"".join(
        b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10 if level else b"ha" * 50) for level in range(9)
    )
    + b"]>"
)


@pytest.mark.parametrize(
    "content",
    [LAUGHS + b"<a>&l8;</a>", LAUGHS + b'<a b="&l8;"/>', b"<a>" * 100_000 + b"</a>" * 100_000],
    ids=["in a text", "in an attribute", "nested"],
)
def test_small_documents_that_grow_are_refused(content: bytes) -> None:
    assert refused(MediaType.XML, content) in (Refusal.MALFORMED, Refusal.TOO_LARGE)
    assert refused(MediaType.SVG, content) in (Refusal.MALFORMED, Refusal.TOO_LARGE, Refusal.WRONG_TYPE)


@pytest.mark.parametrize("inside", [b"<b/>", b'<b a="" c=""/>'])
def test_documents_of_too_many_nodes_are_refused(inside: bytes) -> None:
    assert refused(MediaType.XML, b"<a>" + inside * 1_000_001 + b"</a>") is Refusal.TOO_LARGE


def test_a_large_document_never_becomes_a_tree() -> None:
    content = b"<a>" + b"<b>0.125 0.250 0.375 0.500</b>" * 100_000 + b"</a>"
    tracemalloc.start()
    assert walk(MediaType.XML, content) == content
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(content)


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (50_000_001, 1), (7_072, 7_072)])
def test_pictures_of_too_many_pixels_are_refused_before_they_are_decoded(width: int, height: int) -> None:
    assert refused(PNG, vast_png(width, height)) is Refusal.TOO_LARGE
    frame = jpeg().replace(struct.pack(">HH", 24, 32), struct.pack(">HH", min(height, 65_000), min(width, 65_000)))
    if min(height, 65_000) * min(width, 65_000) > 50_000_000:
        assert refused(JPEG, frame) is Refusal.TOO_LARGE


def test_a_heic_that_declares_too_many_pixels_is_refused() -> None:
    size = struct.pack(">II", 64, 64)
    assert HEIC.count(b"ispe\0\0\0\0" + size) == 1
    huge = HEIC.replace(b"ispe\0\0\0\0" + size, b"ispe\0\0\0\0" + struct.pack(">II", 30_000, 30_000))
    assert refused(MediaType.HEIC, huge) in (Refusal.TOO_LARGE, Refusal.MALFORMED)


def test_a_heic_of_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small one, for a smaller bound."""
    monkeypatch.setattr("app.ems.media.photos.MAX_PIXELS", 100)
    assert refused(MediaType.HEIC, HEIC) is Refusal.TOO_LARGE


def test_packed_pictures_and_texts_stay_packed() -> None:
    """64 MB in 64 kB behind one pixel, and a comment alike: neither is unpacked nor kept."""
    packed = zlib.compressobj(9)
    pixels = b"".join([*(packed.compress(bytes(1 << 20)) for _ in range(64)), packed.flush()])
    bomb = png().replace(chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IDAT", pixels))
    tracemalloc.start()
    cleaned = walk(PNG, bomb[:33] + chunk(b"tEXt", b"Comment\0" + GPS) + bomb[33:])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cleaned == png()
    assert peak < 1 << 21


def test_packed_objects_of_a_pdf_are_not_unpacked_without_end() -> None:
    """An object stream of 300 MB, in 300 kB."""
    packed = zlib.compressobj(9)
    head = b"6 0 (a)"
    bomb = b"".join([packed.compress(head), *(packed.compress(b" " * (1 << 20)) for _ in range(300)), packed.flush()])
    stream = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(bomb), bomb)
    content = pdf(stream)
    damaged = content[: content.index(b"xref\n0")] + b"trailer\n<</Root 1 0 R>>\n%%EOF\n"
    taken = walk(MediaType.PDF, damaged)
    assert len(taken) < 10_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_ecg_exports_in_the_encodings_of_their_makers(encoding: str) -> None:
    declaration = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    content = f'<?xml version="1.0" encoding="{declaration}"?>\n<restingecgdata><name>é</name></restingecgdata>'
    assert walk(MediaType.XML, content.encode(encoding)) == content.encode(encoding)


def test_sound_of_mpeg_2_and_of_other_layers() -> None:
    """MPEG 2 layer III, 64 kbit/s at 22.05 kHz, and MPEG 1 layer II, 192 kbit/s at 48 kHz."""
    low = b"\xff\xf3\x80\x00" + bytes(72 * 64_000 // 22_050 - 4)
    second = b"\xff\xfd\xa4\x00" + bytes(144 * 192_000 // 48_000 - 4)
    for frames in (low * 3, second * 3, MP3_FRAME, MP3_FRAME * 2):
        assert walk(MediaType.MP3, frames) == frames


@pytest.mark.parametrize(
    "content",
    [
        ID3 + MP3_FRAME * 4,
        ID3 + bytes(2048) + MP3_FRAME * 4,
        MP3_FRAME * 2 + ID3 + MP3_FRAME * 2,
        MP3_FRAME * 4 + b"TAG" + GPS + bytes(125 - len(GPS)),
        MP3_FRAME * 4 + b"APETAGEX" + GPS,
        MP3_FRAME * 4 + bytes(500),
        MP3_FRAME * 4 + MP3_FRAME[:100],
    ],
    ids=["tag", "padded", "between", "id3v1", "ape", "zeros", "switched off"],
)
def test_sound_is_stored_without_its_tags(content: bytes) -> None:
    assert walk(MediaType.MP3, content) == MP3_FRAME * 4


@pytest.mark.parametrize("name", [b"LIST", b"id3 ", b"bext", b"JUNK", b"PK\x03\x04"])
def test_sound_is_stored_without_other_chunks(name: bytes) -> None:
    extra = name + struct.pack("<I", len(GPS) + 1) + GPS + b"\0"
    for content in (wav()[12:36] + extra + wav()[36:], wav()[12:] + extra):
        assert walk(MediaType.WAV, b"RIFF" + struct.pack("<I", len(content) + 4) + b"WAVE" + content) == wav()


@pytest.mark.parametrize(
    ("called", "stored", "saved"),
    [
        (None, JPEG, "id.jpg"),
        ("IMG_1.HEIC", JPEG, "IMG_1.jpg"),
        ("../../etc/passwd", MediaType.PDF, "passwd.pdf"),
        ("C:\\x\\wrist.JPEG", JPEG, "wrist.jpg"),
        ("a\r\nSet-Cookie: x", PNG, "aSet-Cookie x.png"),
        ("\u202egpj.exe", JPEG, "gpj.exe.jpg"),
        ("con.pdf", MediaType.PDF, "con_.pdf"),
        ("...", MediaType.WAV, "id.wav"),
        ("Befund Müller 名前.pdf", MediaType.PDF, "Befund Müller 名前.pdf"),
    ],
)
def test_names_under_which_contents_are_saved(called: str | None, stored: MediaType, saved: str) -> None:
    assert saved_as(called, "id", stored) == saved


def test_long_names_fit_every_file_system() -> None:
    assert len(saved_as("名" * 255, "id", JPEG).encode()) <= 255
