"""Request models: one reading of every value, bounds that the database can hold, nothing accepted that is ignored."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import app.main  # noqa: F401  # every request model of the service
from app.core.geography import ANSI_BY_USPS, State, Zip
from app.core.identifiers import Npi
from app.core.schemas import (
    MAX_INT,
    MAX_NESTING,
    CreateModel,
    Date,
    EntityRead,
    Instant,
    Money,
    RequestModel,
    Text,
    Version,
    VersionedPatch,
    length,
)
from app.core.tenants.schemas import Ein, Phone, TenantPatch

instants: TypeAdapter[dt.datetime] = TypeAdapter(Instant)
dates: TypeAdapter[dt.date] = TypeAdapter(Date)
money: TypeAdapter[Decimal] = TypeAdapter(Money)


def in_other_digits(number: str, zero: str) -> str:
    """The same number in the digits of another alphabet, whose zero is given; Python's int() reads them all."""
    return "".join(chr(ord(zero) + int(digit)) for digit in number)


def refuses(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return True
    return False


@given(st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2099, 12, 30), timezones=st.timezones()))
def test_instants_are_read_with_their_offset_and_kept_in_utc(moment: dt.datetime) -> None:
    offset = moment.utcoffset()
    assert offset is not None
    moment = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=offset // dt.timedelta(minutes=1))))
    read = instants.validate_python(moment.isoformat())
    assert read == moment and read.tzinfo is dt.UTC


@pytest.mark.parametrize(
    "value",
    [
        "", "now", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01T12:00:00+25:00", "2026-02-30T12:00:00Z",
        "1700000000", "1700000000.5", "-1", "0", 0, 1700000000, 1.5, True, None, [], {}, "1899-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "20260301T120000Z", "2026-03-01T12:00:00Z\n", " 2026-03-01T12:00:00Z",
        in_other_digits("2026", "\uff10") + "-03-01T12:00:00Z", uuid.uuid4(),
    ],
)  # fmt: skip
def test_what_is_no_instant(value: Any) -> None:
    assert refuses(instants, value)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)))
def test_dates_round_trip(date: dt.date) -> None:
    assert dates.validate_python(date.isoformat()) == date


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-02-30",
        "2026-3-1",
        "20260301",
        "2026-03-01T00:00:00",
        "2026-03-01T00:00:00Z",
        "1899-12-31",
        "2100-01-01",
        "0",
        0,
        1.5,
        True,
        None,
    ],
)
def test_what_is_no_date(value: Any) -> None:
    assert refuses(dates, value)


@given(st.decimals(0, Decimal("9999999999.99"), places=2))
def test_money_round_trips_to_the_cent(amount: Decimal) -> None:
    read = money.validate_python(str(amount))
    assert read == amount and str(read) == f"{abs(amount):.2f}"


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_money_is_exact_or_refused(amount: Decimal) -> None:
    text = str(amount)
    try:
        read = money.validate_python(text)
    except ValidationError:
        return
    assert read == Decimal(text) and 0 <= read <= Decimal("9999999999.99")


@pytest.mark.parametrize(
    "value",
    [
        "",
        " 1",
        "1 ",
        "1_000",
        "1,000",
        "1e3",
        "1.",
        ".5",
        "0x10",
        "NaN",
        "inf",
        "-1",
        "1.001",
        "10000000000",
        "$1",
        in_other_digits("1", "\u0660"),
        1.001,
        float("nan"),
        True,
        None,
        [],
        b"1",
        "1\n",
    ],
)
def test_what_is_no_money(value: Any) -> None:
    assert refuses(money, value)


@pytest.mark.parametrize("value", [1, 2, MAX_INT])
def test_versions(value: int) -> None:
    assert TypeAdapter(Version).validate_python(value) == value


@pytest.mark.parametrize("value", [0, -1, MAX_INT + 1, 2**63, 10**300, "1", 1.0, True, None, Decimal(1)])
def test_what_is_no_version(value: Any) -> None:
    assert refuses(TypeAdapter(Version), value)


class Sample(RequestModel):
    name: Annotated[Text, length(10)] | None = None
    free: Any = None


def depth_of(levels: int, *, lists: bool) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("lists", [True, False])
def test_nesting_ends_somewhere(lists: bool) -> None:
    assert Sample(free=depth_of(MAX_NESTING - 1, lists=lists))
    for levels in (MAX_NESTING + 1, 1_000, 100_000):
        with pytest.raises(ValidationError, match="nested too deeply"):
            Sample(free=depth_of(levels, lists=lists))


storable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(storable)
def test_free_json_that_can_be_stored_is_taken_as_it_is(value: Any) -> None:
    large = [number for number in _numbers(value) if abs(number) > 2**63 - 1]
    if large:
        with pytest.raises(ValidationError):
            Sample(free=value)
    else:
        assert Sample(free=value).free == value


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, int | float) else []


