"""The way of an appeal: written, filed, decided by the payer, or withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.billing.permissions import CLAIM_WRITE
from app.core.audit.actions import AuditAction
from app.core.lifecycle import Guard, Lifecycle, Transition


class AppealStatus(StrEnum):
    DRAFT = "draft"
    FILED = "filed"
    WON = "won"
    PARTLY_WON = "partly_won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


class AppealTransition(StrEnum):
    FILE = "file"
    WIN = "win"
    WIN_PARTLY = "win_partly"
    LOSE = "lose"
    WITHDRAW = "withdraw"


class AppealStatusAction(AuditAction):
    FILED = "appeal.filed"
    WON = "appeal.won"
    PARTLY_WON = "appeal.partly_won"
    LOST = "appeal.lost"
    WITHDRAWN = "appeal.withdrawn"


@dataclass(frozen=True, slots=True)
class AppealFacts:
    """`excused`: the person said why it is late (good cause, 42 CFR 405.942(b))."""

    in_time: bool = True
    excused: bool = False
    enough_at_stake: bool = True


_IN_TIME: Guard[AppealFacts] = Guard(
    "in_time",
    "The time for this appeal is over: give the reason for the delay, or let it be.",
    lambda facts: facts.in_time or facts.excused,
)
_AT_STAKE: Guard[AppealFacts] = Guard(
    "amount_in_controversy",
    "The amount is less than this level takes on the day of filing.",
    lambda facts: facts.enough_at_stake,
)
_S, _T = AppealStatus, AppealTransition


def _move(
    action: AppealTransition,
    sources: set[AppealStatus],
    target: AppealStatus,
    audit_action: AppealStatusAction,
    *guards: Guard[AppealFacts],
) -> Transition[AppealStatus, AppealFacts]:
    return Transition(
        action, frozenset(sources), target, audit_action=audit_action, permission=CLAIM_WRITE, guards=guards
    )


appeal_lifecycle: Lifecycle[AppealStatus, AppealFacts] = Lifecycle(
    name="appeal",
    states=AppealStatus,
    initial=_S.DRAFT,
    transitions=(
        _move(_T.FILE, {_S.DRAFT}, _S.FILED, AppealStatusAction.FILED, _IN_TIME, _AT_STAKE),
        _move(_T.WIN, {_S.FILED}, _S.WON, AppealStatusAction.WON),
        _move(_T.WIN_PARTLY, {_S.FILED}, _S.PARTLY_WON, AppealStatusAction.PARTLY_WON),
        _move(_T.LOSE, {_S.FILED}, _S.LOST, AppealStatusAction.LOST),
        _move(_T.WITHDRAW, {_S.DRAFT, _S.FILED}, _S.WITHDRAWN, AppealStatusAction.WITHDRAWN),
    ),
)
