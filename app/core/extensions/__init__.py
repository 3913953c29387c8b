"""Records that later modules build their workflows on (directive 16): kept and listed here, and nothing more."""
