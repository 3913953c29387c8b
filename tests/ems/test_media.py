"""What is recognised, what is taken out of photos, and that nothing else than a refusal comes of anything."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ems.media.inspection import MediaType, Refusal, RefusedContent, inspect, recognise
from tests.support.media import (
    GPS,
    ID3,
    MP3_FRAME,
    PDF,
    SAMPLES,
    SCAN,
    SOF,
    SVG,
    XML,
    chunk,
    exif,
    jpeg,
    png,
    segment,
    wav,
)

JPEG, PNG, TYPES = MediaType.JPEG, MediaType.PNG, sorted(SAMPLES)


def refused(declared: MediaType, content: bytes) -> Refusal:
    with pytest.raises(RefusedContent) as found:
        inspect(declared, content)
    return found.value.refusal


def test_every_type_has_its_sample() -> None:
    assert set(SAMPLES) == set(MediaType)


@pytest.mark.parametrize("declared", TYPES)
@pytest.mark.parametrize("actual", TYPES)
def test_a_content_is_of_its_own_type_only(declared: str, actual: str) -> None:
    content = SAMPLES[actual]
    assert recognise(content) == actual
    if declared == actual:
        assert inspect(MediaType(declared), content) == content
    else:
        assert refused(MediaType(declared), content) is Refusal.WRONG_TYPE


@pytest.mark.parametrize("kind", sorted(set(TYPES) - {"audio/mpeg"}))
def test_a_truncated_content_is_refused_wherever_it_ends(kind: str) -> None:
    content = SAMPLES[kind].rstrip(b"\n")
    for length in range(len(content)):
        assert refused(MediaType(kind), content[:length]) in (Refusal.WRONG_TYPE, Refusal.MALFORMED), length


@given(st.sampled_from(TYPES), st.data())
def test_whatever_comes_is_taken_or_refused(kind: str, data: st.DataObject) -> None:
    """Damaged samples and arbitrary bytes; what was taken is taken again, as it is."""
    content = bytearray(SAMPLES[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    for given_content in (bytes(content), data.draw(st.binary(max_size=60))):
        try:
            taken = inspect(MediaType(kind), given_content)
        except RefusedContent:
            continue
        assert inspect(MediaType(kind), taken) == taken


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xE1, exif(1)),
        (0xE1, exif(1, ">")),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + GPS),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + GPS),
        (0xE2, b"MPF\0" + GPS),
        (0xE0, b"JFXX\0" + GPS),
        (0xED, b"Photoshop 3.0\08BIM" + GPS),
        (0xFE, b"taken at " + GPS),
        (0xEF, GPS),
    ],
    ids=["exif", "exif big-endian", "xmp", "extended xmp", "mpf", "jfxx", "iptc", "comment", "app15"],
)
def test_photos_lose_their_place(marker: int, content: bytes) -> None:
    assert GPS not in inspect(JPEG, jpeg(segment(marker, content)))
    assert inspect(JPEG, jpeg(segment(marker, content))) == jpeg()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 10))
def test_photos_stay_upright(order: str, orientation: int) -> None:
    """A phone that was held sideways says so in its Exif block: without it the picture would lie."""
    cleaned = inspect(JPEG, jpeg(segment(0xE1, exif(orientation, order))))
    assert GPS not in cleaned and b"XAN" not in cleaned
    upright = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    assert (upright in cleaned) is (2 <= orientation <= 8)


def test_the_picture_stays_as_it_is() -> None:
    colours = [segment(0xE2, b"ICC_PROFILE\0\x01\x01" + b"profile"), segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")]
    cleaned = inspect(JPEG, jpeg(*colours, segment(0xE1, exif(6))))
    assert SCAN in cleaned and segment(0xC0, SOF) in cleaned
    assert all(part in cleaned for part in colours)


def test_thumbnails_go() -> None:
    thumbnail = b"JFIF\0\x01\x01\0\0\x01\0\x01" + b"\x01\x01" + b"rgb"
    cleaned = inspect(JPEG, jpeg(segment(0xE0, thumbnail)))
    assert b"rgb" not in cleaned


def test_several_scans_and_fill_bytes() -> None:
    progressive = segment(0xC2, SOF) + segment(0xDA, bytes(6)) + SCAN + b"\xff\xff" + segment(0xC4, b"x")
    content = b"\xff\xd8" + progressive + b"\xff" + segment(0xDA, bytes(6)) + SCAN + b"\xff\xd9"
    assert inspect(JPEG, content).count(SCAN) == 2


@pytest.mark.parametrize(
    "behind", [b"PK\x03\x04 a zip", b"<script>", jpeg(segment(0xE1, exif(1))), b"\0\0\0\x18ftypmp42"]
)
def test_nothing_stays_behind_a_picture(behind: bytes) -> None:
    """Second files, and the videos and second pictures that phones append, with places of their own."""
    assert inspect(JPEG, jpeg(behind=behind)) == jpeg()
    assert inspect(PNG, png(behind=behind)) == png()


@pytest.mark.parametrize("name", [b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"prVt"])
def test_pngs_lose_their_metadata(name: bytes) -> None:
    assert inspect(PNG, png(chunk(name, GPS))) == png()


def test_pngs_keep_their_colours() -> None:
    content = png(chunk(b"sRGB", b"\0"), chunk(b"pHYs", bytes(9)))
    assert inspect(PNG, content) == content


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        (JPEG, b"\xff\xd8\xff\xe0" + b"<html>"),
        (JPEG, b"\xff\xd8\xff\xd9"),
        (JPEG, jpeg().replace(segment(0xC0, SOF), b"")),
        (JPEG, jpeg().replace(b"\xff\xc0", b"\xff\xc3")),
        (JPEG, jpeg(b"\xff\x01")),
        (JPEG, jpeg(b"<?php ?>")),
        (PNG, b"\x89PNG\r\n\x1a\n<html>"),
        (PNG, png().replace(b"IDAT", b"IDAX")),
        (PNG, png(chunk(b"IDAX", b""))),
        (PNG, png(chunk(b"IHDR", bytes(13)))),
        (MediaType.PDF, PDF + b"PK\x03\x04"),
        (MediaType.PDF, b"%PDF-<script>" + PDF),
        (MediaType.WAV, wav() + b"PK\x03\x04"),
        (MediaType.WAV, wav().replace(b"data", b"junk")),
        (MediaType.MP3, b"ID3<html>"),
        (MediaType.MP3, ID3),
        (MediaType.MP3, MP3_FRAME + b"<html>" * 100),
        (MediaType.MP3, ID3 + MP3_FRAME[:-1]),
        (MediaType.XML, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        (MediaType.XML, b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>'),
        (MediaType.XML, b"<a><b></a>"),
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
        (MediaType.PDF, b"MZ" + PDF),
        (MediaType.XML, b"<html xmlns='http://www.w3.org/1999/xhtml'><script/></html>"),
        (MediaType.XML, b"<HTML></HTML>"),
        (MediaType.WAV, b"RIFF\x04\0\0\0AVI "),
        (MediaType.MP3, b"\0\0\0\x18ftypM4A "),
        (JPEG, b"\0\0\0\x18ftypheic"),
        (MediaType.PDF, b"PK\x03\x04"),
        (MediaType.XML, b"{}"),
    ],
)
def test_another_type_is_refused(declared: MediaType, content: bytes) -> None:
    assert refused(declared, content) is Refusal.WRONG_TYPE


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
    assert refused(MediaType.XML, content) is Refusal.MALFORMED
    assert refused(MediaType.SVG, content) in (Refusal.MALFORMED, Refusal.WRONG_TYPE)


def test_packed_pictures_and_texts_stay_packed() -> None:
    """64 MB in 64 kB, and a comment alike: nothing here unpacks them, and the comment goes."""
    packed = zlib.compressobj(9)
    pixels = b"".join([*(packed.compress(bytes(1 << 20)) for _ in range(64)), packed.flush()])
    bomb = png().replace(chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IDAT", pixels))
    comment = chunk(b"zTXt", b"Comment\0\0" + pixels)
    content = bomb[:33] + comment + bomb[33:]
    tracemalloc.start()
    cleaned = inspect(PNG, content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cleaned == bomb
    assert peak < 8 * len(content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_ecg_exports_in_the_encodings_of_their_makers(encoding: str) -> None:
    declaration = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    content = f'<?xml version="1.0" encoding="{declaration}"?>\n<restingecgdata><name>é</name></restingecgdata>'
    assert inspect(MediaType.XML, content.encode(encoding)) == content.encode(encoding)
    assert inspect(MediaType.XML, XML) == XML


def test_sound_of_mpeg_2_and_of_other_layers() -> None:
    """MPEG 2 layer III, 64 kbit/s at 22.05 kHz, and MPEG 1 layer II, 192 kbit/s at 48 kHz."""
    low = b"\xff\xf3\x80\x00" + bytes(72 * 64_000 // 22_050 - 4)
    second = b"\xff\xfd\xa4\x00" + bytes(144 * 192_000 // 48_000 - 4)
    for frames in (low * 3, second * 3, ID3 + MP3_FRAME, MP3_FRAME * 2):
        assert inspect(MediaType.MP3, frames) == frames
