"""Atomic writes: the old content or the new, nothing else and nothing beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.core.files import beside, create, write_atomically


def modes(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}


def test_file_is_written_and_replaced_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    write_atomically(path, b"first")
    assert path.read_bytes() == b"first"
    assert modes(tmp_path) == {"secret.json": 0o600}
    path.chmod(0o666)
    write_atomically(path, b"second", mode=0o640)
    assert path.read_bytes() == b"second"
    assert modes(tmp_path) == {"secret.json": 0o640}


@pytest.mark.parametrize("failing", ["fsync", "open"])
def test_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "secret.json"
    write_atomically(path, b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, failing, full)
        with pytest.raises(OSError, match="No space"):
            write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
    assert modes(tmp_path) == {"secret.json": 0o600}


def test_content_is_on_the_disk_before_it_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.json"
    happened: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(file: int) -> None:
        happened.append("synced")
        sync(file)

    def replaced(old: Path, new: Path) -> Path:
        happened.append("in place")
        return replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_atomically(path, b"x")
    assert happened == ["synced", "in place"] and path.read_bytes() == b"x"


def test_nothing_that_is_there_is_taken_for_a_new_file(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    link = tmp_path / "link"
    link.symlink_to(target)
    for path in (target, link):
        with pytest.raises(FileExistsError):
            create(path)
    assert target.read_bytes() == b"mine"
    assert beside(target) != beside(target) and beside(target).parent == tmp_path
