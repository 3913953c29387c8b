"""The public key of an SFTP server, as OpenSSH writes it: `ssh-ed25519 AAAA…`."""

from __future__ import annotations

import asyncssh


def read_host_key(text: str) -> asyncssh.SSHKey:
    """The key. Raises ValueError for what is no public key."""
    try:
        return asyncssh.import_public_key(text)
    except asyncssh.KeyImportError as error:
        raise ValueError("not a public key") from error
