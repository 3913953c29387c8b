"""Refusals of the chart."""

from __future__ import annotations

from app.core.errors import AppError


class ChartNotEditable(AppError):
    """Details name the chart's state."""

    status = 409
    code = "CHART_NOT_EDITABLE"
    title = "The chart is closed to changes in its present state."
