"""Several changed parts of one chart in one request: what a device sends when it is back on the network."""
