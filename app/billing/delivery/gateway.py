"""The ways by which a file leaves: an SFTP server whose key is pinned, and a directory.

Neither the user's own SSH configuration nor an SSH agent takes part. A file appears whole under its name or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from app.billing.clearinghouses.host_keys import read_host_key
from app.billing.delivery.failures import DeliveryFailure, DeliveryPostponed, DeliveryRefused, DeliveryUnanswered
from app.billing.delivery.login import SftpLogin
from app.core.files import write_atomically
from app.core.gateways import Gateway
from app.core.logging import get_logger
from app.core.pools import FILES

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SftpServer:
    """`host_key` is the server's public key. `directory` takes the files."""

    host: str
    port: int
    directory: str
    host_key: str


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file to be delivered. Its `repr` does not show the content."""

    name: str
    content: bytes = field(repr=False)


@dataclass(slots=True)
class _Progress:
    """`renaming`: from now on the file may have its name, whatever answer comes."""

    renaming: bool = False


@dataclass(frozen=True, slots=True)
class SftpSender:
    """Uploads by SFTP. Its limits together are shorter than the lease of a delivery."""

    connect_seconds: float = 10
    login_seconds: float = 20
    whole_seconds: float = 300

    async def send(self, server: SftpServer, login: SftpLogin, file: OutboundFile) -> None:
        """Uploads under a temporary name, compares the size, renames, and looks for the file in the listing.

        A file that is there already with the same bytes counts as delivered: an earlier attempt got so far. Raises
        DeliveryRefused, DeliveryPostponed, DeliveryUnanswered.
        """
        progress = _Progress()
        try:
            async with asyncio.timeout(self.whole_seconds), self._connected(server, login) as sftp:
                await _upload(sftp, server.directory, file, progress)
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            raise DeliveryRefused(DeliveryFailure.HOST_KEY) from None
        except asyncssh.PermissionDenied:
            raise DeliveryRefused(DeliveryFailure.LOGIN_REFUSED) from None
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPPermissionDenied):
            raise DeliveryRefused(DeliveryFailure.DIRECTORY_REFUSED) from None
        except (asyncssh.Error, OSError) as error:
            _log.warning("file server not reached", exc_info=error)
            if progress.renaming:
                raise DeliveryUnanswered(DeliveryFailure.UNANSWERED) from None
            raise DeliveryPostponed(DeliveryFailure.UNAVAILABLE) from None

    @contextlib.asynccontextmanager
    async def _connected(self, server: SftpServer, login: SftpLogin) -> AsyncIterator[asyncssh.SFTPClient]:
        key = login.key()
        async with (
            asyncssh.connect(
                server.host,
                server.port,
                username=login.username,
                password=None if login.password is None else login.password.get_secret_value(),
                client_keys=None if key is None else [key],
                known_hosts=([read_host_key(server.host_key)], [], []),
                config=None,
                agent_path=None,
                connect_timeout=self.connect_seconds,
                login_timeout=self.login_seconds,
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            yield sftp


async def _upload(sftp: asyncssh.SFTPClient, directory: str, file: OutboundFile, progress: _Progress) -> None:
    path = posixpath.join(directory, file.name)
    unfinished = posixpath.join(directory, f".{file.name}.part")
    if await _is_there(sftp, path, file.content):
        return
    with contextlib.suppress(asyncssh.SFTPNoSuchFile):
        await sftp.remove(unfinished)  # an earlier attempt was cut
    async with sftp.open(unfinished, "wb") as remote:
        await remote.write(file.content)
    if await sftp.getsize(unfinished) != len(file.content):
        raise DeliveryPostponed(DeliveryFailure.INCOMPLETE)
    progress.renaming = True
    try:
        await sftp.rename(unfinished, path)
    except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
        if not await _is_there(sftp, path, file.content):
            raise
    if file.name not in await sftp.listdir(directory):
        raise DeliveryRefused(DeliveryFailure.NOT_SEEN)


async def _is_there(sftp: asyncssh.SFTPClient, path: str, content: bytes) -> bool:
    """True if the file is there with these bytes. Raises DeliveryRefused if another file has its name."""
    try:
        size = await sftp.getsize(path)
    except asyncssh.SFTPNoSuchFile:
        return False
    if size == len(content):
        async with sftp.open(path, "rb") as remote:
            held: Any = await remote.read()
        if held == content:
            return True
    raise DeliveryRefused(DeliveryFailure.NAME_TAKEN)


SFTP: Gateway[SftpSender] = Gateway("claim file servers", lambda _: SftpSender())


async def put_into(directory: Path, file: OutboundFile) -> None:
    """Writes the file, readable only by the service's user. The same file again is no error.

    Raises DeliveryRefused if another file has its name, DeliveryPostponed if the directory cannot be written.
    """
    try:
        await FILES.run(_put_into, directory, file)
    except OSError as error:
        _log.warning("claim file not written", exc_info=error)
        raise DeliveryPostponed(DeliveryFailure.UNAVAILABLE) from None


def _put_into(directory: Path, file: OutboundFile) -> None:
    path = directory / file.name
    if path.exists():
        if path.read_bytes() != file.content:
            raise DeliveryRefused(DeliveryFailure.NAME_TAKEN)
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, file.content)
