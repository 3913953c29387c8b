"""Values that break careless services, as raw JSON, query text and header bytes; and every place to put them."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

from tests.fuzz.document import alternatives

CANARY = "Quackenbush"
"""Stands in every hostile text; no error may say it."""

Place = tuple[str | int, ...]

NESTING = 100_000
JSON_VALUES: dict[str, str] = {
    "NUL": f'"{CANARY}\\u0000"',
    "lone surrogate": f'"{CANARY}\\ud800"',
    "control character": f'"{CANARY}\\u0007"',
    "noncharacter": f'"{CANARY}\\uffff"',
    "right-to-left override": f'"\\u202e{CANARY}"',
    "long text": f'"{CANARY * 1000}"',
    "SQL": f'"{CANARY}\'; DROP TABLE incidents; --"',
    "markup": f'"<{CANARY}>]]>&"',
    "X12 delimiters": f'"{CANARY}*:~^"',
    "path": f'"../../{CANARY}/%2e%2e/"',
    "text of a number": '"80"',
    "empty text": '""',
    "blank text": '" "',
    "astral text": '"\\ud83d\\ude91"',
    "10^300": "1" + "0" * 300,
    "1e400": "1e400",
    "NaN": "NaN",
    "-Infinity": "-Infinity",
    "-1": "-1",
    "0": "0",
    "-0.0": "-0.0",
    "0.1": "0.1",
    "2^31": str(2**31),
    "2^63": str(2**63),
    "decimal NaN": '"NaN"',
    "decimal of 300 digits": '"' + "9" * 300 + '"',
    "many decimals": '"0.' + "0" * 300 + '1"',
    "exponent": '"1e999999999"',
    "last instant": '"9999-12-31T23:59:59Z"',
    "first instant": '"0001-01-01T00:00:00+14:00"',
    "last date": '"9999-12-31"',
    "leap second": '"2026-06-30T23:59:60Z"',
    "nil id": '"00000000-0000-0000-0000-000000000000"',
    "true": "true",
    "null": "null",
    "empty list": "[]",
    "empty object": "{}",
    "list of nulls": "[null, null]",
    "list of objects": "[{}, {}]",
    "long list": "[" + ",".join(["1"] * 5000) + "]",
    "twice the same": f'["{CANARY}", "{CANARY}"]',
    "unknown key": f'{{"{CANARY} *": "{CANARY}"}}',
    "NUL in a key": f'{{"{CANARY}\\u0000": 1}}',
    "surrogate in a key": f'{{"{CANARY}\\udfff": 1}}',
    "duplicate keys": f'{{"value": 1, "value": "{CANARY}"}}',
    "prototype": '{"__proto__": {}, "__class__": [], "": 0}',
    "deep list": "[" * NESTING + "]" * NESTING,
    "deep object": '{"a":' * NESTING + "1" + "}" * NESTING,
}
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blank": b"  \n",
    "cut off": b'{"version": 1, "',
    "two values": b"{} {}",
    "trailing comma": b'{"version": 1,}',
    "single quotes": b"{'version': 1}",
    "byte order mark": b'\xef\xbb\xbf{"version": 0}',
    "UTF-16": '{"version": 0}'.encode("utf-16"),
    "UTF-32": '{"version": 0}'.encode("utf-32"),
    "not UTF-8": b'{"version": "\xff\xfe"}',
    "overlong UTF-8": b'{"version": "\xc0\x80"}',
    "encoded surrogate": b'{"version": "\xed\xa0\x80"}',
    "raw NUL": b'{"version": "\x00"}',
    "only NULs": b"\x00" * 64,
    "too large": b'{"version": "' + b"9" * 1_100_000 + b'"}',
    "a million digits": b'{"version": ' + b"9" * 1_000_000 + b"}",
}
QUERY_TEXTS: dict[str, str] = {
    "nothing": "",
    "NUL": f"{CANARY}%00",
    "not UTF-8": f"{CANARY}%ff%fe",
    "encoded surrogate": f"{CANARY}%ed%a0%80",
    "bare percent": f"{CANARY}%zz%",
    "line break": f"{CANARY}%0d%0aX-Injected:%20{CANARY}",
    "right-to-left override": f"%e2%80%ae{CANARY}",
    "SQL": f"{CANARY}%27%3B%20DROP%20TABLE%20incidents%3B--",
    "traversal": f"..%2f..%2f{CANARY}",
    "long text": CANARY * 1000,
    "-1": "-1",
    "0": "0",
    "2^31": str(2**31),
    "2^63": str(2**63),
    "10^5000": "1" + "0" * 5000,
    "1e400": "1e400",
    "NaN": "NaN",
    "Arabic digits": "%d9%a1",
    "last instant": "9999-12-31T23:59:59Z",
    "first instant": "0001-01-01T00:00:00%2B14:00",
    "nil id": "00000000-0000-0000-0000-000000000000",
    "id in braces": "%7B00000000-0000-0000-0000-000000000001%7D",
    "list": f"[%22{CANARY}%22]",
    "forged cursor": "WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTE0OjAwIiwgIjAiXQ",
    "cursor at the first instant": base64.b64encode(
        b'["0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000"]'
    ).decode(),
    "nested cursor": "W1tbW1tbW11dXV1dXV0",
}
HEADER_VALUES: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" ",
    "not ASCII": b"\xff\xfe" + CANARY.encode(),
    "UTF-8": "\u202e".encode() + CANARY.encode(),
    "long text": CANARY.encode() * 1000,
    "SQL": f"{CANARY}'; DROP TABLE incidents; --".encode(),
    "number": b"99999999999999999999",
    "tab": b"a\t" + CANARY.encode(),
    "comma": f"{CANARY}, {CANARY}".encode(),
    "id in braces": b"{00000000-0000-0000-0000-000000000001}",
}
HEADERS = (
    "authorization",
    "content-type",
    "content-encoding",
    "x-request-id",
    "idempotency-key",
    "accept",
    "host",
    "origin",
    "range",
    "x-forwarded-for",
    "traceparent",
)
_MARK = "\ue000 here \ue000"


def places(schema: dict[str, Any], depth: int = 4) -> Iterator[Place]:
    """Every field of a body, in objects and lists within it too; a map has one key of each kind of NEMSIS element."""
    if depth == 0:
        return
    for variant in alternatives(schema):
        for name, inner in variant.get("properties", {}).items():
            yield (name,)
            yield from ((name, *rest) for rest in places(inner, depth - 1))
        if isinstance(keyed := variant.get("additionalProperties"), dict):
            for name in ("eVitals.26", "eResponse.05", "eScene.11"):
                yield (name,)
                yield from ((name, *rest) for rest in places(keyed, depth - 1))
        if isinstance(items := variant.get("items"), dict):
            yield (0,)
            yield from ((0, *rest) for rest in places(items, depth - 1))


def with_value(body: Any, place: Place, fragment: str) -> bytes:
    """`body` as JSON with `fragment`, which need not be JSON, at `place`."""
    changed = copy.deepcopy(body)
    holder: Any = {"": changed}
    for key, step in zip(("", *place), (*place, None), strict=True):
        if isinstance(holder, list):
            holder.extend([None] * (1 - len(holder)))
        if step is None:
            holder[key] = _MARK
            return json.dumps(_root(changed, place), ensure_ascii=False).replace(f'"{_MARK}"', fragment).encode()
        wanted: type = list if isinstance(step, int) else dict
        present = holder.get(key) if isinstance(holder, dict) else holder[key]
        if not isinstance(present, wanted):
            holder[key] = present = wanted()
        holder = present
    raise AssertionError("unreachable")


def _root(changed: Any, place: Place) -> Any:
    return changed if place else _MARK


def with_key_twice(body: dict[str, Any], name: str) -> bytes:
    """`body` with `name` a second time, with another value."""
    rest = json.dumps(body)[1:]
    return f'{{"{name}": "{CANARY}"{", " if body else ""}{rest}'.encode()
