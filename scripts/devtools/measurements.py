"""`scripts/dev.py bench`: a measurement of `bench/` on a fresh database that keeps its promises to the disk."""

import ast
from collections.abc import Sequence
from pathlib import Path

from scripts.devtools.checkout import Checkout
from scripts.devtools.checks import run_in_terminal
from scripts.devtools.console import DevError, say
from scripts.devtools.packages import Profile, prepare
from scripts.devtools.services import Wishes, throwaway

MEASUREMENTS = (
    "audit",
    "autosave",
    "billing",
    "chart_read",
    "coding",
    "login_timing",
    "readiness",
    "routing",
    "search",
    "worklists",
)
USUAL = "autosave"
LIST = "list"


def bench(checkout: Checkout, wishes: Wishes, arguments: Sequence[str]) -> int:
    """Run the measurement that the first argument names, else the autosave's; its exit code is ours.

    The other arguments go to the measurement. `list` prints the names. Raises DevError for a name that none has.
    """
    named = bool(arguments) and not arguments[0].startswith("-")
    name, options = (arguments[0], arguments[1:]) if named else (USUAL, arguments)
    if name == LIST:
        say(listed(checkout))
        return 0
    if name not in MEASUREMENTS:
        raise DevError(f"There is no measurement called {name}.", f"There are:\n{listed(checkout)}")
    prepare(checkout, Profile.DEV)
    checkout.make_directories()
    with throwaway(checkout, wishes, durable=True) as services:
        command: list[str | Path] = [checkout.python, "-m", f"bench.{name}", *options]
        return run_in_terminal(command, checkout.root, services.environment)


def listed(checkout: Checkout) -> str:
    """The names, each with the first line of what its module says about itself."""
    return "\n".join(f"  {name:<13} {_purpose(checkout.root / 'bench' / f'{name}.py')}" for name in MEASUREMENTS)


def _purpose(module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
