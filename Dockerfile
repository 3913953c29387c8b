# The production image. Its shell steps are scripts/image/*.sh, so that the tests can run them without a Docker engine.
FROM python:3.12-slim AS packages
COPY requirements.txt scripts/image/install.sh /build/
RUN sh /build/install.sh /opt/venv /build/requirements.txt

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    DATA_DIR=/data \
    HOME=/data \
    PORT=8000
RUN install -d -m 0700 -o 10001 -g 10001 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv
COPY alembic.ini ./
COPY app app
COPY migrations migrations
COPY scripts scripts
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/srv/scripts/image/healthcheck.sh"]
ENTRYPOINT ["/srv/scripts/image/entrypoint.sh"]
CMD ["serve"]
