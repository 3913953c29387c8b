"""A group of settings is declared by the domain that reads them; `app/registry.py` composes the groups."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from pydantic_settings import BaseSettings, SettingsConfigDict

G = TypeVar("G", bound="SettingsGroup")


class SettingsGroup(BaseSettings):
    """Each field is one variable of the environment, named as the field in capitals, whichever group declares it.

    `heading` stands above the group in docs/configuration.md. What `needed_in_production` names has a default for
    development, and production does not start without it.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    heading: ClassVar[str]
    needed_in_production: ClassVar[tuple[str, ...]] = ()

    def group(self, kind: type[G]) -> G:
        """The settings of the group `kind`. Raises LookupError for a group that is not composed."""
        if not isinstance(self, kind):
            raise LookupError(f"{kind.__name__} is not listed in app/registry.py")
        return self


def groups_of(settings: type[SettingsGroup]) -> list[type[SettingsGroup]]:
    """The groups that `settings` is composed of, in the order in which they are listed."""
    return [kind for kind in settings.__mro__ if issubclass(kind, SettingsGroup) and "heading" in kind.__dict__]
