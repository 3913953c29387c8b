"""The image's shell steps, run here, since a Docker engine is not at hand everywhere."""

import hashlib
import http.server
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.devtools.checkout import ROOT

IMAGE = ROOT / "scripts" / "image"
SCRIPTS = sorted(IMAGE.glob("*.sh"))


@pytest.mark.parametrize("script", [*SCRIPTS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_scripts_parse_and_can_be_executed(script: Path) -> None:
    shell = script.read_text().splitlines()[0].split("/")[-1].removeprefix("env ")
    assert subprocess.run([shell, "-n", script], check=False).returncode == 0
    assert os.access(script, os.X_OK)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel of one module, so that installing needs no network."""
    path = tmp_path / "siren-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("siren.py", "sound = 'wail'\n")
        archive.writestr("siren-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: siren\nVersion: 1.0\n")
        archive.writestr("siren-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("siren-1.0.dist-info/RECORD", "")
    return path


def install(wheel: Path, digest: str) -> "subprocess.CompletedProcess[str]":
    requirements = wheel.with_name("requirements.txt")
    requirements.write_text(f"siren @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    command: list[str | Path] = ["sh", IMAGE / "install.sh", wheel.with_name("prefix"), requirements]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_install_takes_what_matches_its_hash_and_leaves_no_installer(wheel: Path) -> None:
    done = install(wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert done.returncode == 0, done.stderr
    python = wheel.with_name("prefix") / "bin" / "python"
    imported = subprocess.run([python, "-c", "import siren; print(siren.sound)"], capture_output=True, check=False)
    assert imported.stdout == b"wail\n"
    assert subprocess.run([python, "-m", "pip"], capture_output=True, check=False).returncode != 0


def test_install_refuses_another_hash(wheel: Path) -> None:
    done = install(wheel, "0" * 64)
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()


@pytest.fixture
def fake_python(tmp_path: Path) -> Path:
    """A `python` that only tells what it was called with."""
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    return program.parent


def entrypoint(path: Path, *arguments: str, **environment: str) -> str:
    env = {"PATH": f"{path}:/usr/bin:/bin"} | environment
    done = subprocess.run([IMAGE / "entrypoint.sh", *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_entrypoint_serves_by_default(fake_python: Path) -> None:
    said = entrypoint(fake_python, PORT="9000")
    assert said == "-m app.server --host 0.0.0.0 --port 9000\n"
    assert entrypoint(fake_python, "serve", PORT="9000") == said
    assert entrypoint(fake_python, "worker") == "-m app.worker\n"


@pytest.mark.parametrize(
    ("environment", "steps"),
    [
        ({}, ["-m alembic upgrade head"]),
        ({"ADMIN_DATABASE_URL": "x"}, ["-m scripts.create_roles", "-m alembic upgrade head"]),
        ({"ENVIRONMENT": "development"}, ["-m alembic upgrade head", "-m scripts.seed_demo"]),
        ({"ENVIRONMENT": "production"}, ["-m alembic upgrade head"]),
    ],
)
def test_entrypoint_prepares(fake_python: Path, environment: dict[str, str], steps: list[str]) -> None:
    assert entrypoint(fake_python, "prepare", **environment).splitlines() == steps


def test_entrypoint_runs_any_other_command(fake_python: Path) -> None:
    assert entrypoint(fake_python, "echo", "two  words") == "two  words\n"


@pytest.fixture(params=[200, 503])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """A server whose /health/live answers with the status; yields (port, status)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving.server_port, request.param
        serving.shutdown()
        thread.join()


def test_healthcheck_follows_the_liveness(server: tuple[int, int]) -> None:
    port, status = server
    done = subprocess.run(
        [IMAGE / "healthcheck.sh"],
        env={"PATH": f"{ROOT / '.venv' / 'bin'}:/usr/bin:/bin", "PORT": str(port)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode == 0) is (status == 200)


def test_the_image_gets_nothing_but_what_it_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        word.split("/")[0]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert "*" in ignored
    assert allowed == copied
