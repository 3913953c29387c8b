"""The lowest level of staff that may do an act, on a day, in a state (42 CFR 414.605, ALS intervention)."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.billing.als_acts.models import ActKind, AlsAct, StaffLevel

_SHIPPED = Path(__file__).with_name("scope.toml")
_RANK = {level: rank for rank, level in enumerate(StaffLevel)}
_UNLISTED = {
    ActKind.PROCEDURE: StaffLevel.BLS,
    ActKind.ROUTE: StaffLevel.BLS,
    ActKind.MEDICATION: StaffLevel.PARAMEDIC,
}

Key = tuple[ActKind, str]


@cache
def shipped_scope() -> Mapping[Key, StaffLevel]:
    """The levels of the National EMS Scope of Practice Model 2019."""
    tables = tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))
    return {
        (kind, code): StaffLevel(level)
        for kind in ActKind
        for level, codes in tables[kind.value].items()
        for code in codes
    }


@dataclass(frozen=True)
class Scope:
    """`own` is what the agency entered, for the state and the day that are asked about."""

    own: Mapping[Key, StaffLevel]

    @classmethod
    def of(cls, acts: Iterable[AlsAct], state: str, day: dt.date) -> Scope:
        """The scope of a state on a day, made of the agency's acts. Of several in force, the latest counts."""
        in_force = [
            act
            for act in acts
            if act.state == state
            and act.effective_from <= day
            and (act.effective_to is None or day <= act.effective_to)
        ]
        in_force.sort(key=lambda act: act.effective_from)
        return cls({(act.kind, act.code.casefold()): act.level for act in in_force})

    def of_procedure(self, code: str) -> StaffLevel:
        return self._level(ActKind.PROCEDURE, code)

    def of_medication(self, ingredients: Collection[str], route: str | None) -> StaffLevel:
        """The higher of the route's level and the ingredients' levels. A medication without known ingredients is
        judged by its route alone."""
        levels = [self._level(ActKind.MEDICATION, name.casefold()) for name in ingredients]
        if route is not None:
            levels.append(self._level(ActKind.ROUTE, route))
        return max(levels, key=_RANK.__getitem__, default=StaffLevel.BLS)

    def _level(self, kind: ActKind, code: str) -> StaffLevel:
        return self.own.get((kind, code)) or shipped_scope().get((kind, code)) or _UNLISTED[kind]


def reaches(held: StaffLevel, needed: StaffLevel) -> bool:
    """True if staff of the level `held` may do what needs `needed`."""
    return _RANK[held] >= _RANK[needed]
