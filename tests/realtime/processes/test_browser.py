"""A browser connects with the documented handshake, and only from a page of the service's own origin."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright

from scripts.realtime_client import incident_channel, websocket_url
from tests.realtime.processes.installation import Installation, Process
from tests.support.actors import Agency
from tests.support.charts import INCIDENT, add_patient

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine: install it (Debian: apt install chromium)"
)

LOCAL_SERVERS = "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"
"""The tests' pages come from no server, so that chromium takes them for pages of the internet."""
CONVERSATION = """
async ({url, protocols, first, until}) => new Promise(resolve => {
  const told = [];
  const socket = new WebSocket(url, protocols);
  socket.onopen = () => first.forEach(message => socket.send(JSON.stringify(message)));
  socket.onmessage = ({data}) => {
    told.push(JSON.parse(data));
    window.told = told;
    if (told.at(-1).type === until) socket.close(1000);
  };
  socket.onclose = ({code}) => resolve({told, code, protocol: socket.protocol});
})
"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium does not start otherwise
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[LOCAL_SERVERS, *as_root])
        yield browser
        await browser.close()


@pytest.fixture
async def office(installation: Installation, process: Process) -> AsyncIterator[Agency]:
    async with httpx.AsyncClient(base_url=process.url, timeout=60) as client:
        yield await installation.found(client)


async def page_at(browser: Browser, origin: str) -> Page:
    """An empty page of this origin, which no server has to know."""
    page = await browser.new_page()
    await page.route(
        f"{origin}/page", lambda route: route.fulfill(body="<title>Chart</title>", content_type="text/html")
    )
    await page.goto(f"{origin}/page")
    return page


async def converse(page: Page, process: Process, protocols: list[str], *first: Any, until: str) -> dict[str, Any]:
    """What the page's socket was told, and how it ended."""
    given = {"url": websocket_url(process.url), "protocols": protocols, "first": first, "until": until}
    answer: dict[str, Any] = await page.evaluate(CONVERSATION, given)
    return answer


async def test_a_page_reads_along_after_the_first_message(browser: Browser, process: Process, office: Agency) -> None:
    incident = await office.medic.expect(201, "POST", "ems/incidents", json=INCIDENT)
    channel = incident_channel(str(office.tenant_id), incident["id"])
    page = await page_at(browser, process.url)
    hello = {"type": "hello", "token": office.partner.token}
    subscribe = {"type": "subscribe", "channel": channel}
    await page.evaluate(f"(given) => {{ window.ended = ({CONVERSATION})(given); }}", {
        "url": websocket_url(process.url), "protocols": ["fusionems.v1"], "first": [hello, subscribe], "until": "event",
    })  # fmt: skip
    await page.wait_for_function("() => window.told?.some(message => message.type === 'subscribed')")
    await add_patient(office, incident)
    ended = await page.evaluate("() => window.ended")
    assert ended["protocol"] == "fusionems.v1"
    assert [message["type"] for message in ended["told"]] == ["welcome", "subscribed", "event"]
    [welcome, _, event] = ended["told"]
    assert welcome["tenant_id"] == str(office.tenant_id)
    assert (event["channel"], event["topic"], event["entity_type"]) == (channel, "incident.updated", "patient")
    await page.close()


async def test_a_page_may_give_its_token_as_a_subprotocol(browser: Browser, process: Process, office: Agency) -> None:
    page = await page_at(browser, process.url)
    ended = await converse(page, process, ["fusionems.v1", f"bearer.{office.medic.token}"], until="welcome")
    assert [message["type"] for message in ended["told"]] == ["welcome"]
    assert ended["protocol"] == "fusionems.v1", "the token is not sent back"
    await page.close()


async def test_a_forged_token_is_refused(browser: Browser, process: Process, office: Agency) -> None:
    page = await page_at(browser, process.url)
    assert office.medic.token is not None
    forged = {"type": "hello", "token": office.medic.token[:-4] + "AAAA"}
    ended = await converse(page, process, ["fusionems.v1"], forged, until="welcome")
    assert (ended["told"], ended["code"]) == ([], 4401)
    await page.close()


async def test_another_site_cannot_use_a_token(browser: Browser, process: Process, office: Agency) -> None:
    page = await page_at(browser, "http://elsewhere.example")
    hello = {"type": "hello", "token": office.medic.token}
    ended = await converse(page, process, ["fusionems.v1"], hello, until="welcome")
    assert ended["told"] == []
    assert ended["code"] in {4403, 1006}, "refused before or after the handshake"
    await page.close()
