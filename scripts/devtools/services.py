"""Starts PostgreSQL and Valkey for one verb, and makes the environment variables by which its children find them."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from scripts.devtools import postgres, valkey
from scripts.devtools.checkout import Checkout, child_environment
from scripts.devtools.console import DevError, run_quietly, step
from scripts.devtools.database_urls import (
    ROLE_OF_VARIABLE,
    SUPERUSER,
    database_of,
    given_urls,
    new_passwords,
    normalised,
    role_urls,
    stored_passwords,
)
from scripts.devtools.postgres_programs import find_programs
from scripts.devtools.processes import Account, exclusive, server_account

# Root's home and checkout may be closed to the account that the servers run as; these are open to all.
OUTSIDE_HOMES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108  (only a directory that root owns is used)
SLOTS = 8
ADMIN_VARIABLE = "TEST_ADMIN_DATABASE_URL"
TEST_DATABASE = "fusionems_test"  # so that tests on a given server stay out of the developer's database
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True)
class Wishes:
    """What the command line asks of the services."""

    postgres: str = ""  # "embedded" or "system": asked for by name, so DATABASE_URL is not used even if it is set
    pg_port: int | None = None
    redis_port: int | None = None


@dataclass
class Services:
    """What runs, and what the children are told about it."""

    environment: dict[str, str]
    children: dict[str, Popen[bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where one verb keeps things: `state` is ours alone, `home` is reachable for the servers' account."""

    checkout: Checkout
    account: Account
    state: Path
    home: Path
    throwaway: bool


def served_environment(checkout: Checkout, **extra: str) -> dict[str, str]:
    """The environment of the service that `serve` runs: of development, unless another one is asked for."""
    return child_environment(checkout, ENVIRONMENT=os.environ.get("ENVIRONMENT", "development"), **extra)


@contextmanager
def persistent(checkout: Checkout, wishes: Wishes) -> Iterator[Services]:
    """Run the data directory's own servers, whose data are kept. The caller holds the data directory's lock."""
    account = server_account(checkout.root)
    place = Place(checkout, account, checkout.data_dir, servers_home(checkout, account), throwaway=False)
    with ExitStack() as stack:
        yield begin(stack, place, wishes, Services(served_environment(checkout)), durable=True)


@contextmanager
def throwaway(checkout: Checkout, wishes: Wishes, *, durable: bool = False) -> Iterator[Services]:
    """Run servers for one command, beside whatever else runs. `durable` keeps fsync on, for measurements."""
    account = server_account(checkout.root)
    with ExitStack() as stack:
        name = next(
            (
                f"test-{number}"
                for number in range(1, SLOTS + 1)
                if stack.enter_context(exclusive(checkout.data_dir / f"test-{number}.lock"))
            ),
            None,
        )
        if name is None:
            raise DevError(f"{SLOTS} test runs are under way in {checkout.data_dir}.", "Wait for one to end.")
        state = fresh(checkout.data_dir / name)
        home = state
        if account.is_other:
            home = servers_home(checkout, account) / name
            home.mkdir(exist_ok=True)
            home.chmod(0o755)
            stack.callback(shutil.rmtree, home, ignore_errors=True)
        environment = child_environment(checkout, ENVIRONMENT="test", DATA_DIR=str(state / "files"))
        yield begin(stack, Place(checkout, account, state, home, True), wishes, Services(environment), durable=durable)


def fresh(directory: Path) -> Path:
    """Empty the files of the run before. Whoever stops the servers empties the servers' own directories."""
    shutil.rmtree(directory / "files", ignore_errors=True)
    (directory / "files").mkdir(mode=0o700, parents=True)
    directory.chmod(0o700)
    return directory


def servers_home(checkout: Checkout, account: Account) -> Path:
    """The data directory, or for root a directory outside every home that the servers' account can reach."""
    if not account.is_other:
        return checkout.data_dir
    for parent in OUTSIDE_HOMES:
        home = parent / f"fusionems-dev-{checkout.key}"
        try:
            home.mkdir(exist_ok=True)
            found = home.lstat()
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            home.chmod(0o755)
            (home / "data-directory").write_text(f"{checkout.data_dir}\n")
            return home
    raise DevError(
        f"As root the servers need a directory in one of {', '.join(map(str, OUTSIDE_HOMES))}, which is not writable.",
        "Run as an ordinary user, or set DATABASE_URL and REDIS_URL.",
    )


