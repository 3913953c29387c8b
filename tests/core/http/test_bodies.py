"""Hostile bodies, queries and paths: refused in the contract's form, never with 500, never echoed."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from app.core.config import Settings
from app.core.ids import new_id
from app.core.permissions import Principal
from tests.core.chart_api import CANARY, canary_values
from tests.core.charts import Chart
from tests.core.evidence import checksum
from tests.core.http.contract import expect_refusal
from tests.support.actors import Actor

CHARTS = "/api/v1/probe/charts"
JSON = {"Content-Type": "application/json"}


def whole(**values: Any) -> dict[str, Any]:
    return {"incident_id": str(uuid.uuid4()), "number": "1", **values}


def with_raw(name: str, raw: str) -> bytes:
    """A valid body whose field `name` is this piece of JSON text."""
    return b'{"incident_id": "%s", "number": "1", "%s": %s}' % (
        str(uuid.uuid4()).encode(),
        name.encode(),
        raw.encode("utf-8", "surrogatepass"),
    )


@pytest.fixture
async def nothing_stored(chart: Chart, principal: Principal, admin_connection: Any) -> AsyncIterator[None]:
    before = await checksum(admin_connection, principal.tenant_id)
    yield
    assert await checksum(admin_connection, principal.tenant_id) == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "VALIDATION_FAILED"),
        (b"{'number': 1}", 422, "VALIDATION_FAILED"),
        (b"[1,]", 422, "VALIDATION_FAILED"),
        (b"nul", 422, "VALIDATION_FAILED"),
        (b'{"number": "1"} trailing', 422, "VALIDATION_FAILED"),
        (b"\xff\xfe\xfa", 400, "MALFORMED_REQUEST"),
        (b'{"number": "\xff\xfe"}', 400, "MALFORMED_REQUEST"),
        (b'{"number": "\xc3\x28"}', 400, "MALFORMED_REQUEST"),
        (b"[" * 100_000, 400, "MALFORMED_REQUEST"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "MALFORMED_REQUEST"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "MALFORMED_REQUEST"),
        (b"1" * 5000, 400, "MALFORMED_REQUEST"),
        (b"\x00", 422, "VALIDATION_FAILED"),
        (b" ", 422, "VALIDATION_FAILED"),
        (b"null", 422, "VALIDATION_FAILED"),
        (b"[]", 422, "VALIDATION_FAILED"),
        (b'"text"', 422, "VALIDATION_FAILED"),
        (b"{}", 422, "VALIDATION_FAILED"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_what_is_not_json_or_not_an_object(
    nothing_stored: None, medic: Actor, body: bytes, status: int, code: str
) -> None:
    expect_refusal(await medic.post(CHARTS, content=body, headers=JSON), status, code)


@pytest.mark.parametrize("depth", [32, 64, 100, 200, 254, 255, 300, 400, 500, 700, 900, 990, 2000, 20_000])
@pytest.mark.parametrize("bracket", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
async def test_any_depth_of_nesting_in_a_free_field_is_stored_or_refused(
    medic: Actor, depth: int, bracket: tuple[str, str]
) -> None:
    raw = f'{{"deep": {bracket[0] * depth}1{bracket[1] * depth}}}'
    answer = await medic.post(
        CHARTS, content=with_raw("vitals", raw).replace(b'"1"', f'"{new_id()}"'.encode()), headers=JSON
    )
    if answer.status_code == 201:
        assert depth <= 64
        stored = await medic.expect(200, "GET", f"{CHARTS}/{answer.json()['id']}")
        assert orjson.dumps(stored["vitals"]).count(bracket[0][0].encode()) >= depth
    else:
        assert answer.status_code in (400, 422)
        expect_refusal(
            answer, answer.status_code, "MALFORMED_REQUEST" if answer.status_code == 400 else "VALIDATION_FAILED"
        )
        assert depth > 32


HOSTILE = {
    "NUL": ("number", '"a\\u0000b"'),
    "NUL in a free field": ("vitals", '{"note": ["\\u0000"]}'),
    "NUL in a key": ("vitals", '{"a\\u0000": 1}'),
    "lone surrogate": ("number", '"\\ud800"'),
    "lone low surrogate": ("number", '"x\\udfff"'),
    "lone surrogate in a free field": ("vitals", '{"note": ["\\ud800"]}'),
    "lone surrogate in a key": ("vitals", '{"\\ud800": 1}'),
    "control character": ("number", '"\\u0007"'),
    "NaN": ("count", "NaN"),
    "Infinity": ("count", "Infinity"),
    "minus Infinity": ("count", "-Infinity"),
    "overflowing exponent": ("count", "1e400"),
    "NaN in a free field": ("vitals", '{"pulse": NaN}'),
    "Infinity in a free field": ("vitals", '{"pulse": [Infinity]}'),
    "overflowing exponent in a free field": ("vitals", '{"pulse": -1e999}'),
    "NaN for money": ("charge", '"NaN"'),
    "Infinity for money": ("charge", '"Infinity"'),
    "2^31": ("count", str(2**31)),
    "2^63": ("count", str(2**63)),
    "10^300": ("count", "1" + "0" * 300),
    "-1": ("count", "-1"),
    "fraction for an integer": ("count", "1.5"),
    "whole float for an integer": ("count", "2.0"),
    "text for an integer": ("count", '"2"'),
    "boolean for an integer": ("count", "true"),
    "integer for a boolean": ("flag", "1"),
    "text for a boolean": ("flag", '"true"'),
    "2^64 in a free field": ("vitals", '{"pulse": 18446744073709551616}'),
    "10^300 in a free field": ("vitals", f'{{"pulse": 1{"0" * 300}}}'),
    "too precise money": ("charge", '"1.001"'),
    "too much money": ("charge", '"10000000000.00"'),
    "negative money": ("charge", '"-0.01"'),
    "money with thousandths": ("charge", "1.101"),
    "money in exponents": ("charge", '"1e3"'),
    "money in other digits": ("charge", '"\\u0661\\u0662"'),
    "money with underscores": ("charge", '"1_000"'),
    "money with blanks": ("charge", '" 1"'),
    "time without zone": ("seen_at", '"2026-01-01T00:00:00"'),
    "time as a number": ("seen_at", "1700000000"),
    "time as a number in text": ("seen_at", '"1700000000"'),
    "date for a time": ("seen_at", '"2026-01-01"'),
    "time before its range": ("seen_at", '"0001-01-01T00:00:00Z"'),
    "time after its range": ("seen_at", '"9999-12-31T23:59:59Z"'),
    "time that shifts out of its range": ("seen_at", '"0001-01-01T00:00:00+23:59"'),
    "thirteenth month": ("seen_at", '"2026-13-01T00:00:00Z"'),
    "id of the wrong length": ("id", '"0190"'),
    "unknown field": ("tenant_id", '"5ad8fbd2-0bd0-4b4f-bb62-6b7bd0d0e0f1"'),
    "version on creation": ("version", "7"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_value_is_422_and_stores_nothing(nothing_stored: None, medic: Actor, name: str) -> None:
    field, raw = HOSTILE[name]
    answer = await medic.post(CHARTS, content=with_raw(field, raw), headers=JSON)
    expect_refusal(answer, 422, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    ("field", "raw", "expected"),
    [
        ("number", '"\\ud83d\\ude91 \\u202e bidi"', "\U0001f691  bidi"),
        ("charge", "1.1", "1.10"),
        ("number", '"tab\\tline\\nend"', "tab\tline\nend"),
        ("number", '"\'; DROP TABLE users; --"', "'; DROP TABLE users; --"),
        ("charge", '"9999999999.99"', "9999999999.99"),
        ("charge", '"0"', "0.00"),
        ("charge", "5", "5.00"),
        ("seen_at", '"2026-03-01T12:00:00-06:00"', "2026-03-01T18:00:00Z"),
        ("vitals", '{"pulse": 9223372036854775807, "temp": 36.6, "ok": [null, true, ""]}', None),
    ],
)
async def test_odd_and_valid_values_survive(medic: Actor, field: str, raw: str, expected: Any) -> None:
    body = (
        with_raw(field, raw)
        if field != "number"
        else b'{"incident_id": "%s", "number": %s}'
        % (
            str(uuid.uuid4()).encode(),
            raw.encode(),
        )
    )
    made = await medic.expect(201, "POST", CHARTS, content=body, headers=JSON)
    assert made[field] == (orjson.loads(raw) if expected is None else expected)
    assert await medic.expect(200, "GET", f"{CHARTS}/{made['id']}") == made


async def test_last_of_duplicate_keys_counts(medic: Actor) -> None:
    """RFC 8259 leaves it open; Python's parser keeps the last. Documented here so that nobody relies on the first."""
    body = b'{"number": "first", "incident_id": "%s", "number": "last"}' % str(uuid.uuid4()).encode()
    assert (await medic.expect(201, "POST", CHARTS, content=body, headers=JSON))["number"] == "last"


