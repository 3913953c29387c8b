"""Refusals of billing."""

from __future__ import annotations

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


class DeliveryNotFailed(AppError):
    """Details name the delivery's state."""

    status = 409
    code = "DELIVERY_NOT_FAILED"
    title = "Only a file whose delivery has failed is delivered again."
    shows = {"status": "the state of the file's last delivery; null if the file never had one"}
