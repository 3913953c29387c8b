"""The chart as it stands and as it stood: whole, at any instant, version by version, amendment by amendment."""
