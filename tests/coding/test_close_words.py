"""Misspelt words: the closest are found, and the same ones in every process."""

from __future__ import annotations

import asyncio
import itertools
import os
import string
import sys

from app.coding.search.words import CloseWords
from tests.support.database import ROOT

LIKE_IT = ["ch" + "".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=2)]
"""More words with a part of `chst` than are looked at."""
_ASK = f"""
from app.coding.search.words import CloseWords
words = CloseWords({[*LIKE_IT, *(word[::-1] for word in LIKE_IT)]!r})
print([words.find(word) for word in ("chst", "tshc", "chxyz", "zyxhc", "chaab")])
"""


def test_the_closest_word_is_found_among_many_like_it() -> None:
    words = CloseWords([word for word in LIKE_IT if not word.endswith("st")] + ["chest"])
    assert "chest" in words.find("chst")
    assert CloseWords(["cyst", "chest", "cast"]).find("chst") == ["chest"]
    assert CloseWords(["pain", "paint"]).find("pain") == ["pain"]
    assert CloseWords(["pain"]).find("pa") == CloseWords(["pain"]).find("pain1") == []


async def test_every_process_finds_the_same_words() -> None:
    """The order of a set of texts is another one in every process."""
    answers = set()
    for seed in ("1", "2", "3", "4"):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _ASK,
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == 0
        answers.add(output)
    assert len(answers) == 1
