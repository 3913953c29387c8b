"""What a claim's derived values rest on: cited fields of the chart, and whether they still say the same."""
