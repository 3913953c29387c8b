"""Errors by which a chart refuses a request."""

from __future__ import annotations

from app.core.errors import AppError


class ChartNotEditable(AppError):
    """Details name the chart's state."""

    status = 409
    code = "CHART_NOT_EDITABLE"
    title = "The chart is closed to changes in its present state."
    shows = {"status": "the chart's state"}


class EntryInUse(AppError):
    """Details name the kind of entry that refers to this one."""

    status = 409
    code = "ENTRY_IN_USE"
    title = "Other entries of the chart belong to this one; delete them first."
    shows = {"used_by": "the kind of entry that refers to this one"}


class DependencyRefused(AppError):
    """Details name the record whose creation was refused in the same sync."""

    status = 409
    code = "DEPENDENCY_REFUSED"
    title = "This needs something whose creation was refused in this request, so it was not tried."
    shows = {"id": "the id of what was not created"}


class EntryDeleted(AppError):
    """Details have what restores the entry, or the chart. Its creation was repeated: the same client-made id or
    Idempotency-Key."""

    status = 409
    code = "ENTRY_DELETED"
    title = "This was made before and has been deleted; restore it, or make another with an id of its own."
    shows = {"id": "its id", "version": "the version that `restore` takes", "deleted_at": "when it was deleted"}


class EntryHeld(AppError):
    """The request would change or delete an entry that came in late. Details name the late entry and its state."""

    status = 409
    code = "ENTRY_HELD"
    title = "This entry came in late and is no part of the chart; correct it once it is admitted."
    shows = {"late_entry_id": "the id of the late entry", "status": "the state of the late entry"}


class ChartInUse(AppError):
    """Details name the kinds of documents that were made of the chart."""

    status = 409
    code = "CHART_IN_USE"
    title = "A claim or a document that was exported stands on this chart."


class ReviewClosed(AppError):
    """Details name the review's state."""

    status = 409
    code = "REVIEW_CLOSED"
    title = "The chart does not wait for a review."
    shows = {"status": "the review's state"}
