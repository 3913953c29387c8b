"""Charges from fee schedules: when a biller asks, and when a schedule changes after the fact."""
