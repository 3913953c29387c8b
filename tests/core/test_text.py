"""Text as it is stored: what looks the same is the same, and what shows nothing is nothing."""

from __future__ import annotations

import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.auth.passwords import comparable
from app.core.auth.schemas import LoginRequest, ResetPasswordRequest
from app.core.schemas import BLANK, RequestModel, Text, Verbatim, Words, length
from app.core.text import normalised

SAME = [
    ("Zoe\u0308", "Zo\u00eb"),
    ("Ma\u200bria", "Maria"),
    ("Ma\u00adria", "Maria"),
    ("\ufeffMaria", "Maria"),
    ("\u202eMaria\u202c", "Maria"),
    ("\u2066Maria\u2069", "Maria"),
    ("Mar\u200d\u200cia", "Maria"),
    ("\u00a0 Maria\u3000\n", "Maria"),
    ("e\u200b\u0301", "\u00e9"),
    ("Mary  Ann", "Mary  Ann"),
    ("line\n\nline", "line\n\nline"),
    (" \t\u00a0\u200b\u3164\u2800 ", ""),
]


@pytest.mark.parametrize(("typed", "stored"), SAME)
def test_what_looks_the_same_is_stored_the_same(typed: str, stored: str) -> None:
    assert normalised(typed) == stored


@given(st.text())
def test_it_is_idempotent_and_loses_nothing_visible(typed: str) -> None:
    stored = normalised(typed)
    assert normalised(stored) == stored == unicodedata.normalize("NFC", stored)
    letters = [
        char for char in unicodedata.normalize("NFD", stored) if unicodedata.category(char) in ("Lu", "Ll", "Nd")
    ]
    assert letters == [
        char for char in unicodedata.normalize("NFD", typed) if unicodedata.category(char) in ("Lu", "Ll", "Nd")
    ]


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1f"])
def test_control_characters_are_left_for_the_door_to_refuse(char: str) -> None:
    assert normalised(f"{char}a{char}") == f"{char}a{char}"
    with pytest.raises(ValidationError):
        Note(name=f"Ann{char}")


class Note(RequestModel):
    name: Annotated[Text, length(5, 2)]
    more: Annotated[Text, length(5, 2)] | None = None
    reason: Annotated[Words, length(5)] | None = None
    wording: Annotated[Verbatim, length(9)] | None = None


def test_bounds_count_what_is_stored() -> None:
    assert Note(name="  e\u0301abcd\u200b  ").name == "\u00e9abcd"
    for blank in ("", " ", "\u200b", "\u3164\u00a0", " a "):
        with pytest.raises(ValidationError):
            Note(name=blank)


@pytest.mark.parametrize("blank", ["", "   ", "\u200b", "\u00a0\n"])
def test_blanks_are_null_where_null_is_a_value(blank: str) -> None:
    note = Note.model_validate({"name": "Ann", "more": blank, "reason": blank})
    assert (note.more, note.reason) == (None, None)
    assert note.model_fields_set == {"name", "more", "reason"}


def test_what_was_signed_or_is_secret_is_kept_as_it_came() -> None:
    assert Note(name="Ann", wording=" e\u0301\u200b ").wording == " e\u0301\u200b "
    password = " e\u0301\u200bcorrect horse battery "
    login = LoginRequest(tenant_slug="demo", email=" medic@demo.example ", password=password)
    assert login.email == "medic@demo.example"
    assert (
        login.password == ResetPasswordRequest(token=" t ", new_password=password).new_password == comparable(password)
    )
    assert comparable(password) == " \u00e9\u200bcorrect horse battery ", "two keyboards, one password; else as typed"
    assert ResetPasswordRequest(token=" t ", new_password=password).token == " t "


def test_the_schema_says_that_blanks_are_taken() -> None:
    arms = Note.model_json_schema()["properties"]["more"]["anyOf"]
    assert BLANK in arms
    assert "anyOf" not in Note.model_json_schema()["properties"]["name"]