@pytest.mark.parametrize("version", [0, -1, 2**31, 2**63, 10**300, "1", 1.0, 1.5, True, None, [], {}])
async def test_version_that_cannot_be(nothing_stored: None, medic: Actor, chart: Chart, version: Any) -> None:
    body = (
        orjson.dumps({"version": version, "number": "x"}, default=str)
        if version not in (2**63, 10**300)
        else (b'{"version": %d, "number": "x"}' % version)
    )
    answer = await medic.patch(f"{CHARTS}/{chart.id}", content=body, headers=JSON)
    expect_refusal(answer, 422, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    "body",
    [
        {"version": 1},
        {"version": 1, "number": None},
        {"number": "x"},
        {"version": 1, "status": "closed", "number": "x"},
    ],
)
async def test_patch_that_says_too_little_or_too_much(
    nothing_stored: None, medic: Actor, chart: Chart, body: dict[str, Any]
) -> None:
    expect_refusal(await medic.patch(f"{CHARTS}/{chart.id}", json=body), 422, "VALIDATION_FAILED")


async def test_patch_without_effect_answers_the_same_version(medic: Actor, chart: Chart, admin_connection: Any) -> None:
    before = await checksum(admin_connection, chart.tenant_id)
    same = await medic.expect(200, "PATCH", f"{CHARTS}/{chart.id}", json={"version": 1, "number": chart.number})
    assert (same["version"], same["updated_at"]) == (1, chart.updated_at.isoformat().replace("+00:00", "Z"))
    assert await checksum(admin_connection, chart.tenant_id) == before


