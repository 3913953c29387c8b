"""Accepted passwords are long enough, short enough for bcrypt, and hard to guess even for people who know the user."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from zxcvbn import zxcvbn

from app.core.auth.passwords import MAX_PASSWORD_BYTES, comparable
from app.core.errors import ValidationFailed
from app.core.pools import PASSWORDS
from app.core.schemas import Verbatim

SHORTEST = 12
LOWEST_SCORE = 3
"""zxcvbn's "safely unguessable": more than 10^8 guesses."""
_WORDS = re.compile(r"[\W_]+")
_zxcvbn_lock = threading.Lock()


def _of_good_length(value: str) -> str:
    if len(value) < SHORTEST:
        raise PydanticCustomError("password_too_short", "A password has at least 12 characters")
    if len(value.encode()) > MAX_PASSWORD_BYTES:
        raise PydanticCustomError("password_too_long", "A password has at most 72 bytes")
    return value


NewPassword = Annotated[
    Verbatim,
    Field(json_schema_extra={"minLength": SHORTEST, "maxLength": MAX_PASSWORD_BYTES}),
    AfterValidator(comparable),
    AfterValidator(_of_good_length),
]


async def require_strong(password: str, personal: Iterable[str]) -> None:
    """`personal` holds known facts of the user. Raises ValidationFailed with a code, never with the password.

    The estimate runs in a thread, because it takes tens of milliseconds of CPU.
    """
    if await PASSWORDS.run(_score, password, _known(personal)) < LOWEST_SCORE:
        raise ValidationFailed.of("new_password", "password_too_weak", "This password is too easy to guess.")


def _known(personal: Iterable[str]) -> list[str]:
    """Each text as a whole and its words."""
    return [word for text in personal for word in (text, *_WORDS.split(text)) if word]


def _score(password: str, known: list[str]) -> int:
    """Runs one at a time, because zxcvbn keeps the personal words in a variable of its module."""
    with _zxcvbn_lock:
        score: int = zxcvbn(password, user_inputs=known)["score"]
        return score
