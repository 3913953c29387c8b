"""`scripts/dev.py psql`: a look into the database that `serve` is running, without knowing its port or passwords."""

import os
from collections.abc import Sequence

from scripts.devtools.checkout import Checkout, child_environment
from scripts.devtools.checks import run_in_terminal
from scripts.devtools.console import DevError
from scripts.devtools.database_urls import DATABASE, OWNER
from scripts.devtools.ports import LOOPBACK
from scripts.devtools.postgres_programs import find_programs
from scripts.devtools.processes import Account, read_json
from scripts.devtools.services import credentials_file


def open_shell(checkout: Checkout, arguments: Sequence[str]) -> int:
    """Open psql as the owner role, which sees every tenant. Its exit code is ours."""
    port = read_json(checkout.data_dir / "postgres.json").get("port")
    if port is None:
        raise DevError("No database was ever started in this data directory.", "Start it: python3 scripts/dev.py serve")
    ourselves = Account(os.geteuid(), os.getegid())
    programs = find_programs(checkout, ourselves, checkout.data_dir, "auto", None)
    environment = child_environment(
        checkout,
        PGHOST=LOOPBACK,
        PGPORT=str(port),
        PGUSER=OWNER,
        PGPASSWORD=str(read_json(credentials_file(checkout)).get(OWNER, "")),
        PGDATABASE=DATABASE,
    )
    return run_in_terminal([programs.directory / "psql", *arguments], checkout.root, environment)
