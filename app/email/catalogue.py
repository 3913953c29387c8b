"""Every kind of e-mail, each declared once: name, version, subject, and the names in its text.

The texts are `templates/<name>.v<version>.{txt,html}.j2`. A change of wording is a new version. The old one stays
while messages that were queued with it are left, because a message keeps the version that it was queued with.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, ConfigDict

from app.core.account_tokens.public import token_text
from app.core.ids import TenantId
from app.core.keys import Keyring
from app.core.schemas import ReadModel

C = TypeVar("C", bound="EmailContext")


def _one_line(value: str) -> str:
    """The name on one line. It comes from a form: its line breaks and direction marks may not change the layout."""
    visible = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in value)
    return re.sub(r"\s+", " ", visible).strip()[:200]


Words = Annotated[str, AfterValidator(_one_line)]


@dataclass(frozen=True, slots=True)
class Source:
    """What a template may use beside its context: values that are never stored."""

    tenant_id: TenantId
    keys: Keyring
    app_url: str


class EmailContext(ReadModel):
    """What is stored with a message: ids and plain words. Subclasses add fields and derive the rest in `values`."""

    model_config = ConfigDict(extra="forbid")

    agency: Words
    name: Words

    def values(self, source: Source) -> dict[str, Any]:
        """The names that the texts use."""
        return self.model_dump()


class AccountContext(EmailContext):
    """About the recipient's own account."""

    def values(self, source: Source) -> dict[str, Any]:
        return {**super().values(source), "app_url": source.app_url.rstrip("/")}


class AccountLinkContext(AccountContext):
    """With a link that an account token opens. `expires_at` is words, in the agency's time zone."""

    token_id: uuid.UUID
    expires_at: Words

    def values(self, source: Source) -> dict[str, Any]:
        """The names with the link. The token is its fragment, which browsers send to no server."""
        values = super().values(source)
        token = token_text(source.keys, source.tenant_id, values.pop("token_id"))
        return {**values, "link": f"{values['app_url']}/account#token={token}"}


class InvitationContext(AccountLinkContext):
    """With the agency's slug, which the sign-in asks for."""

    slug: Words


@dataclass(frozen=True, slots=True)
class Template(Generic[C]):
    """`subject` is constant, because locked screens show it and every relay stores it."""

    name: str
    version: int
    subject: str
    context: type[C]


OLD_INVITATION = Template("invitation", 1, "Your FusionEMS account is ready to set up", AccountLinkContext)
INVITATION = Template("invitation", 2, "Your FusionEMS account is ready to set up", InvitationContext)
PASSWORD_RESET = Template("password_reset", 1, "Reset your FusionEMS password", AccountLinkContext)
PASSWORD_CHANGED = Template("password_changed", 1, "Your FusionEMS password was changed", AccountContext)
ACCOUNT_LOCKED = Template("account_locked", 1, "Your FusionEMS account was locked", EmailContext)

TEMPLATES: tuple[Template[Any], ...] = (OLD_INVITATION, INVITATION, PASSWORD_RESET, PASSWORD_CHANGED, ACCOUNT_LOCKED)
_BY_VERSION = {(template.name, template.version): template for template in TEMPLATES}


def find_template(name: str, version: int) -> Template[Any] | None:
    """The template. None for a version that this build does not know: a newer build may have queued the message."""
    return _BY_VERSION.get((name, version))