def begin(stack: ExitStack, place: Place, wishes: Wishes, services: Services, *, durable: bool) -> Services:
    """Start what is not given by address, make the roles, and complete the environment."""
    given = {} if wishes.postgres else given_urls(os.environ)
    admin = "" if wishes.postgres or not place.throwaway else os.environ.get(ADMIN_VARIABLE, "")
    if set(given) == set(ROLE_OF_VARIABLE):
        services.environment |= given
        if place.throwaway and not admin:
            raise DevError(
                f"The tests create databases: with all three addresses set they need {ADMIN_VARIABLE} too.",
                "Or set DATABASE_URL alone (a role with CREATEROLE and CREATEDB), or none.",
            )
    else:
        admin = admin or given.get("DATABASE_URL", "")
        if admin:
            admin = normalised(admin)
            passwords = stored_passwords(credentials_file(place.checkout))
        else:
            admin, passwords = start_postgres(stack, place, wishes, services, durable=durable)
        make_roles(place, services, admin, passwords)
    if place.throwaway:
        services.environment[ADMIN_VARIABLE] = admin
    services.environment["REDIS_URL"] = os.environ.get("REDIS_URL", "") or start_valkey(stack, place, wishes, services)
    return services


def credentials_file(checkout: Checkout) -> Path:
    return checkout.data_dir / "database-credentials.json"


def start_postgres(
    stack: ExitStack, place: Place, wishes: Wishes, services: Services, *, durable: bool
) -> tuple[str, dict[str, str]]:
    """The superuser's address and the passwords of our own cluster."""
    with step("postgresql") as running:
        directory = place.home / "postgres"
        aside = ""
        if not place.throwaway and directory.exists() and not credentials_file(place.checkout).exists():
            aside = set_aside(directory)
        passwords = new_passwords() if place.throwaway else stored_passwords(credentials_file(place.checkout))
        major = None if place.throwaway else postgres.made_by(directory)
        programs = find_programs(place.checkout, place.account, place.home, wishes.postgres or "auto", major)
        cluster = postgres.Cluster(
            home=place.home,
            record=place.state / "postgres.json",
            log=fresh_log(place, "postgres"),
            account=place.account,
            programs=programs,
            superuser_password=passwords[SUPERUSER],
            throwaway=place.throwaway,
            extra_settings=DURABLE if durable else {},
        )
        port, child = stack.enter_context(postgres.running(cluster, wishes.pg_port))
        services.children["PostgreSQL"] = child
        running.outcome = f"{programs.version} on port {port}{aside}"
    return cluster.url(port), passwords


def set_aside(directory: Path) -> str:
    """A cluster whose passwords are gone (the data directory was emptied) gives way to a new one, but is kept."""
    previous = directory.with_name(f"{directory.name}.previous")
    postgres.reclaim(directory, postgres.FAST)
    shutil.rmtree(previous, ignore_errors=True)
    directory.rename(previous)
    return f" (its passwords were gone: empty cluster made, the old one is {previous})"


def make_roles(place: Place, services: Services, admin_url: str, passwords: dict[str, str]) -> None:
    """Make roles and database by scripts/create_roles.py, because this code has no database driver."""
    with step("roles") as running:
        database = TEST_DATABASE if place.throwaway else database_of(admin_url)
        services.environment |= role_urls(admin_url, passwords, database)
        run_quietly(
            [place.checkout.python, "-m", "scripts.create_roles"],
            problem="The database roles cannot be made",
            advice="The server must be reachable, and the role in DATABASE_URL must have CREATEROLE and CREATEDB.",
            cwd=place.checkout.root,
            env=services.environment | {"ADMIN_DATABASE_URL": admin_url},
        )
        running.outcome = f"{', '.join(ROLE_OF_VARIABLE.values())}; database {database}"


def start_valkey(stack: ExitStack, place: Place, wishes: Wishes, services: Services) -> str:
    """The address of our own Valkey, password included."""
    with step("valkey") as running:
        program = valkey.find_program(place.checkout, place.account, place.home)
        server = valkey.Valkey(
            home=place.home,
            record=place.state / "valkey.json",
            log=fresh_log(place, "valkey"),
            account=place.account,
            program=program,
            throwaway=place.throwaway,
        )
        url, child = stack.enter_context(valkey.running(server, wishes.redis_port))
        services.children["Valkey"] = child
        running.outcome = f"on port {url.rpartition(':')[2].partition('/')[0]}"
    return url


def fresh_log(place: Place, name: str) -> Path:
    """The log of this start. The log of the start before stays beside it."""
    log = place.state / f"{name}.log" if place.throwaway else place.checkout.logs / f"{name}.log"
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    return log
