"""`scripts/dev.py operator`: an operator's script on the database that `serve` is running, without its passwords."""

from collections.abc import Sequence
from pathlib import Path

from scripts.devtools.checkout import Checkout
from scripts.devtools.checks import run_in_terminal
from scripts.devtools.console import DevError
from scripts.devtools.database_urls import DATABASE, SUPERUSER, role_urls
from scripts.devtools.ports import LOOPBACK
from scripts.devtools.processes import read_json
from scripts.devtools.services import credentials_file, served_environment

SCRIPTS = (
    "provision_tenant",
    "suspend_tenant",
    "receipts",
    "rewrap_secrets",
    "codesets",
    "import_icd10",
    "import_rxnorm",
)


def operate(checkout: Checkout, script: str, arguments: Sequence[str]) -> int:
    """Run `python -m scripts.<script>` with the variables that production sets. Its exit code is ours."""
    port = read_json(checkout.data_dir / "postgres.json").get("port")
    if port is None:
        raise DevError("No database was ever started in this data directory.", "Start it: python3 scripts/dev.py serve")
    passwords = {role: str(password) for role, password in read_json(credentials_file(checkout)).items()}
    urls = role_urls(f"postgresql://{SUPERUSER}@{LOOPBACK}:{port}/{DATABASE}", passwords, DATABASE)
    command: list[str | Path] = [checkout.python, "-m", f"scripts.{script}", *arguments]
    return run_in_terminal(command, checkout.root, served_environment(checkout, **urls))
