"""uv is given the index that pip is configured for, and a developer's own uv settings stand."""

from scripts.devtools.pip_index import pip_settings, uv_arguments, uv_variables

LISTING = """\
:env:.index-url='https://env.example/simple'
:env:.no-color='1'
global.cert='/etc/ca.pem'
global.extra-index-url='https://a.example/simple https://b.example/simple'
global.find-links='/wheels\\n/more'
global.index-url='https://global.example/simple'
global.trusted-host='mirror.example'
install.index-url='https://install.example/simple'
WARNING: this line is no setting
"""


def test_environment_beats_command_section_beats_global() -> None:
    assert pip_settings(LISTING)["index-url"] == "https://env.example/simple"
    without_env = "\n".join(line for line in LISTING.splitlines() if not line.startswith(":env:"))
    assert pip_settings(without_env)["index-url"] == "https://install.example/simple"


def test_settings_become_uvs() -> None:
    assert uv_variables(pip_settings(LISTING), {}) == {
        "UV_DEFAULT_INDEX": "https://env.example/simple",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    assert uv_arguments(pip_settings(LISTING)) == [
        *("--find-links", "/wheels", "--find-links", "/more"),
        *("--allow-insecure-host", "mirror.example"),
    ]


def test_an_unconfigured_pip_changes_nothing() -> None:
    assert uv_variables(pip_settings(""), {}) == {}
    assert uv_arguments(pip_settings("")) == []


def test_own_uv_settings_win() -> None:
    own = {"UV_INDEX_URL": "https://mine.example", "UV_INDEX": "https://mine.example", "SSL_CERT_FILE": "/mine"}
    assert uv_variables(pip_settings(LISTING), own) == {}


def test_no_index_is_passed_on() -> None:
    assert uv_arguments({"no-index": "true"}) == ["--no-index"]
    assert uv_arguments({"no-index": "false"}) == []
