"""Photos are decoded and written anew, so that a stored photo holds a picture and nothing else.

Exif, XMP, text, thumbnails, second pictures and bytes behind the end are dropped, with the places, times and names in
them. The orientation is applied. Colours become sRGB, because the colour profile is dropped, too.
"""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from typing import Any

from PIL import ExifTags, Image, ImageChops, ImageCms, JpegImagePlugin

from app.ems.media.inspection import MediaType
from app.ems.media.malformed import Excessive, Malformed

MAX_PIXELS = 50_000_000
"""The largest picture that is decoded: cameras of phones stay below 50 megapixels."""
_QUALITY = 92
_END = b"\xff\xd9"
_OTHER_PICTURE = b"\xaa\x55\x5a\xa5" * 4096
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that turns a picture of each orientation upright (Exif 2.32, tag 0x0112)."""

_DAMAGED = (SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError, struct.error)
"""The exceptions that pillow raises for damaged metadata."""

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def rewrite_photo(declared: MediaType, content: bytes) -> bytes:
    """The picture in a new file of the type `stored_as(declared)`. Raises Malformed, Excessive."""
    match declared:
        case MediaType.JPEG:
            return _rewritten_jpeg(content)
        case MediaType.PNG:
            return _written(_upright(_decoded(content, "PNG")), "PNG")
        case _:
            return _rewritten_heic(content)


def _rewritten_jpeg(content: bytes) -> bytes:
    """The first picture of a JPEG, compressed as it was. Raises Malformed, Excessive."""
    image = _decoded_jpeg(content)
    tables: dict[str, Any] = {"quality": _QUALITY}
    if image.mode in ("L", "RGB") and isinstance(image, JpegImagePlugin.JpegImageFile):
        sampling = JpegImagePlugin.get_sampling(image)
        tables = {"qtables": image.quantization} | ({"subsampling": sampling} if sampling >= 0 else {})
    picture = _upright(image)
    return _written(picture if picture.mode in ("L", "RGB") else picture.convert("RGB"), "JPEG", **tables)


def _rewritten_heic(content: bytes) -> bytes:
    """The primary picture of a HEIC, as a JPEG. Raises Malformed, Excessive."""
    import pi_heif

    try:
        heif = pi_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=True)
        primary = heif[heif.primary_index]
        if primary.size[0] * primary.size[1] > MAX_PIXELS:
            raise Excessive("pixels")
        picture = _upright(primary.to_pillow())
    except (Excessive, MemoryError):
        raise
    except Exception as error:
        raise Malformed("no picture") from error
    return _written(picture if picture.mode in ("L", "RGB") else picture.convert("RGB"), "JPEG", quality=_QUALITY)


def _decoded_jpeg(content: bytes) -> Image.Image:
    """The picture, also if only its end marker is missing. Raises Malformed, Excessive.

    A picture is complete if it stays the same whatever bytes are appended.
    """
    try:
        return _decoded(content, "JPEG")
    except Malformed:
        begun = content.rstrip(b"\xff")
        picture = _decoded(begun + _END, "JPEG")
        other = _decoded(begun + _OTHER_PICTURE + _END, "JPEG")
        if picture.size != other.size or ImageChops.difference(picture, other).getbbox() is not None:
            raise
        return picture


def _decoded(content: bytes, form: str) -> Image.Image:
    """The picture in memory. The pixels that the header declares are counted before any is decoded.

    Decoders raise many kinds of exceptions for damage. Each counts as Malformed. Raises Malformed, Excessive.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=(form,))
            image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Excessive("pixels") from error
    except MemoryError:
        raise
    except Exception as error:
        raise Malformed("no picture") from error
    return image


def _upright(image: Image.Image) -> Image.Image:
    """The picture as a viewer shows it, with its orientation and its colour profile applied."""
    orientation = 1
    with contextlib.suppress(*_DAMAGED):  # a damaged Exif block says nothing about the orientation
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    picture = image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
    profile = image.info.get("icc_profile")
    target = {"RGB": "RGB", "RGBA": "RGBA", "CMYK": "RGB"}.get(picture.mode)
    if profile and target:
        with contextlib.suppress(ImageCms.PyCMSError, *_DAMAGED):  # a damaged profile says nothing either
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=target)
            picture = turned or picture
    return picture


def _written(picture: Image.Image, form: str, **options: Any) -> bytes:
    """The picture in a new file. Of the old file's metadata only the transparent colour stays. Raises Malformed."""
    picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    file = io.BytesIO()
    try:
        picture.save(file, form, **options)
    except (OSError, ValueError) as error:
        raise Malformed("no picture that can be written") from error
    return file.getvalue()
