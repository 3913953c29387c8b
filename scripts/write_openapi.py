"""Write the API's document without starting anything: `python -m scripts.write_openapi FILE`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from pydantic import SecretStr

from app.core.config import Environment
from app.main import create_app
from app.registry import ServiceSettings

_NOWHERE = SecretStr("postgresql://nobody@localhost/nothing")


def main(arguments: list[str]) -> int:
    [file] = arguments
    with tempfile.TemporaryDirectory() as directory:
        settings = ServiceSettings(
            environment=Environment.TEST, database_url=_NOWHERE, system_database_url=_NOWHERE, data_dir=Path(directory)
        )
        document = create_app(settings).openapi()
    Path(file).write_text(json.dumps(document, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
