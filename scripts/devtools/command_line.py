"""The verbs of `scripts/dev.py` and their options."""

import argparse
import os
import sys
from collections.abc import Sequence

from scripts.devtools import checks, clients, measurements, operators, psql
from scripts.devtools.checkout import locate
from scripts.devtools.console import DevError
from scripts.devtools.interrupts import Interrupted, end_in_order
from scripts.devtools.serve import DEFAULT_PORT, ServeOptions, running_url, serve
from scripts.devtools.services import Wishes

VERBS = {
    "serve": "start everything on this machine and serve the API until Ctrl-C (make run)",
    "test": "run pytest against throwaway servers; further arguments go to pytest (make test)",
    "check": "format, lint, types, import contracts, house rules, dead code, migration drift, documents (make check)",
    "demo": "play the whole-call tour against a running server",
    "fuzz": "fuzz the API deeply; further arguments go to pytest",
    "test-long": "the long property runs; further arguments go to pytest",
    "bench": "measure on a fresh, durable database: autosave, or what the first argument names (`bench list`)",
    "clients": "let other people's linters and client generators judge the API's document (make clients)",
    "docs": "write the generated documents",
    "format": "format the code and fix what can be fixed mechanically",
    "lock": "write the hashed requirements files from pyproject.toml; further arguments go to uv",
    "operator": "run an operator's script on the database that `serve` is running; further arguments go to it",
    "psql": "open psql on the database that `serve` is running; further arguments go to psql",
}
PASS_ON = {"test", "fuzz", "test-long", "bench", "lock", "operator", "psql"}
WITH_DATABASE = {"serve", "test", "check", "fuzz", "test-long", "bench"}


def main(arguments: Sequence[str]) -> int:
    """Run one verb; returns the exit code. 2 is a usage error, 130 an interruption."""
    if os.name != "posix":
        print("Windows is served through WSL, or through docker compose up.", file=sys.stderr)
        return 2
    chosen, rest = parser().parse_known_args(arguments)
    if rest and chosen.verb not in PASS_ON:
        parser().error(f"{chosen.verb} does not know: {' '.join(rest)}")
    end_in_order()
    try:
        return run(chosen, [argument for argument in rest if argument != "--"])
    except DevError as error:
        print(f"\n{error.problem}", file=sys.stderr)
        if error.advice:
            print(f"\n{error.advice}", file=sys.stderr)
        return 1
    except Interrupted as interruption:
        print("\nstopped", file=sys.stderr)
        return 128 + interruption.number


def run(chosen: argparse.Namespace, rest: list[str]) -> int:
    checkout = locate(chosen.data_dir)
    wishes = Wishes()
    if chosen.verb in WITH_DATABASE:
        wishes = Wishes(chosen.postgres, chosen.pg_port, chosen.redis_port)
    match chosen.verb:
        case "serve":
            return serve(checkout, ServeOptions(chosen.host, chosen.port, chosen.reload, wishes))
        case "test":
            return checks.test(checkout, wishes, rest)
        case "check":
            return checks.check(checkout, wishes)
        case "fuzz":
            return checks.fuzz(checkout, wishes, rest)
        case "test-long":
            return checks.long_tests(checkout, wishes, rest)
        case "bench":
            return measurements.bench(checkout, wishes, rest)
        case "demo":
            return checks.demo(checkout, chosen.base_url or running_url(checkout))
        case "clients":
            return clients.clients(checkout)
        case "docs":
            return checks.generate_docs(checkout)
        case "lock":
            return checks.lock(checkout, rest)
        case "operator":
            return operators.operate(checkout, chosen.script, rest)
        case "psql":
            return psql.open_shell(checkout, rest)
        case _:
            return checks.reformat(checkout)


def parser() -> argparse.ArgumentParser:
    """Long options are never abbreviated: what is not ours goes to pytest unharmed."""
    parser = argparse.ArgumentParser(prog="scripts/dev.py", allow_abbrev=False, description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, purpose in VERBS.items():
        verb = verbs.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        verb.add_argument("--data-dir", metavar="PATH", help="default: $DATA_DIR, else .data in the checkout")
        if name in WITH_DATABASE:
            verb.add_argument(
                "--postgres",
                choices=["embedded", "system"],
                default="",
                help="start this one, whatever DATABASE_URL says",
            )
            verb.add_argument("--pg-port", type=port, metavar="N", help="default: as last time, else any free one")
            verb.add_argument("--redis-port", type=port, metavar="N", help="default: as last time, else any free one")
        if name == "serve":
            verb.add_argument("--host", default="127.0.0.1", help="default: %(default)s, this machine only")
            verb.add_argument("--port", type=port, metavar="N", help=f"default: {DEFAULT_PORT}")
            verb.add_argument("--reload", action="store_true", help="restart the web server when app/ changes")
        if name == "demo":
            verb.add_argument("--base-url", default="", help="default: the server that `serve` is running here")
        if name == "operator":
            verb.add_argument("script", choices=operators.SCRIPTS)
    return parser


def port(text: str) -> int:
    """A port number, 1 to 65535."""
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number
