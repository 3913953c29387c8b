"""The composition root gives the runtime the declarations of all domains. Code below the domains asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from app.core.events import Topic
from app.core.gateways import Held
from app.core.permissions import Permission
from app.core.secrets.kinds import SecretKind

S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Port(Generic[S]):
    """A place where a domain asks the domains above it for something. It never imports them.

    `key` tells sources apart. It is unique within one port.
    """

    name: str
    key: Callable[[S], str]

    def brought(self, *sources: S) -> Brought[S]:
        """The sources that the registry lists for this port, in the order in which they are asked.

        Raises ValueError if two sources have the same key.
        """
        require_unique(self.name, map(self.key, sources))
        return Brought(self, sources)


@dataclass(frozen=True)
class Brought(Generic[S]):
    port: Port[S]
    sources: tuple[S, ...]


@dataclass(frozen=True, kw_only=True)
class Composition:
    """All declarations of the service. A declaration takes effect only when `app/registry.py` lists it."""

    held: tuple[Held[Any], ...] = ()
    ports: tuple[Brought[Any], ...] = ()
    permissions: tuple[Permission, ...] = ()
    secret_kinds: tuple[SecretKind, ...] = ()
    topics: tuple[Topic, ...] = ()
    _by_port: dict[Port[Any], tuple[Any, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_port", {brought.port: brought.sources for brought in self.ports})
        require_unique("ports", (brought.port.name for brought in self.ports))
        require_unique("permissions", (permission.name for permission in self.permissions))
        require_unique("secret kinds", (kind.name for kind in self.secret_kinds))
        require_unique("topics", (topic.name for topic in self.topics))

    def sources(self, port: Port[S]) -> tuple[S, ...]:
        """Raises LookupError for a port that the registry does not list."""
        if port not in self._by_port:
            raise LookupError(f"{port.name} is not listed in app/registry.py")
        return cast("tuple[S, ...]", self._by_port[port])

    def find_secret_kind(self, name: str) -> SecretKind | None:
        return next((kind for kind in self.secret_kinds if kind.name == name), None)


def require_unique(what: str, names: Iterable[str]) -> None:
    """Raises ValueError for a name that is listed twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what}: {name} is listed twice")
        seen.add(name)
