"""Refusals of billing."""

from __future__ import annotations

from app.billing.x12.tokenizer import InterchangeFormatError
from app.core.errors import AppError


class AccountInUse(AppError):
    """The patients are parted from the account first."""

    status = 409
    code = "ACCOUNT_IN_USE"
    title = "Patients are joined to this billing account."


class ChartNotLocked(AppError):
    """Details name the chart's state."""

    status = 409
    code = "CHART_NOT_LOCKED"
    title = "A claim is made from a locked chart only."
    shows = {"status": "the chart's state"}


class ClaimNotEditable(AppError):
    """Details name the claim's state."""

    status = 409
    code = "CLAIM_NOT_EDITABLE"
    title = "Only a claim that is pending review can be changed."
    shows = {"status": "the claim's state"}


class ClaimsNotReady(AppError):
    """`details.claims` names every claim that cannot be exported, its state and what failed; nothing was exported."""

    status = 409
    code = "CLAIMS_NOT_READY"
    title = "Some of these claims cannot be exported."
    shows = {"claims": "each claim that cannot be exported, as `{claim_id, state, failed_guards}`"}


class UnreadableFile(AppError):
    """Nothing of the file was taken. Details never quote it."""

    status = 422
    code = "UNREADABLE_FILE"
    title = "The file cannot be read."
    shows = {
        "segment": "the tag of the segment where reading stopped; null where it is none",
        "position": "the number of that segment (of a text in columns: line) in the file, counted from 1; null if none",
    }

    @classmethod
    def of(cls, refusal: InterchangeFormatError) -> UnreadableFile:
        return cls(refusal.says, segment=refusal.segment, position=refusal.position)


class WrongFile(AppError):
    """Details name what the file is. Nothing of it was taken."""

    status = 422
    code = "WRONG_FILE"
    title = "Remittances are sent to billing/remittances, everything else that comes back to billing/acknowledgements."
    shows = {"kind": "what the file is: `835`, `999`, `277CA`, `TA1` or `office_ally_status`"}


class NotPostable(AppError):
    """Nothing was posted. Details name the reason."""

    status = 409
    code = "NOT_POSTABLE"
    title = "The payer's decision does not fit the claim."
    shows = {"reason": "why it cannot be posted, as in `hold_reason`"}


class OverBalance(AppError):
    """Details say how much there is. Nothing was posted."""

    status = 409
    code = "OVER_BALANCE"
    title = "There is less on this balance."
    shows = {"available": "what may be taken from it, as a decimal string"}


class DeliveryNotFailed(AppError):
    """Details name the delivery's state."""

    status = 409
    code = "DELIVERY_NOT_FAILED"
    title = "Only a file whose delivery has failed is delivered again."
    shows = {"status": "the state of the file's last delivery; null if the file never had one"}


class AppealNotEditable(AppError):
    """Details name the appeal's state."""

    status = 409
    code = "APPEAL_NOT_EDITABLE"
    title = "Only a draft of an appeal can be changed."
    shows = {"status": "the appeal's state"}


class NotAppealable(AppError):
    """Details say why."""

    status = 409
    code = "NOT_APPEALABLE"
    title = "This refusal cannot be appealed, or not any further."
    shows = {"reason": "`unprocessable`, `resolved`, `given_up`, `won` or `last_level`"}
