"""Being asked to end: the tool in the foreground is told, and what was started is stopped."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.devtools.checkout import ROOT
from scripts.devtools.processes import wait_until

DRIVER = """
import sys
from pathlib import Path
from scripts.devtools.checks import run_in_terminal
from scripts.devtools.interrupts import end_in_order
end_in_order()
tool = "import sys, time; print('up', flush=True); time.sleep(60)"
try:
    code = run_in_terminal([sys.executable, "-c", tool], Path("/"), {})
finally:
    print("unwound", flush=True)
sys.exit(code)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_us_ends_the_tool_and_unwinds(tmp_path: Path, number: signal.Signals) -> None:
    said = tmp_path / "said"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL
        )
    try:
        assert wait_until(lambda: "up" in said.read_text(), 20)
        process.send_signal(number)
        assert process.wait(20) == 128 + number
    finally:
        process.kill()
        process.wait()
    assert said.read_text().endswith("unwound\n")


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_tools_exit_code_is_ours(code: str, expected: int) -> None:
    driver = DRIVER.replace("import sys, time; print('up', flush=True); time.sleep(60)", code)
    done = subprocess.run([sys.executable, "-c", driver], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    assert done.returncode == expected
