"""When packages are installed again, and when they are not."""

import dataclasses
import sys
from pathlib import Path

import pytest

from scripts.devtools import packages
from scripts.devtools.checkout import Checkout
from scripts.devtools.packages import Profile, Stamp, read_stamp, satisfied, venv_version, wanted_stamp

HASHES = {"requirements.txt": "a", "requirements-local.txt": "b", "requirements-dev.txt": "c"}


def stamp(profile: Profile, **changed: str) -> Stamp:
    return Stamp("/checkout/.venv", "3.12", profile, HASHES | changed)


@pytest.mark.parametrize("installed", list(Profile))
@pytest.mark.parametrize("wanted", list(Profile))
def test_a_larger_profile_serves_a_smaller_one(installed: Profile, wanted: Profile) -> None:
    assert satisfied(stamp(installed), stamp(wanted)) is (installed >= wanted)


def test_nothing_installed_satisfies_nothing() -> None:
    assert not satisfied(None, stamp(Profile.BASE))


@pytest.mark.parametrize("changed", ["requirements-local.txt", "requirements-dev.txt"])
def test_a_changed_file_of_either_profile_installs_again(changed: str) -> None:
    current = dataclasses.replace(stamp(Profile.LOCAL), hashes=HASHES | {changed: "new"})
    assert not satisfied(stamp(Profile.DEV), current)


def test_a_changed_file_that_neither_profile_uses_does_not() -> None:
    current = dataclasses.replace(stamp(Profile.BASE), hashes=HASHES | {"requirements-dev.txt": "new"})
    assert satisfied(stamp(Profile.LOCAL), current)


@pytest.mark.parametrize("change", [{"python": "3.13"}, {"venv": "/moved/.venv"}])
def test_another_python_or_place_installs_again(change: dict[str, str]) -> None:
    assert not satisfied(dataclasses.replace(stamp(Profile.DEV), **change), stamp(Profile.DEV))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"venv": "/x"}', '{"a": 1}'])
def test_a_stamp_cut_short_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "stamp").write_text(content)
    assert read_stamp(tmp_path / "stamp") is None
    assert read_stamp(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [("version = 3.12.1", (3, 12)), ("version_info = 3.11.7.final.0", (3, 11)), ("home = /usr/bin", (0, 0))],
)
def test_version_of_a_venv(tmp_path: Path, line: str, expected: tuple[int, int]) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").write_text(f"include-system-site-packages = false\n{line}\n")
    assert venv_version(tmp_path) == (0, 0), "without its Python it is no environment"
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    assert venv_version(tmp_path) == expected


def test_prepare_installs_once_and_keeps_the_larger_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Checkout(tmp_path, tmp_path / ".data")
    for profile in Profile:
        (tmp_path / profile.requirements).write_text("first")
    done: list[str] = []

    def make_venv(checkout: Checkout, earlier: Stamp | None) -> None:
        done.append("venv" if earlier is None else "venv kept")
        checkout.venv.mkdir(exist_ok=True)

    monkeypatch.setattr(packages, "make_venv", make_venv)
    monkeypatch.setattr(packages, "install", lambda checkout, profile: done.append(profile.requirements))
    for profile in (Profile.LOCAL, Profile.LOCAL, Profile.DEV, Profile.LOCAL):
        packages.prepare(checkout, profile)
    assert done == ["venv", "requirements-local.txt", "venv kept", "requirements-dev.txt"]
    (tmp_path / "requirements-local.txt").write_text("second")
    packages.prepare(checkout, Profile.LOCAL)
    assert done[-1] == "requirements-dev.txt", "switching between run and test must not install back and forth"
    assert satisfied(read_stamp(checkout.venv / ".packages.json"), wanted_stamp(checkout, Profile.DEV))
