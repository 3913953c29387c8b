"""Contents are judged outside the server: each in a process of its own (`child`), two at a time."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import app
from app.core.errors import ServiceUnavailable
from app.core.logging import get_logger
from app.ems.media import child
from app.ems.media.inspection import MediaType, Refusal, RefusedContent

AT_ONCE = 2
WAIT_SECONDS = 20
JUDGE_SECONDS = 60
"""The limit in clock time. `child.CPU_SECONDS` limits the work; this ends a process that gets no processor time."""

_ROOT = Path(app.__file__).parent.parent
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(_ROOT)}
_CRASHED = frozenset({-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL})
_places = asyncio.Semaphore(AT_ONCE)
_log = get_logger(__name__)


@asynccontextmanager
async def place_to_judge() -> AsyncIterator[None]:
    """Hold one of the places while a content is in memory. Raises ServiceUnavailable if no place gets free in time."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await _places.acquire()
    except TimeoutError as error:
        raise ServiceUnavailable("Too many contents are being checked; try again shortly.") from error
    try:
        yield
    finally:
        _places.release()


async def judge(declared: MediaType, content: bytes) -> bytes:
    """The cleaned content, in the type `stored_as(declared)`.

    Raises RefusedContent. Raises ServiceUnavailable when the process ended early and the content is not the cause.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        child.__name__,
        declared.value,
        cwd=_ROOT,
        env=_ENVIRONMENT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(JUDGE_SECONDS):
            answer, _ = await process.communicate(content)
    except TimeoutError as error:
        raise ServiceUnavailable("The content cannot be checked now; try again shortly.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read(process.returncode, answer)


def _read(code: int | None, answer: bytes) -> bytes:
    if code == child.KEPT:
        return answer
    if code == child.REFUSED:
        raise RefusedContent(Refusal(answer.decode()))
    if code == -signal.SIGXCPU:
        raise RefusedContent(Refusal.TOO_LARGE)
    if code in _CRASHED:
        raise RefusedContent(Refusal.MALFORMED)
    _log.error("a content could not be judged", exit_code=code)
    raise ServiceUnavailable("The content cannot be checked now; try again shortly.")
