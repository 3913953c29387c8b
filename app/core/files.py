"""Files are written whole or not at all. Only the service's user may read them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600


def write_atomically(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Writes or replaces the file. A reader gets the old content or the new content, never a part.

    The content is on the disk before it takes its place. If that fails (OSError), the old file stays as it was and
    no other file is left. The directory must exist. The call blocks.
    """
    temporary = beside(path)
    try:
        with create(temporary, mode=mode) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def beside(path: Path) -> Path:
    """A new name in the same directory for an unfinished file. Renaming it to `path` is atomic."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def create(path: Path, *, mode: int = PRIVATE) -> BinaryIO:
    """A new file, open for writing. Links are not followed. Raises FileExistsError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
