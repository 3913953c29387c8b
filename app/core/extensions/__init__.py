"""Records for the workflows of later modules (directive 16), and external API keys, by which outside systems call."""
