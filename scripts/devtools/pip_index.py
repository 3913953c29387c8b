"""Makes uv use the package index that pip is configured for: a mirror is set up once, for pip."""

import ast
from collections.abc import Mapping

# pip asks every index and takes the best; uv's default stops at the first that knows the name, and a mirror with an
# older release would then hide the pinned one. Safe here: every file is pinned by its hash.
LIKE_PIP = "unsafe-best-match"


def pip_settings(listing: str) -> dict[str, str]:
    """The options in force, from the output of `pip config list` (`global.index-url='https://…'` per line).

    pip's order: the environment beats the section of the command, which beats `global`.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        name, equals, value = line.strip().partition("=")
        section, dot, option = name.partition(".")
        if equals and dot and section in sections:
            sections[section][option] = str(ast.literal_eval(value))
    return {option: value for section in sections.values() for option, value in section.items()}


def uv_variables(configured: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Environment for uv; a variable that the developer set for uv is left as it is.

    Addresses go through the environment, since they may hold a password and arguments are public.
    """
    wanted = {
        "UV_DEFAULT_INDEX": configured.get("index-url", ""),
        "UV_INDEX": " ".join(configured.get("extra-index-url", "").split()),
        "SSL_CERT_FILE": configured.get("cert", ""),
        "SSL_CLIENT_CERT": configured.get("client-cert", ""),
        "ALL_PROXY": configured.get("proxy", ""),
        "UV_HTTP_TIMEOUT": configured.get("timeout", configured.get("default-timeout", "")),
    }
    older_names = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
    chosen = {
        name: value
        for name, value in wanted.items()
        if value and name not in environ and older_names.get(name, name) not in environ
    }
    if "UV_INDEX" in chosen and "UV_INDEX_STRATEGY" not in environ:
        chosen["UV_INDEX_STRATEGY"] = LIKE_PIP
    return chosen


def uv_arguments(configured: Mapping[str, str]) -> list[str]:
    """The settings that uv takes as arguments only."""
    arguments = ["--no-index"] if configured.get("no-index", "").lower() in {"1", "true", "yes", "on"} else []
    for place in configured.get("find-links", "").split():
        arguments += ["--find-links", place]
    for host in configured.get("trusted-host", "").split():
        arguments += ["--allow-insecure-host", host]
    return arguments
