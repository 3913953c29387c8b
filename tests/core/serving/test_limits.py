"""What a client may cost the web server: the limits of one connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import repeat
from typing import Any

import pytest

from app.core.config import Settings
from app.core.serving.settings import ServingSettings
from tests.core.http.contract import expect_refusal
from tests.core.serving.process import Server, serving
from tests.core.waiting import expect_eventually
from tests.support.actors import Agency

LIMITS = {
    "max_connections": 64,
    "request_head_seconds": 1,
    "request_body_seconds": 1,
    "request_body_rate": 200,
    "response_stall_seconds": 1,
    "keep_alive_seconds": 2,
}
GET = b"GET /health/live HTTP/1.1\r\nHost: test\r\n"


@pytest.fixture(scope="module")
async def process(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(settings, tmp_path_factory.mktemp("serving") / "said", **LIMITS) as server:
        yield server


@pytest.fixture
async def server(process: Server) -> AsyncIterator[Server]:
    """The running server; it must be well afterwards, and have said nothing."""
    yield process
    await process.hang_up()
    assert (await process.get("/health/ready")).status_code == 200
    said = process.said.read_text()
    assert "Traceback" not in said and "ResourceWarning" not in said and "unhandled" not in said, said


def creation(agency: Agency, number: str) -> tuple[bytes, bytes]:
    """Head (without length) and body of the request that opens a chart."""
    head = b"POST /api/v1/ems/incidents HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    head += b"Authorization: Bearer %b\r\n" % str(agency.medic.token).encode()
    return head, json.dumps({"incident_number": number}).encode()


async def charts_of(agency: Agency) -> list[Any]:
    listed: list[Any] = (await agency.medic.expect(200, "GET", "ems/incidents"))["items"]
    return listed


async def test_request_within_the_limits_is_answered_and_the_connection_serves_again(server: Server) -> None:
    line = await server.connect()
    for _ in range(3):
        await line.send(GET, b"X-Note: %b\r\n" % (b"n" * 10_000), *(b"X-N: %d\r\n" % n for n in range(90)), b"\r\n")
        assert (await line.answer()).status_code == 200
    assert await line.is_closed(), "and not for ever"


def test_connection_outlives_the_idle_time_of_a_balancer() -> None:
    assert ServingSettings().keep_alive_seconds > 60


@pytest.mark.parametrize(
    "head",
    [
        pytest.param([GET, b"X-A: 1\r\n" * 101, b"\r\n"], id="many"),
        pytest.param([GET, b"X-A: %b\r\n" % (b"a" * 20_000), b"\r\n"], id="one long"),
        pytest.param([GET, *[b"X-A: %b\r\n" % (b"a" * 1000)] * 20, b"\r\n"], id="together long"),
        pytest.param([b"GET /%b HTTP/1.1\r\nHost: test\r\n\r\n" % (b"a" * 20_000)], id="address"),
        pytest.param([b"GET /health/live?a=", *repeat(b"a" * 10_000, 50)], id="address without an end"),
        pytest.param([GET, b"X-A: ", *repeat(b"a" * 10_000, 50)], id="value without an end"),
        pytest.param([GET, *repeat(b"a" * 10_000, 50)], id="name without an end"),
    ],
)
async def test_headers_beyond_the_limits_are_refused(server: Server, head: list[bytes]) -> None:
    line = await server.connect()
    await line.send(*head)
    answer = await line.answer()
    expect_refusal(answer, 431, "HEADERS_TOO_LARGE")
    assert answer.headers["connection"] == "close"
    assert await line.is_closed()


async def test_trailers_without_an_end_are_refused_and_nothing_happens(server: Server, agency: Agency) -> None:
    head, body = creation(agency, "26-trailers")
    line = await server.connect()
    await line.send(head, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX-A: " % (len(body), body))
    await line.send(*[b"a" * 10_000] * 100)
    expect_refusal(await line.answer(), 431, "HEADERS_TOO_LARGE")
    assert await charts_of(agency) == []


async def test_trailers_are_no_headers(server: Server, agency: Agency) -> None:
    """A proxy vouches for the headers that it forwards, and never for what follows a body."""
    head, body = creation(agency, "26-trailer")
    line = await server.connect()
    trailer = next(part for part in head.split(b"\r\n") if part.startswith(b"Authorization"))
    head = head.replace(trailer + b"\r\n", b"")
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n%b\r\n\r\n"
    await line.send(head + chunked % (len(body), body, trailer))
    expect_refusal(await line.answer(), 401, "UNAUTHENTICATED")
    assert await charts_of(agency) == []


async def test_header_that_arrives_in_parts_counts_once(server: Server) -> None:
    line = await server.connect()
    await line.send(GET, b"X-Note: ", *[b"n" * 500] * 20, b"\r\n\r\n", pause=0.01)
    assert (await line.answer()).status_code == 200


async def test_the_frames_of_a_chunked_body_are_no_headers(server: Server, agency: Agency) -> None:
    """Each arrives by itself; together they are longer than MAX_HEADER_BYTES."""
    head, body = creation(agency, "26-chunks")
    size, blank = b"1;" + b"a" * 3000, b" "
    line = await server.connect()
    await line.send(head, b"Transfer-Encoding: chunked\r\n\r\n", pause=0.01)
    await line.send(*[size, b"\r\n" + blank, b"\r\n"] * 8, pause=0.01)
    await line.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    assert (await line.answer()).status_code == 201


async def test_refusal_of_what_was_sent_ahead_is_no_answer_to_the_first_request(server: Server) -> None:
    ahead = b"POST /health/live HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n"
    line = await server.connect()
    await line.send(GET + b"\r\n" + ahead)
    assert await line.is_closed()


async def test_head_that_drips_is_refused(server: Server) -> None:
    line = await server.connect()
    sending = asyncio.create_task(line.send(GET, *repeat(b"X-A: 1\r\n", 90), pause=0.1))
    expect_refusal(await line.answer(), 408, "REQUEST_TIMEOUT")
    assert await line.is_closed()
    sending.cancel()


async def test_second_head_that_drips_is_refused(server: Server) -> None:
    line = await server.connect()
    await line.send(GET + b"\r\n")
    assert (await line.answer()).status_code == 200
    sending = asyncio.create_task(line.send(GET, *repeat(b"X-A: 1\r\n", 90), pause=0.1))
    expect_refusal(await line.answer(), 408, "REQUEST_TIMEOUT")
    sending.cancel()


async def test_connection_that_says_nothing_is_closed_without_a_word(server: Server) -> None:
    assert await (await server.connect()).is_closed()


async def test_connection_that_sends_empty_lines_is_closed(server: Server) -> None:
    line = await server.connect()
    await line.send(b"\r\n")
    assert await line.is_closed()


@pytest.mark.parametrize("part", [b"", b" "])
async def test_body_that_drips_is_refused_and_nothing_happens(server: Server, agency: Agency, part: bytes) -> None:
    head, body = creation(agency, "26-drip")
    line = await server.connect()
    await line.send(head, b"Content-Length: 10000\r\n\r\n", body)
    sending = asyncio.create_task(line.send(*repeat(part, 1000), pause=0.05))
    expect_refusal(await line.answer(), 408, "REQUEST_TIMEOUT")
    assert await line.is_closed()
    sending.cancel()
    assert await charts_of(agency) == []


async def test_long_body_that_keeps_the_rate_is_taken(server: Server, agency: Agency) -> None:
    """Longer than REQUEST_BODY_SECONDS."""
    head, body = creation(agency, "26-steady")
    space = b" " * 1000
    line = await server.connect()
    await line.send(head, b"Content-Length: %d\r\n\r\n" % (len(body) + 8 * len(space)))
    await line.send(*[space] * 8, body, pause=0.25)
    assert (await line.answer()).status_code == 201
    assert [chart["incident_number"] for chart in await charts_of(agency)] == ["26-steady"]


async def test_rest_of_a_body_that_is_refused_is_not_waited_for(server: Server, agency: Agency) -> None:
    head, _ = creation(agency, "26-large")
    line = await server.connect()
    await line.send(head, b"Content-Length: 100000000\r\n\r\n")
    expect_refusal(await line.answer(), 413, "PAYLOAD_TOO_LARGE")
    sending = asyncio.create_task(line.send(*repeat(b" " * 1000, 1000), pause=0.1))
    assert await line.is_closed()
    sending.cancel()


async def test_client_that_does_not_read_is_cut_off(server: Server) -> None:
    length = len((await server.get("/openapi.json")).content)
    line = await server.connect(receive_buffer=4096)
    await line.send(b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n" * 12)
    await line.reader.readexactly(1)
    assert server.holds(line)
    await expect_eventually(lambda: not server.holds(line))
    assert len(await line.rest()) < 12 * length


async def test_requests_sent_ahead_are_bounded(server: Server) -> None:
    line = await server.connect()
    await line.send((GET + b"\r\n") * 2000)
    assert (await line.rest()).count(b"HTTP/1.1 200 OK") < 2000


async def test_few_requests_sent_ahead_are_answered(server: Server) -> None:
    line = await server.connect()
    await line.send((GET + b"\r\n") * 5)
    for _ in range(5):
        assert (await line.answer()).status_code == 200


async def test_what_is_no_request_is_refused_by_the_contract(server: Server) -> None:
    line = await server.connect()
    await line.send(b"\x16\x03\x01 hello\r\n\r\n")
    expect_refusal(await line.answer(), 400, "MALFORMED_REQUEST")
    assert await line.is_closed()


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_upgrade_is_declined_by_an_answer_and_its_address_is_not_logged(server: Server, protocol: bytes) -> None:
    line = await server.connect()
    head = b"GET /api/v1/nothing?name=CANARY HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: %b\r\n"
    await line.send(head % protocol + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b==\r\n\r\n" % (b"a" * 22))
    expect_refusal(await line.answer(), 404, "NOT_FOUND")
    await line.send(GET + b"\r\n")
    assert (await line.answer()).status_code == 200
    assert "CANARY" not in server.said.read_text() and "pgrade" not in server.said.read_text()
