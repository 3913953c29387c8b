"""The contracts of .importlinter discriminate: all keep a tidy tree, each breaks on the imports that it forbids."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFIGURATION = ROOT / ".importlinter"

TIDY = {
    "app.main": "import app.registry, app.core.runtime",
    "app.worker": "import app.registry",
    "app.registry": "import app.ems.incidents.router, app.nemsis.handlers, app.billing.claims.router",
    "app.founder.service": "import app.billing.public",
    "app.realtime.bus": "import redis",
    "app.billing_copilot.handlers": "import app.billing.public",
    "app.payments.service": "from app.billing import public",
    "app.telnyx.service": "import app.billing.public",
    "app.billing.public": "import app.billing.claims.service",
    "app.billing.claims.router": "import app.billing.claims.service, app.billing.claims.schemas",
    "app.billing.claims.schemas": "import app.billing.claims.models",
    "app.billing.claims.service": "import app.billing.claims.repository, app.nemsis.public, app.ems.public",
    "app.billing.claims.repository": "import app.billing.claims.models",
    "app.billing.claims.models": "import app.core.db.uow",
    "app.billing.delivery.gateway": "import asyncssh",
    "app.nemsis.public": "",
    "app.nemsis.handlers": "import app.ems.public",
    "app.ems.public": "import app.ems.incidents.service",
    "app.ems.incidents.router": "import app.ems.incidents.service",
    "app.ems.incidents.service": "import app.ems.incidents.repository, app.ems.patients.service, app.coding.public",
    "app.ems.incidents.repository": "import app.ems.incidents.models",
    "app.ems.incidents.models": "import app.core.db.uow",
    "app.ems.patients.service": "import app.ems.lifecycle",
    "app.ems.lifecycle": "",
    "app.coding.public": "import app.core.db.uow",
    "app.ai.gateway": "import app.core.runtime",
    "app.email.gateway": "import boto3, app.core.runtime",
    "app.core.runtime": "import redis, app.core.auth.tokens, app.core.storage.gateway, app.core.db.system",
    "app.core.db.uow": "import asyncpg",
    "app.core.db.system": "import app.core.db.uow",
    "app.core.auth.tokens": "import jose",
    "app.core.storage.gateway": "import boto3, botocore.config",
    "scripts.seed": "import app.ems.incidents.service, app.core.db.system",
}

# What stands before any domain does: contracts over packages that are still to come are kept, not in error. A contract
# over a library needs an importer of it.
KERNEL = {
    **{name: text for name, text in TIDY.items() if name.startswith("app.core.")},
    "app.billing.delivery.gateway": "import asyncssh",
    "scripts.seed": "",
}

# (contract, importer, imported): the import that breaks this contract when it is added to the tidy tree
FORBIDDEN = [
    ("domains", "app.core.runtime", "app.registry"),
    ("domains", "app.coding.public", "app.ems.public"),
    ("domains", "app.ems.incidents.service", "app.nemsis.public"),
    ("domains", "app.nemsis.handlers", "app.billing.public"),
    ("domains", "app.billing.claims.service", "app.payments.service"),
    ("domains", "app.payments.service", "app.telnyx.service"),
    ("domains", "app.ai.gateway", "app.email.public"),
    ("domains", "app.founder.service", "app.realtime.bus"),
    ("domains", "app.unheard_of.service", "app.core.runtime"),
    ("scripts", "app.main", "scripts.seed"),
    ("rooms", "app.ems.incidents.repository", "app.ems.incidents.service"),
    ("rooms", "app.ems.incidents.service", "app.ems.incidents.router"),
    ("rooms", "app.billing.claims.models", "app.billing.claims.repository"),
    ("rooms", "app.billing.claims.schemas", "app.billing.claims.repository"),
    ("rooms", "app.nemsis.service", "app.nemsis.handlers"),
    ("repositories", "app.billing.claims.repository", "app.billing.claims.schemas"),
    ("cycles", "app.ems.patients.service", "app.ems.incidents.models"),
    ("public-coding", "app.billing.claims.service", "app.coding.search.index"),
    ("public-users", "app.billing.claims.service", "app.core.users.models"),
    ("public-tenants", "app.nemsis.handlers", "app.core.tenants.service"),
    ("public-account-tokens", "app.email.gateway", "app.core.account_tokens.models"),
    ("public-vehicles", "app.ems.patients.service", "app.core.vehicles.models"),
    ("public-facilities", "app.ems.patients.service", "app.core.facilities.models"),
    ("public-personnel", "app.ems.patients.service", "app.core.personnel.models"),
    ("public-ems", "app.nemsis.handlers", "app.ems.incidents.models"),
    ("public-ems", "app.billing.claims.service", "app.ems.lifecycle"),
    ("public-nemsis", "app.billing.claims.service", "app.nemsis.mapping"),
    ("public-billing", "app.payments.service", "app.billing.claims.service"),
    ("public-email", "app.billing.claims.service", "app.email.gateway"),
    ("cross-tenant", "app.ems.incidents.service", "app.core.db.system"),
    ("jose", "app.ems.incidents.service", "jose.jwt"),
    ("aws", "app.ems.incidents.service", "boto3"),
    ("aws", "app.core.runtime", "botocore.exceptions"),
    ("redis", "app.ems.incidents.service", "redis.asyncio"),
    ("asyncpg", "app.ems.incidents.repository", "asyncpg"),
    ("ssh", "app.ems.incidents.service", "asyncssh"),
]

# One process for all trees: starting import-linter takes longer than its work.
LINT_EACH = """
import contextlib, io, json, os, re, sys
from importlinter.cli import lint_imports
broken = {}
for tree in sys.argv[2:]:
    os.chdir(tree)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        passed = lint_imports(config_filename=sys.argv[1], no_cache=True, no_logo=True) == 0
    sys.path.remove(tree)
    broken[tree] = re.findall("^(.+) BROKEN", output.getvalue(), re.MULTILINE)
    if passed == bool(broken[tree]):
        sys.exit(output.getvalue())
