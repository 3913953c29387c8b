"""What a clearinghouse sends: text, or a ZIP archive of texts. Content is measured as it is read, not by its label."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum

from app.billing.x12.tokenizer import InterchangeFormatError, InterchangeReader

MAX_MEMBERS = 200
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_ZIP = b"PK"
_NOT_TEXT = re.compile("[\x00-\x06\x0e-\x19\x7f]")


class FileKind(StrEnum):
    """What a file says. `unknown` is kept for a person and never guessed at."""

    REMITTANCE = "835"
    IMPLEMENTATION_ACKNOWLEDGEMENT = "999"
    CLAIM_ACKNOWLEDGEMENT = "277CA"
    INTERCHANGE_ACKNOWLEDGEMENT = "TA1"
    OFFICE_ALLY_STATUS = "office_ally_status"
    UNKNOWN = "unknown"


def members(content: bytes) -> Iterator[bytes]:
    """The files in an archive, or the content itself if it is none. Raises InterchangeFormatError for a bad archive.

    Archives within archives, encrypted ones and those that unpack to more than MAX_UNPACKED_BYTES are refused.
    """
    if not content.startswith(_ZIP):
        yield content
        return
    room = MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [one for one in archive.infolist() if not one.is_dir()]
            if not files or len(files) > MAX_MEMBERS:
                raise InterchangeFormatError(f"The archive must hold 1 to {MAX_MEMBERS} files.")
            for file in files:
                with archive.open(file) as opened:
                    unpacked = opened.read(room + 1)
                room -= len(unpacked)
                if room < 0:
                    raise InterchangeFormatError(f"The archive unpacks to more than {MAX_UNPACKED_BYTES} bytes.")
                if unpacked.startswith(_ZIP):
                    raise InterchangeFormatError("The archive holds another archive.")
                yield unpacked
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise InterchangeFormatError("The archive cannot be unpacked.") from error


def text_chunks(content: bytes) -> Iterator[str]:
    """The text of a file, piece by piece, without its byte order mark. Raises InterchangeFormatError if it is binary.

    Bytes that are no UTF-8 become replacement characters: they stand in names, which nothing is matched by.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    for start in range(0, len(content), _CHUNK):
        text = decoder.decode(content[start : start + _CHUNK], final=start + _CHUNK >= len(content))
        if _NOT_TEXT.search(text):
            raise InterchangeFormatError("The file holds binary content.")
        yield text


def kind_of(content: bytes) -> FileKind:
    """What the file is, by its first transaction set or its layout. Raises InterchangeFormatError for broken X12."""
    start = content[:400].lstrip(b"\xef\xbb\xbf\r\n\t ")
    if b"CLAIM DETAIL" in content and b"File Name:" in content and not start.startswith(b"ISA"):
        return FileKind.OFFICE_ALLY_STATUS
    if not re.match(rb"(?:ISA|GS|ST)[^A-Za-z0-9\s]", start):
        return FileKind.UNKNOWN
    for segment in InterchangeReader(text_chunks(content)):
        if segment.tag == "TA1":
            return FileKind.INTERCHANGE_ACKNOWLEDGEMENT
        if segment.tag == "ST":
            return _KINDS.get(segment.element(1), FileKind.UNKNOWN)
    return FileKind.UNKNOWN


_KINDS = {
    "835": FileKind.REMITTANCE,
    "999": FileKind.IMPLEMENTATION_ACKNOWLEDGEMENT,
    "277": FileKind.CLAIM_ACKNOWLEDGEMENT,
}
