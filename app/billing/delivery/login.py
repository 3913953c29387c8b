"""The secret with which an agency signs in at its clearinghouse."""

from __future__ import annotations

import asyncssh
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, model_validator

from app.core.secrets.public import SecretKind

_WANTED = 'Give JSON: {"username": …, "password": …}, or {"username": …, "private_key": …, "passphrase": …}.'


class SftpLogin(BaseModel):
    """A user name, with either a password or a private key in OpenSSH's format."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    username: str
    password: SecretStr | None = None
    private_key: SecretStr | None = None
    passphrase: SecretStr | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> SftpLogin:
        if (self.password is None) == (self.private_key is None) or not self.username.strip():
            raise ValueError(_WANTED)
        if self.private_key is not None:
            self.key()
        return self

    def key(self) -> asyncssh.SSHKey | None:
        """The private key, if the login has one. Raises ValueError if it cannot be read."""
        if self.private_key is None:
            return None
        passphrase = None if self.passphrase is None else self.passphrase.get_secret_value()
        try:
            return asyncssh.import_private_key(self.private_key.get_secret_value(), passphrase)
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise ValueError(_WANTED) from error


def read_login(value: str) -> SftpLogin:
    """The login in a secret's value. Raises ValueError."""
    return SftpLogin.model_validate_json(value)


def _problem(value: str) -> str | None:
    try:
        read_login(value)
    except ValidationError:
        return _WANTED
    return None


CLEARINGHOUSE_LOGIN = SecretKind(
    "clearinghouse_sftp", "The login at the clearinghouse's SFTP server, as JSON.", problem=_problem
)
