"""The web server's own limits: connections, headers, the time that a request may take to arrive, and how it stops."""
