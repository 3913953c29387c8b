"""Refusals about secrets."""

from __future__ import annotations

from app.core.errors import AppError


class SecretNotSet(AppError):
    """The code that needs a secret raises it; `details.name` says which one an administrator has to set."""

    status = 409
    code = "SECRET_NOT_SET"
    title = "The agency has not set a secret that this needs."
    shows = {"name": "the secret that an administrator has to set"}


class TwoVersionsValid(AppError):
    """A third version would leave outside systems that still use the first without a valid one."""

    status = 409
    code = "SECRET_HAS_TWO_VERSIONS"
    title = "Two versions are valid already; retire the previous one first."


class VersionIsCurrent(AppError):
    """Outside systems use this version; only the previous one can be retired."""

    status = 409
    code = "SECRET_VERSION_IS_CURRENT"
    title = "This is the current version; rotate the secret first, or delete it."


class SecretUnreadable(AppError):
    """The key is not among the service's keys, or the ciphertext belongs to another agency, secret or version."""

    status = 500
    code = "SECRET_UNREADABLE"
    title = "A stored secret cannot be decrypted."
