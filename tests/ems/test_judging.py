"""Contents are judged in processes of their own: bounded in number, memory and time, without the server's secrets."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ServiceUnavailable
from app.ems.media import judging
from app.ems.media.inspection import MediaType, Refusal, RefusedContent
from app.ems.media.judging import judge, place_to_judge
from tests.ems.charts import Chart
from tests.ems.evidence import Evidence
from tests.ems.uploads import declare, fire, send
from tests.support.media import SAMPLES, XML, kept

Pretend = Callable[[str], None]
SPAWN = asyncio.create_subprocess_exec


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Another program in the place of the judging process, bounded as that one."""

    def replace(program: str) -> None:
        bounded = f"import app.ems.media.child as child, sys, os, signal, time; child.bound(); {program}"

        async def spawn(*command: str, **options: Any) -> asyncio.subprocess.Process:
            return await SPAWN(command[0], "-c", bounded, **options)

        monkeypatch.setattr(asyncio, "create_subprocess_exec", spawn)

    return replace


async def test_a_content_comes_back_clean() -> None:
    assert await judge(MediaType.JPEG, SAMPLES["image/jpeg"]) == kept("image/jpeg")[0]


@pytest.mark.parametrize(
    ("program", "refusal"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", Refusal.MALFORMED),
        ("os.abort()", Refusal.MALFORMED),
        ("os.kill(os.getpid(), signal.SIGXCPU)", Refusal.TOO_LARGE),
    ],
)
async def test_a_decoder_that_crashes_ends_nothing_else(pretend: Pretend, program: str, refusal: Refusal) -> None:
    pretend(program)
    with pytest.raises(RefusedContent) as found:
        await judge(MediaType.XML, XML)
    assert found.value.refusal is refusal


@pytest.mark.parametrize(
    "program", ["sys.exit(1)", "os.kill(os.getpid(), signal.SIGKILL)", "raise ImportError", "sys.exit(3)"]
)
async def test_what_is_not_the_contents_fault_is_no_refusal(pretend: Pretend, program: str) -> None:
    pretend(program)
    with pytest.raises(ServiceUnavailable):
        await judge(MediaType.XML, XML)


async def test_a_process_that_never_answers_is_ended(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = tmp_path / "pid"
    os.mkfifo(written)
    pretend(f"open({str(written)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    monkeypatch.setattr(judging, "JUDGE_SECONDS", 5)
    judged = asyncio.create_task(judge(MediaType.XML, XML))
    pid = int(await asyncio.to_thread(written.read_text))
    with pytest.raises(ServiceUnavailable):
        await judged
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mappings on Linux only")
async def test_memory_is_bounded(pretend: Pretend) -> None:
    pretend("\ntry: bytearray(child.MEMORY_BYTES)\nexcept MemoryError: sys.stdout.write('too_large'); sys.exit(10)")
    with pytest.raises(RefusedContent) as found:
        await judge(MediaType.XML, XML)
    assert found.value.refusal is Refusal.TOO_LARGE


async def test_the_process_sees_nothing_of_the_servers_environment(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    pretend("print(sorted(os.environ))")
    seen = await judge(MediaType.XML, XML)
    assert b"PYTHONPATH" in seen
    assert b"DATABASE" not in seen and b"SECRET" not in seen


async def test_two_contents_are_judged_at_once_and_the_next_waits() -> None:
    async with place_to_judge(), place_to_judge():
        waiting = asyncio.create_task(_enter())
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_a_queue_that_does_not_move_leaves_uploads_pending(
    chart: Chart, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await declare(chart)
    assert (await send(chart, entry, SAMPLES["image/jpeg"])).status_code == 204
    before = await evidence.digest(chart.agency.tenant_id)
    monkeypatch.setattr(judging, "WAIT_SECONDS", 0.01)
    async with place_to_judge(), place_to_judge():
        refused = await fire(chart, "attachments", entry, status=503)
    assert refused["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert await evidence.digest(chart.agency.tenant_id) == before
    monkeypatch.undo()
    assert (await fire(chart, "attachments", entry))["status"] == "stored"


async def _enter() -> None:
    async with place_to_judge():
        pass
