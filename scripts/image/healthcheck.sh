#!/bin/sh
# Whether the process answers; being ready (database, Redis) is the load balancer's question, not the container's.
set -eu
exec python -c '
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/health/live", timeout=3)
except (urllib.error.URLError, OSError) as error:
    sys.exit(f"not alive: {error}")
' "${PORT:-8000}"
