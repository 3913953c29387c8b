"""What a claim is derived to from a chart: expected values from the rules, and the service held against them."""
