"""Messages about a field say its name and what it takes, whatever was wrong with the value."""

from __future__ import annotations

import uuid
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from app.core.addresses import Region
from app.core.http import invalid
from app.core.schemas import AsCharted, Date, DecimalText, Instant, RequestModel, Text, length, whole

TIME = "2026-03-09T14:05:00-05:00"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(RequestModel):
    size: Annotated[int, whole(1, 3)]


class Form(RequestModel):
    name: Annotated[Text, length(60)] = Field("", examples=["Rivers"])
    nickname: Annotated[Text, length(8)] | None = None
    state: Region | None = None
    plate: Annotated[Text, Field(pattern=r"^[A-Z]+$")] | None = None
    born: Date | None = None
    at: Instant | None = None
    pulse: Annotated[int, whole(0, 500)] | None = None
    dose: Annotated[Decimal, DecimalText, Field(ge=0, le=50, decimal_places=1)] | None = None
    weight: Annotated[Decimal, DecimalText, Field(ge=0), AsCharted(1)] | None = None
    colour: Colour | None = None
    who: uuid.UUID | None = None
    sure: Annotated[bool, Field(strict=True)] = False
    codes: Annotated[list[Text], Field(max_length=2)] = []
    inner: Inner | None = None
    inners: list[Inner] = []


def _message(body: dict[str, Any], model: type[Form] | None = Form) -> str:
    with pytest.raises(ValidationError) as raised:
        Form.model_validate(body)
    [problem] = invalid(raised.value.errors(), model).details["problems"]
    return str(problem["message"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": ""}, "name must be text of 1 to 60 characters, such as Rivers."),
        ({"name": 7}, "name must be text of 1 to 60 characters, such as Rivers."),
        ({"nickname": "Methuselah"}, "nickname must be text of 1 to 8 characters."),
        ({"nickname": 7}, "nickname must be text of 1 to 8 characters."),
        ({"plate": "il 7"}, "plate must be text of the required form."),
        ({"weight": "61.25"}, "weight must be a decimal number of at least 0 with at most 1 decimal place."),
        ({"state": "il"}, "state must be text, such as IL."),
        ({"born": "9 May"}, "born must be a date, such as 1984-06-30."),
        ({"at": "2026-03-01"}, f"at must be a date and time with its offset from UTC, such as {TIME}."),
        ({"pulse": "80"}, "pulse must be a whole number from 0 to 500."),
        ({"pulse": 501}, "pulse must be a whole number from 0 to 500."),
        ({"dose": "much"}, "dose must be a decimal number from 0 to 50 with at most 1 decimal place."),
        ({"dose": 1.55}, "dose must be a decimal number from 0 to 50 with at most 1 decimal place."),
        ({"colour": "green"}, "colour must be one of red, blue."),
        ({"who": "me"}, "who must be a UUID."),
        ({"sure": "yes"}, "sure must be true or false."),
        ({"codes": ["a", "b", "c"]}, "codes must be a list of at most 2 items."),
        ({"codes": [1]}, "each of codes must be text."),
        ({"inner": {}}, "size is required: a whole number from 1 to 3."),
        ({"inners": [{"size": 1}, {"size": 4}]}, "size must be a whole number from 1 to 3."),
        ({"inner": 1}, "inner must be an object."),
        ({"nmae": "x"}, "There is no such field here."),
    ],
    ids=str,
)
def test_a_message_says_what_the_field_takes(body: dict[str, Any], message: str) -> None:
    assert _message(body) == message


def test_without_the_model_the_message_says_what_the_error_knows() -> None:
    assert _message({"pulse": 501}, None) == "pulse must be at most 500."
    assert _message({"name": ""}, None) == "name must be text of at least 1 character."
    assert _message({"colour": "green"}, None) == "colour must be one of 'red' or 'blue'."


def test_the_value_is_in_no_message() -> None:
    for field in Form.model_fields:
        value = {"Zebra": "Zebra"}
        assert "Zebra" not in _message({field: value if field != "inner" else "Zebra"})
