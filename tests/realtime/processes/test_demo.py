"""What `make demo` does against a running server: a second medic sees the call as it is charted."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from scripts import seed_demo
from scripts.demo_call import main
from scripts.provision_tenant import provision
from tests.realtime.processes.installation import Installation, Process


async def test_the_second_medic_sees_the_chart_grow(
    installation: Installation, process: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, passwords = await provision(installation.settings, seed_demo.PROFILE, seed_demo.USERS, furnish=seed_demo.furnish)
    (tmp_path / "demo-credentials.json").write_bytes(orjson.dumps(passwords))
    assert await main(process.url, tmp_path) == 0
    printed = capsys.readouterr().out.splitlines()
    seen = [line.partition(" sees: ")[2] for line in printed if " partner " in line and " sees: " in line]
    counted = [int(line.split()[1].rstrip(":")) for line in seen if line.startswith("incident.")]
    assert counted == list(range(counted[0], counted[0] + len(counted)))
    assert any("Pat Partner (narrative)" in line for line in seen), "who is in the chart"
    for act in ("patient.created", "vital.created", "intervention.created", "narrative.created", "incident.locked"):
        assert any(act in line for line in seen), act
    assert "Testerman" not in " ".join(seen), "no values"