json.dump(broken, sys.stdout)
"""


def contract_names() -> dict[str, str]:
    configuration = configparser.ConfigParser()
    configuration.read(CONFIGURATION, encoding="utf-8")
    prefix = "importlinter:contract:"
    return {
        section.removeprefix(prefix): configuration[section]["name"]
        for section in configuration.sections()
        if section.startswith(prefix)
    }


def plant(root: Path, modules: dict[str, str]) -> str:
    """Write the modules as a package tree; the tree's path."""
    for name, text in modules.items():
        file = root.joinpath(*name.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for directory in (directory for directory in root.rglob("*") if directory.is_dir()):
        (directory / "__init__.py").touch()
    return str(root)


def with_import(importer: str, imported: str) -> dict[str, str]:
    """The tidy tree and one import more."""
    target = {imported: ""} if imported.startswith("app.") else {}
    return {**target, **TIDY, importer: f"{TIDY.get(importer, '')}\nimport {imported}\n"}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> list[set[str]]:
    """The contracts that are broken: in the tidy tree, in the kernel, and in the tree of each forbidden import."""
    modules = [TIDY, KERNEL, *(with_import(importer, imported) for _, importer, imported in FORBIDDEN)]
    trees = [plant(tmp_path_factory.mktemp("tree"), tree) for tree in modules]
    command = [sys.executable, "-c", LINT_EACH, str(CONFIGURATION), *trees]
    verdicts: dict[str, list[str]] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    ids = {name: contract for contract, name in contract_names().items()}
    return [{ids[name] for name in verdicts[tree]} for tree in trees]


def test_tidy_trees_keep_every_contract(broken: list[set[str]]) -> None:
    assert broken[:2] == [set(), set()]


@pytest.mark.parametrize("number", range(len(FORBIDDEN)), ids=["-".join(case) for case in FORBIDDEN])
def test_a_forbidden_import_breaks_its_contract(number: int, broken: list[set[str]]) -> None:
    contract = FORBIDDEN[number][0]
    closes_a_cycle = {"cycles"} if contract in ("domains", "rooms") else set()
    assert broken[number + 2] - closes_a_cycle == {contract}


def test_every_contract_is_seen_to_break() -> None:
    assert {contract for contract, _, _ in FORBIDDEN} == set(contract_names())
