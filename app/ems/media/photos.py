"""Photos are decoded and written anew, so that what is stored is a picture and nothing else.

Exif, XMP, text, thumbnails, second pictures and whatever follows the end are gone with the places, times and names in
them. The orientation is applied, and colours become sRGB, because the profile that explains them goes too.
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
"""What brings a picture of each orientation upright (Exif 2.32, tag 0x0112)."""

_DAMAGED = (SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError, struct.error)
"""What pillow answers damaged metadata with."""

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def rewrite_photo(declared: MediaType, content: bytes) -> bytes:
    """A picture of our own making, of the type `stored_as(declared)`. Raises Malformed, Excessive."""
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

    Nothing is missing of a picture that stays the same whatever is put behind it.
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
    """The picture in memory. Its pixels are counted by what the header declares, before any is decoded.

    Decoders answer damage with exceptions of many kinds: each means that there is no picture.
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
    """The picture as a viewer shows it: turned as its orientation says, in the colours that its profile says."""
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
    """The picture in a file, with nothing of what the other file said about it but which colour shows through."""
    picture.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    file = io.BytesIO()
    try:
        picture.save(file, form, **options)
    except (OSError, ValueError) as error:
        raise Malformed("no picture that can be written") from error
    return file.getvalue()