@pytest.mark.parametrize(
    "content_type",
    [
        None, "text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data",
        "application/jsonp", "application/json-patch+json", "text/json", "application", "/", ";", "application/jso n",
    ],
)  # fmt: skip
async def test_body_that_does_not_say_it_is_json_is_415(
    nothing_stored: None, medic: Actor, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await medic.post(CHARTS, content=orjson.dumps(whole()), headers=headers)
    expect_refusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON", " application/json ;x=1"],
)
async def test_body_that_says_it_is_json_is_read(medic: Actor, content_type: str) -> None:
    answer = await medic.post(CHARTS, content=orjson.dumps(whole()), headers={"Content-Type": content_type})
    assert answer.status_code == 201, answer.text


async def test_missing_body_is_422(nothing_stored: None, medic: Actor) -> None:
    expect_refusal(await medic.post(CHARTS), 422, "VALIDATION_FAILED")
    expect_refusal(await medic.post(CHARTS, headers=JSON), 422, "VALIDATION_FAILED")


async def test_415_and_413_come_before_the_token(chart_client: httpx.AsyncClient, settings: Settings) -> None:
    answer = await chart_client.post(CHARTS, content=b"x", headers={"Content-Type": "text/plain"})
    expect_refusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_large_body_is_413_declared_or_not(nothing_stored: None, medic: Actor, settings: Settings) -> None:
    large = b'{"number": "%s"}' % (b"a" * settings.max_body_bytes)
    expect_refusal(await medic.post(CHARTS, content=large, headers=JSON), 413, "PAYLOAD_TOO_LARGE")

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    answer = await medic.post(CHARTS, content=in_pieces(), headers=JSON)
    expect_refusal(answer, 413, "PAYLOAD_TOO_LARGE")
    lied = await medic.post(CHARTS, content=b"{}", headers={**JSON, "Content-Length": str(10**12)})
    expect_refusal(lied, 413, "PAYLOAD_TOO_LARGE")


async def test_body_of_exactly_the_limit_is_read(medic: Actor, settings: Settings) -> None:
    body = orjson.dumps(whole())
    padded = body + b" " * (settings.max_body_bytes - len(body))
    assert (await medic.post(CHARTS, content=padded, headers=JSON)).status_code == 201


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", ""])
async def test_content_length_that_is_no_length(medic: Actor, length: str) -> None:
    """A server refuses most of these before the app sees them; the app must not answer 500 all the same."""
    answer = await medic.post(CHARTS, content=orjson.dumps(whole()), headers={**JSON, "Content-Length": length})
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=201", "limit=2147483648", "limit=9223372036854775808", f"limit=1{'0' * 300}",
        "limit=abc", "limit=1.5", "limit=", "limit=NaN", "limit=%00", "cursor=abc", "cursor=%00", "cursor=" + "a" * 201,
        "cursor=%ff", "cursor=%ED%A0%80", "cursor=W10", "cursor=bnVsbA",
    ],
)  # fmt: skip
async def test_hostile_query_is_422(medic: Actor, query: str) -> None:
    expect_refusal(await medic.get(f"{CHARTS}?{query}"), 422, "VALIDATION_FAILED")


