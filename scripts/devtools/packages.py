"""Makes the virtual environment and fills it from the hashed requirements files; it stays until these change."""

import fcntl
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

from scripts.devtools.checkout import Checkout, child_environment
from scripts.devtools.console import DevError, run_quietly, step
from scripts.devtools.pip_index import pip_settings, uv_arguments, uv_variables

NO_VENV = "Install it (Debian: apt install python3-venv) and run this again."
NO_REGISTRY = (
    "Is the network up? Behind a mirror, point pip at it (pip config set global.index-url URL, or PIP_INDEX_URL);\n"
    "uv is given the same address. Where a wheel is missing for this machine, start PostgreSQL and Redis yourself and\n"
    "set DATABASE_URL and REDIS_URL: then the server needs requirements.txt only."
)
UV_REQUIREMENTS = Path(__file__).parent / "requirements-uv.txt"
SYNC = ("pip", "sync", "--require-hashes", "--compile-bytecode", "--python")
NOT_A_VENV = (0, 0)


class Profile(IntEnum):
    """What a verb needs installed. Each profile holds everything of the one before it."""

    BASE = 0
    LOCAL = 1
    DEV = 2

    @property
    def requirements(self) -> str:
        return {Profile.BASE: "requirements.txt", Profile.LOCAL: "requirements-local.txt"}.get(
            self, "requirements-dev.txt"
        )


@dataclass(frozen=True)
class Stamp:
    """What the virtual environment was filled with: written last, so an interrupted fill leaves none."""

    venv: str
    python: str
    profile: int
    hashes: Mapping[str, str]


def satisfied(stamp: Stamp | None, current: Stamp) -> bool:
    """True if what was installed serves what is wanted now (`current.profile` is the wanted one)."""
    if stamp is None or (stamp.venv, stamp.python) != (current.venv, current.python):
        return False
    files = {Profile(current.profile).requirements, Profile(stamp.profile).requirements}
    return stamp.profile >= current.profile and all(stamp.hashes.get(name) == current.hashes[name] for name in files)


def read_stamp(path: Path) -> Stamp | None:
    """The stamp, or None when there is none that can be read."""
    try:
        return Stamp(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def wanted_stamp(checkout: Checkout, profile: Profile) -> Stamp:
    """The stamp that a fresh fill for this profile would leave."""
    hashes = {
        p.requirements: hashlib.sha256((checkout.root / p.requirements).read_bytes()).hexdigest() for p in Profile
    }
    return Stamp(str(checkout.venv), version_text(sys.version_info[:2]), profile, hashes)


def version_text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def venv_version(venv: Path) -> tuple[int, int]:
    """(major, minor) of a virtual environment whose Python still exists, else (0, 0)."""
    try:
        lines = (venv / "pyvenv.cfg").read_text().splitlines()
        found = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
        major, minor = (found.get("version") or found["version_info"]).split(".")[:2]
        return (int(major), int(minor)) if (venv / "bin" / "python").exists() else NOT_A_VENV
    except (OSError, KeyError, ValueError):
        return NOT_A_VENV


def prepare(checkout: Checkout, profile: Profile) -> None:
    """Make `.venv` satisfy the profile; returns within milliseconds when it already does."""
    with step("packages") as running:
        if satisfied(read_stamp(stamp_path(checkout)), wanted_stamp(checkout, profile)):
            running.outcome = f"up to date, Python {version_text(sys.version_info[:2])}"
            return
        with one_at_a_time(checkout):
            earlier = read_stamp(stamp_path(checkout))
            if earlier is not None:
                profile = Profile(max(profile, earlier.profile))
            wanted = wanted_stamp(checkout, profile)
            if not satisfied(earlier, wanted):
                make_venv(checkout, earlier)
                install(checkout, profile)
                stamp_path(checkout).write_text(json.dumps(asdict(wanted)))
        running.outcome = f"installed from {profile.requirements}"


def stamp_path(checkout: Checkout) -> Path:
    return checkout.venv / ".packages.json"


@contextmanager
def one_at_a_time(checkout: Checkout) -> Iterator[None]:
    """Let a second command wait while the first one installs: `make run` and `make test` may start together."""
    directory = os.open(checkout.root, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def make_venv(checkout: Checkout, earlier: Stamp | None) -> None:
    """Keep a venv of ours that fits this Python, else make a new one (a moved checkout needs one too)."""
    ours = earlier is not None and earlier.venv == str(checkout.venv)
    if ours and venv_version(checkout.venv) == sys.version_info[:2]:
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise DevError("This Python has no venv module.", NO_VENV)
    stamp_path(checkout).unlink(missing_ok=True)
    base = getattr(sys, "_base_executable", None) or sys.executable
    run_quietly(
        [base, "-m", "venv", "--clear", checkout.venv],
        problem="The virtual environment cannot be made",
        advice=NO_VENV,
        cwd=checkout.root,
    )


def uv(checkout: Checkout) -> Path:
    """The pinned uv inside the virtual environment, installed by pip from pip's own index."""
    program = checkout.tool("uv")
    if not program.exists():
        pip_install(checkout, UV_REQUIREMENTS, "--only-binary", ":all:")
    return program


def pip_install(checkout: Checkout, requirements: Path, *options: str) -> None:
    command: list[str | Path] = [
        checkout.python,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        *options,
        "-r",
        requirements,
    ]
    run_quietly(command, problem="pip cannot install", advice=NO_REGISTRY, cwd=checkout.root, env=python_env(checkout))


def install(checkout: Checkout, profile: Profile) -> None:
    """Install by `uv pip sync`, or more slowly by pip, where uv is missing or cannot use what pip can."""
    requirements = checkout.root / profile.requirements
    try:
        configured = pip_settings(
            run_quietly(
                [checkout.python, "-m", "pip", "config", "list"],
                problem="pip cannot tell its configuration",
                advice=NO_REGISTRY,
                cwd=checkout.root,
                env=python_env(checkout),
            )
        )
        run_quietly(
            [uv(checkout), *SYNC, checkout.python, *uv_arguments(configured), *cache_arguments(), requirements],
            problem="uv cannot install",
            advice=NO_REGISTRY,
            cwd=checkout.root,
            env=python_env(checkout) | uv_variables(configured, os.environ),
        )
    except DevError:
        pip_install(checkout, requirements)


def python_env(checkout: Checkout) -> dict[str, str]:
    return child_environment(checkout, PIP_DISABLE_PIP_VERSION_CHECK="1", UV_PYTHON_DOWNLOADS="never")


def cache_arguments() -> list[str]:
    """A user without a writable home (a service account, say) gets no cache instead of an error."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME", "")
    return [] if "UV_CACHE_DIR" in os.environ or os.access(home, os.W_OK) else ["--no-cache"]
