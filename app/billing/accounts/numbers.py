"""Numbers of billing accounts: random, so that nobody guesses one from another, and with a check character."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32. It lacks I, L, O and U, which people mistake for digits and each other."""
_RANDOM = 9


def new_account_number() -> str:
    """Nine random characters and the check character: one of 3.5 * 10^13."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
    return random + check_character(random)


def check_character(text: str) -> str:
    """By the Luhn algorithm modulo 32. One wrong character is always noticed."""
    base, total = len(ALPHABET), 0
    for place, character in enumerate(reversed(text)):
        value = ALPHABET.index(character) * (1 if place % 2 else 2)
        total += value // base + value % base
    return ALPHABET[-total % base]
