"""A group of settings is declared by the domain that reads them; `app/registry.py` composes the groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from app.core.wording import describe

G = TypeVar("G", bound="SettingsGroup")


class UnusableSettings(SystemExit):
    """Ends the process with code 1 and every problem in plain words. Nothing of a value is among them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n- {problem}" for problem in self.problems)
        super().__init__(f"The settings are wrong:{lines}\ndocs/configuration.md describes every variable.")


class SettingsGroup(BaseSettings):
    """Each field is one variable of the environment, named as the field in capitals, whichever group declares it.

    An empty variable counts as one that is not set. `heading` stands above the group in docs/configuration.md.
    What `needed_in_production` names has a default for development, and production does not start without it.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True)

    heading: ClassVar[str]
    needed_in_production: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def wanting(cls, given: Mapping[str, Any], wrong: Collection[str] = ()) -> list[str]:
        """What the settings lack as a whole. `given` are values by field, parsed or as the environment spells them.

        Nothing is said of the fields in `wrong`.
        """
        return []

    def group(self, kind: type[G]) -> G:
        """The settings of the group `kind`. Raises LookupError for a group that is not composed."""
        if not isinstance(self, kind):
            raise LookupError(f"{kind.__name__} is not listed in app/registry.py")
        return self


def groups_of(settings: type[SettingsGroup]) -> list[type[SettingsGroup]]:
    """The groups that `settings` is composed of, in the order in which they are listed."""
    return [kind for kind in settings.__mro__ if issubclass(kind, SettingsGroup) and "heading" in kind.__dict__]


def read_settings(kind: type[G]) -> G:
    """The settings of the environment. Raises UnusableSettings with all problems at once."""
    try:
        return kind()
    except ValidationError as error:
        raise UnusableSettings(_problems(error, kind)) from None


def _problems(error: ValidationError, kind: type[SettingsGroup]) -> Iterator[str]:
    """pydantic judges the whole only if every field is right. Here it is judged anyhow, without the wrong fields."""
    found = error.errors(include_input=False, include_url=False)
    wrong = {str(problem["loc"][0]) for problem in found if problem["loc"]}
    for problem in found:
        yield _told(problem, kind)
    if wrong:
        yield from kind.wanting(EnvSettingsSource(kind)(), wrong)


def _told(problem: Mapping[str, Any], kind: type[SettingsGroup]) -> str:
    if not problem["loc"]:
        return str(problem["msg"]).removeprefix("Value error, ")
    name = str(problem["loc"][0])
    variable = name.upper()
    if problem["type"] == "missing":
        return f"{variable} is not set: {kind.model_fields[name].description}."
    return describe(problem, variable, kind) or f"{variable} {problem['msg']}."
