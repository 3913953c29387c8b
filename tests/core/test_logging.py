"""What leaves the process by its log: declared keys only, no text of exceptions, no values; whose request it was."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import structlog

from app.core import context
from app.core.context import RequestContext, bind_context
from app.core.ids import TenantId, UserId, new_id
from app.core.logging import REDACTED, configure_logging, get_logger
from app.core.outbox import relay
from app.registry import LOG_KEYS
from tests.core.chart_api import CANARY, FAILURES, canary_values
from tests.core.charts import Chart
from tests.core.waiting import expect_eventually
from tests.support.actors import Actor, Agency

Logs = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logs() -> Iterator[Logs]:
    """Everything that is logged from now on, down to DEBUG."""
    stream = io.StringIO()
    configure_logging("DEBUG", LOG_KEYS)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))  # pytest owns sys.stdout
    yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]
    configure_logging("ERROR", LOG_KEYS)


@pytest.fixture(autouse=True)
def unbound() -> None:
    """No request of another test."""
    context._CURRENT.set(None)


def test_keys_that_were_not_declared_are_redacted(logs: Logs) -> None:
    get_logger("x").info("stored", patient=CANARY, status=200, body={"name": CANARY}, tenant=CANARY)
    [entry] = logs()
    assert (entry["event"], entry["status"], entry["component"], entry["level"]) == ("stored", 200, "x", "info")
    assert entry["patient"] == entry["body"] == entry["tenant"] == REDACTED
    assert CANARY not in str(entry)
    assert set(entry) - set(LOG_KEYS) == {"patient", "body", "tenant"}


def test_line_is_one_line_of_json_whatever_it_holds(logs: Logs) -> None:
    get_logger("x").warning("two\nlines", status={"at": {1, 2}}, location=[uuid.uuid4(), b"x"])
    assert len(logs()) == 1
    assert logs()[0]["event"] == "two\nlines"


def _fail(text: str) -> None:
    raise ValueError(text)


@pytest.mark.parametrize("how", ["exception", "given", "true", "chained", "group"])
def test_exception_is_its_kind_and_its_place(logs: Logs, how: str) -> None:
    log = get_logger("x")
    try:
        try:
            _fail(CANARY)
        except ValueError as error:
            if how == "chained":
                raise KeyError(CANARY) from error
            if how == "group":
                raise ExceptionGroup(CANARY, [error]) from None
            raise
    except Exception as error:
        error.add_note(CANARY)
        if how == "exception":
            log.exception("failed")
        elif how == "true":
            log.error("failed", exc_info=True)
        else:
            log.error("failed", exc_info=error)
    [entry] = logs()
    kinds = {"chained": "KeyError", "group": "ExceptionGroup"}
    assert entry["error_type"] == kinds.get(how, "ValueError")
    assert any("test_logging.py" in frame for frame in entry["location"])
    assert CANARY not in str(entry)


def test_request_and_its_people_are_bound(logs: Logs) -> None:
    tenant, user, request = TenantId(new_id()), UserId(new_id()), uuid.uuid4()
    get_logger("x").info("before")
    bind_context(RequestContext(request, route="/api/v1/x", tenant_id=tenant, actor_user_id=user))
    get_logger("x").info("inside")
    before, inside = logs()
    assert "request_id" not in before
    assert {name: inside[name] for name in ("request_id", "tenant_id", "actor_user_id", "route")} == {
        "request_id": str(request),
        "tenant_id": str(tenant),
        "actor_user_id": str(user),
        "route": "/api/v1/x",
    }


def test_records_of_libraries_give_their_template_and_not_their_arguments(logs: Logs) -> None:
    library = logging.getLogger("some.library")
    library.warning("row %s of %s refused", CANARY, 7)
    library.warning("%(patient)s refused", {"patient": CANARY})
    library.info("too chatty %s", 1)
    first, second = logs()
    assert (first["event"], first["component"], first["level"]) == ("row %s of %s refused", "some.library", "warning")
    assert second["event"] == "%(patient)s refused"
    assert CANARY not in str(logs())


def test_records_that_libraries_formatted_themselves_are_not_quoted(logs: Logs) -> None:
    """A text without arguments may be an f-string, and hold anything."""
    library = logging.getLogger("some.library")
    library.error(f"cannot store {CANARY}")
    library.error(ValueError(CANARY))
    try:
        _fail(CANARY)
    except ValueError:
        library.exception(f"cannot store {CANARY}")
    assert CANARY not in str(logs())
    assert [entry["component"] for entry in logs()] == ["some.library"] * 3
    assert all("test_logging.py" in str(entry["location"]) for entry in logs()), "the place says which record it was"
    assert logs()[2]["error_type"] == "ValueError"


async def test_task_that_fails_unheard_does_not_tell_why(logs: Logs) -> None:
    """asyncio prints the exception of a task that nobody awaited."""
    tasks = [asyncio.create_task(_fail_later())]
    await expect_eventually(lambda: tasks[0].done())
    tasks.clear()
    gc.collect()
    assert [entry["component"] for entry in logs()] == ["asyncio"]
    assert logs()[0]["error_type"] == "ValueError"
    assert CANARY not in str(logs())


async def _fail_later() -> None:
    _fail(CANARY)


@pytest.mark.parametrize("level", ["DEBUG", "info", "nonsense"])
def test_level_is_a_name_in_any_case(level: str) -> None:
    configure_logging(level, LOG_KEYS)
    configure_logging("ERROR", LOG_KEYS)
    assert logging.getLogger().level == logging.ERROR


async def test_request_is_one_line_without_its_address_or_body(logs: Logs, medic: Actor, chart: Chart) -> None:
    given = str(uuid.uuid4())
    address = f"/api/v1/probe/charts/{chart.id}"
    body = {"version": 1, "patient_name": CANARY}
    refused = await medic.patch(f"{address}?note={CANARY}", json=body, headers={"User-Agent": CANARY})
    assert refused.status_code == 422
    answer = await medic.patch(address, json=body, headers={"X-Request-ID": given, "User-Agent": CANARY})
    assert answer.status_code == 200
    first, entry = [entry for entry in logs() if entry["event"] == "request"]
    assert (first["status"], first["route"]) == (422, entry["route"])
    assert (entry["method"], entry["status"], entry["request_id"]) == ("PATCH", 200, given)
    assert entry["route"] == "/probe/charts/{chart_id}"
    assert entry["tenant_id"] == str(chart.tenant_id) and entry["actor_user_id"]
    assert entry["duration_ms"] >= 0
    assert CANARY not in str(logs())


async def test_canary_driven_through_every_failure_is_in_no_log(
    logs: Logs, medic: Actor, chart: Chart, capfd: pytest.CaptureFixture[str]
) -> None:
    for failure in FAILURES:
        answer = await medic.post(
            f"/api/v1/probe/charts/{chart.id}/raise/{failure}", headers={"X-Request-ID": str(uuid.uuid4())}
        )
        assert answer.status_code >= 400
        trace = answer.json()["error"]["trace_id"]
        mine = [entry for entry in logs() if entry.get("request_id") == trace]
        assert any(entry["event"] == "request" and entry["status"] == answer.status_code for entry in mine)
        if answer.status_code >= 500 and not failure.startswith("http"):
            told = [entry for entry in mine if entry["level"] in ("error", "warning")]
            assert told and all(entry["error_type"] and entry["location"] for entry in told), failure
    for body in canary_values():
        await medic.post("/api/v1/probe/charts", json=body)
    everything = str(logs())
    out, err = capfd.readouterr()
    assert CANARY not in everything + out + err


async def test_sign_in_logs_neither_address_nor_password(logs: Logs, agency: Agency, anonymous: Actor) -> None:
    email = f"medic@{agency.slug}.example"
    before = len(logs())
    for password in (agency.passwords[email], CANARY):
        await anonymous.post("auth/login", json={"tenant_slug": agency.slug, "email": email, "password": password})
    everything = str(logs())
    assert len(logs()) == before + 2
    assert not any(secret in everything for secret in (email, agency.passwords[email], CANARY, str(agency.medic.token)))


def test_logger_made_before_the_configuration_obeys_it(logs: Logs) -> None:
    relay._log.error("late", secret=CANARY)
    assert logs()[0]["secret"] == REDACTED and CANARY not in str(logs())
