#!/bin/sh
# What a container of this image does: serve (default), worker, prepare (roles, migrations), or any other command.
set -eu

case "${1:-serve}" in
  serve)
    exec python -m app.server --host 0.0.0.0 --port "${PORT:-8000}"
    ;;
  worker)
    exec python -m app.worker
    ;;
  prepare)
    if [ -n "${ADMIN_DATABASE_URL:-}" ]; then
      python -m scripts.create_roles
    fi
    python -m alembic upgrade head
    if [ "${ENVIRONMENT:-production}" = development ]; then
      python -m scripts.seed_demo
    fi
    ;;
  *)
    exec "$@"
    ;;
esac
