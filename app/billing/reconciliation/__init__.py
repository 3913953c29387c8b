"""Trip reconciliation: no locked chart without a claim, or a reason why there is none."""
