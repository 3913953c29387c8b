"""The developer's one command: `python3 scripts/dev.py <verb>` on a machine that has nothing but Python with venv.

This file must still parse on a Python that is too old to run the rest, so that such a Python is refused by name.
"""

import shutil
import sys
from pathlib import Path

OLDEST = (3, 11)
TOO_NEW = (3, 14)


def version_problem(major: int, minor: int) -> str:
    """Why this Python cannot run the project, or an empty string when it can."""
    if OLDEST <= (major, minor) < TOO_NEW:
        return ""
    return f"Python {major}.{minor} will not do: this project needs Python 3.11, 3.12 or 3.13."


def version_advice(arguments: str) -> str:
    """What to type instead, naming an interpreter that is really there."""
    for name in ("python3.13", "python3.12", "python3.11"):
        if shutil.which(name):
            return f"Run: {name} scripts/dev.py {arguments}   (with make: PYTHON={name})"
    return "Install one of them (Debian: apt install python3 python3-venv) and run this again with it."


def start() -> int:
    """Refuse a wrong Python, then hand over to the verbs."""
    problem = version_problem(sys.version_info[0], sys.version_info[1])
    if problem:
        print(problem, file=sys.stderr)
        print(version_advice(" ".join(sys.argv[1:])), file=sys.stderr)
        return 2
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from scripts.devtools.command_line import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(start())
