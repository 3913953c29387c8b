"""Password hashes. bcrypt runs in a thread, because one hash costs a quarter of a second of CPU."""

from __future__ import annotations

import unicodedata

from passlib.context import CryptContext

from app.core.pools import PASSWORDS

MAX_PASSWORD_BYTES = 72


def comparable(password: str) -> str:
    """The password in NFKC (NIST SP 800-63B). Two keyboards may write one character in two ways. Idempotent."""
    return unicodedata.normalize("NFKC", password)


class PasswordHasher:
    """`rounds` is bcrypt's cost. An unknown account is verified against a decoy, so that it takes as long."""

    def __init__(self, rounds: int) -> None:
        self._context = CryptContext(schemes=["bcrypt"], bcrypt__rounds=rounds)
        self._decoy = self._context.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        """The hash. Raises ValueError over 72 bytes, because bcrypt would ignore the rest."""
        password = comparable(password)
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            raise ValueError("a password has at most 72 bytes")
        return await PASSWORDS.run(self._context.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """True if the password is right. A wrong password and an account without one cost the same work."""
        password = comparable(password)
        try:
            fits = len(password.encode()) <= MAX_PASSWORD_BYTES
        except UnicodeEncodeError:  # a lone surrogate, which no hashed password contains
            fits = False
        given = password if fits else ""
        matches = await PASSWORDS.run(self._context.verify, given, stored or self._decoy)
        return matches and fits and stored is not None
