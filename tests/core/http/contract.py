"""The error contract (directive 15), asserted in full."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.core.chart_api import CANARY

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def expect_refusal(answer: httpx.Response, status: int, code: str) -> Any:
    """The error's details, of an answer that keeps the contract in every respect."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"code", "message", "details", "trace_id"}
    assert error["code"] == code, answer.text
    assert error["message"].endswith(".") and isinstance(error["details"], dict)
    assert str(uuid.UUID(error["trace_id"])) == error["trace_id"] == answer.headers["x-request-id"]
    assert_headers(answer)
    for leak in (CANARY, CANARY.lower(), "Traceback", "asyncpg", "sqlalchemy", "SELECT", "probe.", "/app/", "Error("):
        assert leak not in answer.text
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 1
    return error["details"]


def assert_headers(answer: httpx.Response) -> None:
    """Security headers, each once."""
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value], name
    assert len(answer.headers.get_list("x-request-id")) == 1
