"""A stale version completes no upload, and what cannot be logged is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.db import uow as units
from tests.core.http.contract import expect_refusal
from tests.ems.charts import Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import PATHS, at, content_of, declare, objects_of, send


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("version", [0, 2, 7])
async def test_upload_is_completed_in_its_present_version_only(
    chart: Chart, evidence: Evidence, settings: Settings, path: str, version: int
) -> None:
    entry = await declare(chart, path)
    assert (await send(chart, entry, content_of(path))).status_code == 204
    sent = objects_of(settings, chart.agency.tenant_id)
    before = await evidence.digest(chart.agency.tenant_id)
    url, body = f"{at(chart, path, entry)}/transitions", {"action": "complete", "version": version}
    answer = await chart.writer.post(url, json=body)
    expected = (422, "VALIDATION_FAILED") if version == 0 else (409, "CONFLICT")
    expect_refusal(answer, *expected)
    assert await evidence.digest(chart.agency.tenant_id) == before
    assert objects_of(settings, chart.agency.tenant_id) == sent
    assert isinstance(sent[0], Path)
    done = await chart.writer.expect(200, "POST", url, json={**body, "version": entry["version"]})
    assert done["status"] in ("stored", "signed") and done["version"] == 2


class Failing:
    """The row of the access log, for a log that is not there."""

    sql = "SELECT FROM no_such_log"

    @staticmethod
    def arguments(_: object) -> list[object]:
        return []


async def test_what_cannot_be_logged_is_not_shown(
    chart: Chart, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await evidence.digest(chart.agency.tenant_id)
    name = str(chart.patient["id"])
    with monkeypatch.context() as patched:
        patched.setattr(units, "RECORD_ACCESS", Failing)
        for path in (chart.url, f"{chart.url}/patients", f"{chart.url}/patients/{name}"):
            answer = await chart.writer.get(path)
            expect_refusal(answer, 500, "INTERNAL_ERROR")
            assert name not in answer.text
    assert await evidence.digest(chart.agency.tenant_id) == before
    await chart.writer.expect(200, "GET", chart.url)
