"""The only normalisation of text that people type. Texts that look the same are stored the same.

Passwords, tokens and wordings that somebody signed are stored as they came. They do not pass this module.
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

_LONGEST_KEY = 100
# Default_Ignorable_Code_Point of Unicode (zero-width characters, soft hyphen, byte order mark, bidi controls, fillers,
# variation selectors, tags) and the interlinear annotations.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_BLANKS = "".join([" \t\n\r\x85\xa0\u1680", *map(chr, range(0x2000, 0x200B)), "\u2028\u2029\u202f\u205f\u2800\u3000"])


def without_invisibles(text: str) -> str:
    """`text` without its invisible characters."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def normalised(text: str) -> str:
    """`text` in NFC, without invisible characters and without blanks around it. Idempotent.

    A text of blanks becomes "". Control characters stay; the caller refuses them.
    """
    if text.isascii():
        return text.strip(_BLANKS)
    return unicodedata.normalize("NFC", without_invisibles(text)).strip(_BLANKS)


def name_key(name: str) -> str:
    """How names are compared when somebody is looked for: `Núñez-O'Brien` and `nunez obrien` have the same key.

    It has only lower-case letters and digits of ASCII, at most 100. Case, accents, blanks and punctuation do not count,
    and other scripts are romanised. It is "" for a name that has none of these. The key of the beginning of a name is
    the beginning of its key.
    """
    return "".join(char for char in anyascii(name).lower() if char.isalnum())[:_LONGEST_KEY]