@pytest.mark.parametrize(
    "value", ["\x00", "\ud800", float("nan"), float("inf"), -float("inf"), 2**63, -(2**63), 10**400, 1e300],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("place", ["bare", "list", "object", "deep"])
def test_free_json_that_cannot_be_stored_is_refused(value: Any, place: str) -> None:
    placed = {"bare": value, "list": [1, value], "object": {"a": value}, "deep": {"a": [{"b": [value]}]}}[place]
    with pytest.raises(ValidationError) as refused:
        Sample(free=placed)
    assert repr(value) not in str(refused.value)


def test_keys_are_checked_too() -> None:
    for key in ("\x00", "\ud800"):
        with pytest.raises(ValidationError):
            Sample(free={"a": {key: 1}})


class SamplePatch(VersionedPatch):
    name: Annotated[Text, length(10)] = ""
    note: Annotated[Text, length(10)] | None = None
    reason: Annotated[Text, length(10)] | None = None


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({"version": 1, "name": "a"}, {"name": "a"}),
        ({"version": 1, "note": None}, {"note": None}),
        ({"version": 1, "note": "x", "reason": "why"}, {"note": "x"}),
    ],
)
def test_patch_changes_what_was_sent(given: dict[str, Any], changes: dict[str, Any]) -> None:
    assert SamplePatch.model_validate(given).changes() == changes


@pytest.mark.parametrize(
    "given",
    [
        {"version": 1},
        {"version": 1, "reason": "why"},
        {"name": "a"},
        {"version": None, "name": "a"},
        {"version": 1, "name": None},
        {"version": 1, "name": ""},
        {"version": 1, "name": "a" * 11},
        {"version": 1, "name": 5},
        {"version": 1, "other": "a"},
        {"version": 1, "name": "a", "id": str(uuid.uuid4())},
    ],
)
def test_patch_that_says_nothing_or_something_else(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SamplePatch.model_validate(given)


def all_models(base: type[Any]) -> list[type[Any]]:
    found = [model for model in base.__subclasses__() if model.__module__.startswith("app.")]
    return [*found, *(deeper for model in found for deeper in all_models(model))]


@pytest.mark.parametrize("model", all_models(RequestModel), ids=lambda model: model.__name__)
def test_request_models_of_the_service_are_closed_and_strict(model: type[RequestModel]) -> None:
    """Left to itself, pydantic takes "1" for a number, 1 for a boolean and unknown fields for nothing."""
    assert model.model_config["extra"] == "forbid"
    lax = {"string": 5, "integer": "5", "boolean": "true", "number": "5"}
    schema = model.model_json_schema()
    for name, described in schema.get("properties", {}).items():
        kinds = {described.get("type")} | {part.get("type") for part in described.get("anyOf", ())}
        plain = (
            len(kinds - {None, "null"}) == 1 and "format" not in described and "pattern" not in json.dumps(described)
        )
        [kind] = kinds - {None, "null"} if plain else [None]
        if kind in lax:
            errors = _errors(model, {name: lax[kind]})
            assert any(error["loc"][0] == name for error in errors if error["loc"]), f"{model.__name__}.{name}"


def _errors(model: type[RequestModel], given: dict[str, Any]) -> list[Any]:
    try:
        model.model_validate(given)
    except ValidationError as error:
        return list(error.errors())
    return []


@pytest.mark.parametrize("model", all_models(CreateModel), ids=lambda model: model.__name__)
def test_creates_accept_a_client_made_id_and_no_bookkeeping(model: type[CreateModel]) -> None:
    assert "id" in model.model_fields
    assert not {"tenant_id", "version", "created_at", "updated_at", "deleted_at", "status"} & set(model.model_fields)


@pytest.mark.parametrize("model", all_models(VersionedPatch), ids=lambda model: model.__name__)
def test_patches_cannot_change_bookkeeping(model: type[VersionedPatch]) -> None:
    assert not {"id", "tenant_id", "created_at", "updated_at", "deleted_at", "status"} & set(model.model_fields)


@pytest.mark.parametrize("model", all_models(EntityRead), ids=lambda model: model.__name__)
def test_reads_carry_the_bookkeeping(model: type[EntityRead]) -> None:
    assert {"id", "version", "created_at", "updated_at"} <= set(model.model_fields)
    assert model.model_config.get("frozen") is True


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            Npi,
            "1234567893",
            [
                "1467890121",
                "146789012",
                "12345678930",
                in_other_digits("1467890120", "\u0660"),
                in_other_digits("1234567893", "\uff10"),
            ],
        ),
        (Ein, "371234567", ["37123456", in_other_digits("371234567", "\u0660")]),
        (Phone, "2175550100", ["217555010", in_other_digits("2175550100", "\u0660")]),
        (Zip, "62701-1000", ["6270", "62701-", in_other_digits("62701", "\u0660"), "62701-10000"]),
        (State, "IL", ["il", "XX", "ILL", ""]),
    ],
)
def test_identifiers_are_ascii(kind: Any, good: str, bad: list[str]) -> None:
    """They go into X12 and NEMSIS documents, where another alphabet's digit is no digit."""
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    assert adapter.validate_python(good) == good
    assert [value for value in bad if not refuses(adapter, value)] == []


def test_states_and_codes_are_one_to_one() -> None:
    assert len(ANSI_BY_USPS) == len(set(ANSI_BY_USPS.values())) == 59
    assert all(len(usps) == 2 and len(ansi) == 2 and ansi.isdecimal() for usps, ansi in ANSI_BY_USPS.items())


@pytest.mark.parametrize("zone", ["America/Chicago", "America/Phoenix", "Pacific/Honolulu"])
def test_time_zones(zone: str) -> None:
    assert TenantPatch(version=1, time_zone=zone).changes() == {"time_zone": zone}


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Chicago",
        "america/chicago",
        "../etc/passwd",
        "America/Chicago\x00",
        "UTC+5",
        "localtime",
        "EST",
        "UTC",
        "Etc/GMT+6",
    ],
)
def test_what_is_no_time_zone(zone: str) -> None:
    with pytest.raises(ValidationError):
        TenantPatch(version=1, time_zone=zone)
