"""A clearinghouse's SFTP server on loopback: real keys, a real directory, and faults on demand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

USERNAME, PASSWORD = "prairie", "correct horse"


@dataclass
class Faults:
    """What the server does wrong. Each is a switch; `cut_after` ends the connection after so many bytes written."""

    cut_after: int | None = None
    cut_at_rename: bool = False
    rename_then_cut: bool = False
    loses: bool = False
    written: int = 0
    logins: list[str] = field(default_factory=list)


class House(asyncssh.SSHServer):
    def __init__(self, faults: Faults, client_key: asyncssh.SSHKey | None) -> None:
        self._faults = faults
        self._client_key = client_key

    def begin_auth(self, username: str) -> bool:
        self._faults.logins.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return self._client_key is None

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USERNAME, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return self._client_key is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        wanted = self._client_key
        return wanted is not None and key.public_data == wanted.public_data


class Files(asyncssh.SFTPServer):
    """The files below `root`, with the faults."""

    def __init__(self, channel: Any, root: Path, faults: Faults) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._faults = faults
        self._connection = channel.get_connection()

    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        self._faults.written += len(data)
        if self._faults.cut_after is not None and self._faults.written > self._faults.cut_after:
            self._connection.abort()
        return super().write(file_obj, offset, data)

    def rename(self, oldpath: bytes, newpath: bytes) -> Any:
        if self._faults.cut_at_rename:
            self._connection.abort()
            return None
        done: Any = super().rename(oldpath, newpath)
        if self._faults.loses:
            Path(self.map_path(newpath).decode()).unlink()
        if self._faults.rename_then_cut:
            self._connection.abort()
        return done


@dataclass
class Running:
    port: int
    root: Path
    host_key: asyncssh.SSHKey
    faults: Faults

    @property
    def public_key(self) -> str:
        return self.host_key.export_public_key().decode().strip()

    def names(self) -> list[str]:
        """The files in the directory that takes them."""
        return sorted(path.name for path in (self.root / "inbound").iterdir())

    def content(self, name: str) -> bytes:
        return (self.root / "inbound" / name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        (self.root / "inbound" / name).write_bytes(content)


@contextlib.asynccontextmanager
async def clearinghouse_server(root: Path, client_key: asyncssh.SSHKey | None = None) -> AsyncIterator[Running]:
    """A server that takes files in `/inbound`. With `client_key` it takes that key and no password."""
    (root / "inbound").mkdir(parents=True)
    host_key, faults = asyncssh.generate_private_key("ssh-ed25519"), Faults()
    make_files: Callable[[Any], asyncssh.SFTPServer] = lambda channel: Files(channel, root, faults)  # noqa: E731
    server = await asyncssh.create_server(
        lambda: House(faults, client_key),
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        sftp_factory=make_files,
        allow_scp=False,
    )
    try:
        yield Running(server.get_port(), root, host_key, faults)
    finally:
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def port_that_never_speaks() -> AsyncIterator[int]:
    """A port that takes connections and says nothing."""
    kept: list[asyncio.StreamWriter] = []

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept.append(writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in kept:
            writer.close()
