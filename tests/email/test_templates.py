"""Every template renders whatever people are called, says what it must, and keeps its wording within a version."""

from __future__ import annotations

import hashlib
import html
import uuid
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.email.rendering
from app.core.account_tokens.sealing import read_token
from app.core.ids import TenantId
from app.core.keys import Keyring
from app.email.catalogue import INVITATION, TEMPLATES, AccountLinkContext, Source, Template
from app.email.failures import FailureCode, MailPostponed, MailRefused
from app.email.rendering import render, render_stored

TENANT = TenantId(uuid.UUID("01890000-0000-7000-8000-000000000001"))
TOKEN = uuid.UUID("01890000-0000-7000-8000-000000000002")
SOURCE = Source(TENANT, Keyring(b"k" * 32), "https://app.example")
HOSTILE = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}{% raw %}\r\nBcc: evil@evil.example\u202e\x00"
# A change of wording is a new version: a digest here is never replaced, only added to.
WORDING = {
    ("invitation", 1): "148c75eac33052f2",
    ("invitation", 2): "3c5e9b2fdf6fbbfd",
    ("password_reset", 1): "fa4c7e4c8c0bcda3",
    ("password_changed", 1): "88721ee9e23477a9",
    ("account_locked", 1): "56461f7d51cc4c85",
}


def name_of(template: Template[Any]) -> str:
    return f"{template.name}.v{template.version}"


def context_of(template: Template[Any], words: str) -> dict[str, Any]:
    """The stored context: every field, all words the same."""
    return {
        name: str(TOKEN) if field.annotation is uuid.UUID else words
        for name, field in template.context.model_fields.items()
    }


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name == "href"]


def structure(text: str) -> Tags:
    parser = Tags()
    parser.feed(text)
    parser.close()
    return parser


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_hostile_words_change_nothing_but_themselves(template: Template[Any]) -> None:
    plain = render(template, context_of(template, "Jane"), SOURCE)
    hostile = render(template, context_of(template, HOSTILE), SOURCE)
    assert hostile.subject == plain.subject == template.subject
    assert structure(hostile.html).tags == structure(plain.html).tags
    assert len(hostile.text.splitlines()) == len(plain.text.splitlines())
    assert "{{ 7*7 }}" in hostile.text and "49" not in hostile.text, "a context is no template"
    assert "<img" not in hostile.html and "\u202e" not in hostile.text and "\x00" not in hostile.text


@given(words=st.text(max_size=300))
@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_any_words_stay_on_their_line_and_out_of_the_markup(template: Template[Any], words: str) -> None:
    plain = render(template, context_of(template, "Jane"), SOURCE)
    rendered = render(template, context_of(template, words), SOURCE)
    assert structure(rendered.html).tags == structure(plain.html).tags
    assert len(rendered.text.split("\n")) == len(plain.text.split("\n"))


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_links_lead_to_the_app_and_carry_the_token_as_a_fragment(template: Template[Any]) -> None:
    rendered = render(template, context_of(template, "Jane"), SOURCE)
    links = structure(rendered.html).links
    if not issubclass(template.context, AccountLinkContext):
        assert "#" not in rendered.text and all(link == SOURCE.app_url for link in links)
        return
    [link] = links
    address, token = link.split("#token=")
    assert address == "https://app.example/account"
    assert read_token(SOURCE.keys, token) == (TENANT, TOKEN)
    assert link in rendered.text.split("\n"), "the link stands on a line of its own"
    assert html.unescape(rendered.html).count(link) == 2


def test_subjects_are_constant_and_name_nobody() -> None:
    for template in TEMPLATES:
        assert template.subject.isascii() and "{" not in template.subject and "\n" not in template.subject


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_a_context_that_does_not_fit_is_refused_and_not_quoted(template: Template[Any]) -> None:
    context = context_of(template, "CANARY")
    for spoilt in ({**context, "narrative": "CANARY"}, {**context, "name": None}, {"agency": "CANARY"}):
        with pytest.raises(MailRefused) as refused:
            render(template, spoilt, SOURCE)
        assert refused.value.code is FailureCode.NOT_RENDERED
        assert "CANARY" not in repr(refused.value) and refused.value.__suppress_context__


def test_a_name_that_the_context_lacks_is_a_failure_and_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    template = TEMPLATES[0]
    monkeypatch.setattr(template.context, "values", lambda self, source: {"agency": "A", "name": "N"})
    with pytest.raises(MailRefused):
        render(template, context_of(template, "Jane"), SOURCE)


def test_a_version_of_a_newer_build_waits_for_it() -> None:
    template = INVITATION
    for name, version in (("unheard_of", 1), (template.name, template.version + 1)):
        with pytest.raises(MailPostponed):
            render_stored(name, version, context_of(template, "Jane"), SOURCE)


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_wording_belongs_to_a_version(template: Template[Any]) -> None:
    rendered = render(template, context_of(template, "Jane"), SOURCE)
    digest = hashlib.sha256(f"{rendered.subject}\n{rendered.text}\n{rendered.html}".encode()).hexdigest()[:16]
    assert WORDING[template.name, template.version] == digest, "declare a new version"


def test_every_file_belongs_to_a_declared_template() -> None:
    directory = Path(app.email.rendering.__file__).with_name("templates")
    files = {file.name for file in directory.iterdir() if not file.name.startswith("_")}
    expected = {f"{one.name}.v{one.version}.{kind}.j2" for one in TEMPLATES for kind in ("txt", "html")}
    assert files == expected
