"""Object storage: artifacts under predictable keys, in S3 or in a directory."""
