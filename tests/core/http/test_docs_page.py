"""The page that shows the document loads nothing from elsewhere. Probes may ask with HEAD."""

from __future__ import annotations

import base64
import hashlib
import re

import httpx
import pytest


async def test_the_page_and_all_that_it_loads_come_from_the_service(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text).replace("window.location", "")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    for address in loaded:
        answer = await client.get(address)
        assert answer.status_code == 200 and len(answer.content) > 1000, address
        assert answer.headers["cache-control"] == "public, max-age=3600"
        assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "text/css", "image/png")


async def test_the_policy_of_the_page_names_its_own_script_and_no_other_host(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    [script] = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert "*" not in str(policy) and "http" not in str(policy)
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/redoc", "/docs/", "/docs/core.py", "/docs/..%2fcore.py", "/docs/oauth2-redirect"])
async def test_nothing_else_of_the_package_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs"])
async def test_probes_may_ask_with_head(client: httpx.AsyncClient, path: str) -> None:
    head, get = await client.head(path), await client.get(path)
    assert (head.status_code, head.headers["content-type"]) == (200, get.headers["content-type"])


async def test_operations_of_the_api_have_no_head(client: httpx.AsyncClient) -> None:
    answer = await client.head("/api/v1/auth/me")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH")
