"""Renders the subject and the texts of a stored message. Rendered text is never stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, select_autoescape
from pydantic import ValidationError

from app.email.catalogue import Source, Template, find_template
from app.email.failures import FailureCode, MailPostponed, MailRefused

# StrictUndefined: a name that the context lacks is an error, not a gap in a sentence.
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(enabled_extensions=("html.j2",), default_for_string=False),
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def render(template: Template[Any], context: dict[str, Any], source: Source) -> Rendered:
    """Raises MailRefused(NOT_RENDERED) when the stored context does not fit the template."""
    stem = f"{template.name}.v{template.version}"
    try:
        values = template.context.model_validate(context).values(source)
        text, html = (_ENVIRONMENT.get_template(f"{stem}.{kind}.j2").render(values) for kind in ("txt", "html"))
    except (ValidationError, TemplateError):
        raise MailRefused(FailureCode.NOT_RENDERED) from None  # both errors quote the context
    return Rendered(template.subject, text, html)


def render_stored(name: str, version: int, context: dict[str, Any], source: Source) -> Rendered:
    """Do the same as `render`. Raises MailPostponed for a version that only a newer build knows."""
    template = find_template(name, version)
    if template is None:
        raise MailPostponed(FailureCode.NOT_RENDERED)
    return render(template, context, source)