@pytest.mark.parametrize("value", ["%00", "a%00b", "%ED%A0%80", "%ff", "%F0%9F%9A%91", "%E2%80%AE", "'%20OR%201=1--"])
async def test_hostile_text_of_query_and_path_finds_nothing_or_is_refused(medic: Actor, value: str) -> None:
    for address in (f"{CHARTS}?number={value}", f"/api/v1/probe/lookup/{value}"):
        answer = await medic.get(address)
        if answer.status_code == 200:
            assert "%00" not in value
            assert answer.json() in ({"items": [], "next_cursor": None}, {"count": 0})
        else:
            expect_refusal(answer, 422, "VALIDATION_FAILED")


@pytest.mark.parametrize("number", [-1, 0, 2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**300])
async def test_integer_that_the_database_cannot_hold_is_422(medic: Actor, number: int) -> None:
    """Even where a route forgot its bounds."""
    by_path = await medic.get(f"/api/v1/probe/integers/{number}")
    by_query = await medic.get(f"/api/v1/probe/integers/1?version={number}")
    if -(2**31) <= number < 2**31:
        assert by_path.json() == {"count": number}
    else:
        expect_refusal(by_path, 422, "VALIDATION_FAILED")
    if number < 2**63:
        assert by_query.json() == {"count": 1}
    else:
        expect_refusal(by_query, 422, "VALIDATION_FAILED")


async def test_integer_of_five_thousand_digits_is_422(medic: Actor) -> None:
    expect_refusal(await medic.get(f"/api/v1/probe/integers/{'9' * 5000}"), 422, "VALIDATION_FAILED")


@pytest.mark.parametrize("given", ["x", "00000000", "%00", "1" * 5000, "..%2f..%2fetc%2fpasswd", CANARY])
async def test_id_of_the_path_that_is_none_is_refused(medic: Actor, given: str) -> None:
    answer = await medic.get(f"{CHARTS}/{given}")
    assert answer.status_code in (404, 422)
    expect_refusal(answer, answer.status_code, "NOT_FOUND" if answer.status_code == 404 else "VALIDATION_FAILED")


@pytest.mark.parametrize("body", canary_values(), ids=lambda body: type(body).__name__)
async def test_nothing_of_the_input_is_echoed(nothing_stored: None, medic: Actor, body: Any) -> None:
    answer = await medic.post(CHARTS, json=body)
    expect_refusal(answer, 422, "VALIDATION_FAILED")  # looks for the canary everywhere
    assert "1980" not in answer.text


async def test_names_of_unknown_fields_in_our_own_spelling_are_named(medic: Actor) -> None:
    """A mistyped field is worth naming; a key that may hold somebody's name is not."""
    details = expect_refusal(await medic.post(CHARTS, json=whole(patient_nam="x")), 422, "VALIDATION_FAILED")
    assert details["problems"] == [
        {"field": "patient_nam", "code": "extra_forbidden", "message": "There is no such field here."}
    ]
    details = expect_refusal(await medic.post(CHARTS, json=whole(**{"John Quill": "x"})), 422, "VALIDATION_FAILED")
    assert details["problems"][0]["field"] == "?"


async def test_canary_in_query_path_and_headers_is_not_echoed(medic: Actor) -> None:
    for answer in (
        await medic.get(f"{CHARTS}?limit={CANARY}"),
        await medic.get(f"{CHARTS}?cursor={CANARY}"),
        await medic.get(f"{CHARTS}/{CANARY}"),
        await medic.post(CHARTS, json=whole(), headers={"Idempotency-Key": f"{CANARY} {CANARY}"}),
    ):
        expect_refusal(answer, 422, "VALIDATION_FAILED")
    expect_refusal(await medic.get(f"/{CANARY}"), 404, "NOT_FOUND")
    answer = await medic.get("/nothing", headers={"X-Request-ID": CANARY})
    expect_refusal(answer, 404, "NOT_FOUND")
    assert CANARY not in str(answer.headers)
