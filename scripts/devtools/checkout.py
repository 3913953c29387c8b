"""The places of a working copy: the checkout, its virtual environment, its data directory."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from scripts.devtools.console import DevError

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Checkout:
    """One working copy with one data directory; two of them never share a port, a lock or a cluster."""

    root: Path
    data_dir: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def key(self) -> str:
        """A short name of the data directory, for paths outside it that belong to it alone."""
        return hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]

    def tool(self, name: str) -> Path:
        """A program that the virtual environment installs."""
        return self.venv / "bin" / name

    def make_directories(self) -> None:
        """Create the data directory, closed to others: it holds secrets and attachments."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DevError(f"The data directory cannot be made: {error}", CHOOSE_DATA_DIR) from error
        if not os.access(self.data_dir, os.W_OK | os.X_OK):
            raise DevError(f"The data directory {self.data_dir} is not writable by you.", CHOOSE_DATA_DIR)


CHOOSE_DATA_DIR = "Name one that is: --data-dir PATH (or DATA_DIR=PATH)."


def locate(data_dir: str | None) -> Checkout:
    """The checkout this file lies in. Its data directory is the option's, else that of DATA_DIR, else `.data`."""
    chosen = data_dir or os.environ.get("DATA_DIR") or str(ROOT / ".data")
    return Checkout(ROOT, Path(chosen).expanduser().resolve())


def child_environment(checkout: Checkout, **extra: str) -> dict[str, str]:
    """The developer's environment for a child in the venv, without variables that would redirect its imports."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
    path = f"{checkout.venv / 'bin'}{os.pathsep}{inherited.get('PATH', os.defpath)}"
    own = {"PATH": path, "VIRTUAL_ENV": str(checkout.venv), "DATA_DIR": str(checkout.data_dir)}
    return reference_material(checkout) | inherited | own | extra


def reference_material(checkout: Checkout) -> dict[str, str]:
    """Variables for the tests' samples and the official schemas, where `shared/` lies beside the checkout."""
    shared = checkout.root.parent / "shared"
    found = {"SHARED_DIR": str(shared)} if shared.is_dir() else {}
    schemas = Path(os.environ.get("SHARED_DIR", shared)) / "nemsis" / "xsd"
    return found | ({"NEMSIS_SCHEMA_DIR": str(schemas)} if schemas.is_dir() else {})
