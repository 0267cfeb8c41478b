# The API and the page in one image. `docker build -t digit-recognition-app .`

FROM python:3.12.14-slim-trixie@sha256:2f17fc044b579bab302c2e8054d3a686e2cb9a83de48e70534b94cd8ebbe06a9 AS build
WORKDIR /build
COPY container/uv.txt ./
# Debian keeps no older version that could be named; nothing of it goes into the image.
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils \
 && pip install --no-cache-dir --require-hashes -r uv.txt

# The versions and hashes of requirements.txt, without the packages that the page never imports: 76 MB less to pull.
COPY requirements.in requirements.txt container/left-out.txt ./
RUN uv pip install --no-cache --prefix /install --excludes left-out.txt --constraints requirements.txt -r requirements.in \
    # ONNX Runtime once more, for programs in C; Python's own module holds its copy: 11 MB.
 && rm /install/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime.so.* \
    # Of the API's documentation the page is Swagger UI's: 1 MB of another one.
 && rm -r /install/lib/python3.12/site-packages/fastapi_standalone_docs/static/redoc \
    # Of SQLAlchemy its object mapper, other databases, and extensions in C that are as long as all the rest: 5 MB.
 && sqlalchemy=/install/lib/python3.12/site-packages/sqlalchemy \
 && rm -r "$sqlalchemy"/orm "$sqlalchemy"/testing "$sqlalchemy"/dialects/mssql "$sqlalchemy"/dialects/mysql \
    "$sqlalchemy"/dialects/oracle \
 && find "$sqlalchemy" -name '*.so' -delete \
    # Of the page's parts in JavaScript those of charts, maps and tables, which no page here has: 4 MB.
 && parts=/install/lib/python3.12/site-packages/streamlit/static/static/js \
 && rm "$parts"/PlotlyChart.*.js "$parts"/DeckGlJsonChart.*.js "$parts"/GraphVizChart.*.js "$parts"/EChartsChart.*.js \
    "$parts"/DataFrame.*.js "$parts"/embed.*.js \
    # What only a debugger reads of extensions in C: 6 MB.
 && find /install -name '*.so' -not -path '*.libs/*' -size +300k -exec strip --strip-unneeded {} + \
    # The packages' own tests: 2 MB.
 && find /install -type d -name tests -prune -exec rm -r {} + \
    # Python could not keep what it compiles: the root file system is read-only, the user is nobody in particular.
    # Without this every start compiles 1700 modules anew.
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /install \
    # Nothing of what was taken away is missed, on whatever platform this builds for.
 && PYTHONPATH=/install/lib/python3.12/site-packages python -c "import fastapi, onnxruntime, streamlit; \
    import alembic.command, psycopg, sqlalchemy.dialects.postgresql.psycopg"

COPY Procfile ./srv/
COPY app ./srv/app/
RUN python -m compileall -q --invalidation-mode unchecked-hash srv


FROM python:3.12.14-slim-trixie@sha256:2f17fc044b579bab302c2e8054d3a686e2cb9a83de48e70534b94cd8ebbe06a9
# The base has Python's own library in source only: compile it too, 5 MB.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x 'site-packages|idlelib|lib2to3|ensurepip' \
    /usr/local/lib/python3.12 \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin digits \
    # For a volume with the outbox: an empty one that is mounted here takes over who owns the folder.
 && install --directory --owner digits --group digits /var/lib/digits
COPY --from=build /install /usr/local
WORKDIR /srv
COPY --from=build /build/srv ./

# Samples have nowhere to stay on a read-only file system. DIGITS_SAMPLES_DATABASE keeps them: the path of a file on a
# volume, or postgresql://user:password@host/name with DIGITS_SAMPLES_OUTBOX, the path of a file on a volume.
ENV DIGITS_API_HOST=0.0.0.0 \
    DIGITS_UI_HOST=0.0.0.0 \
    DIGITS_DRAIN_SECONDS=2 \
    DIGITS_SAMPLES_DATABASE="" \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# Fargate has no tmpfs; the empty volume that it mounts here takes over this folder's mode.
VOLUME /tmp
EXPOSE 8000 8501
STOPSIGNAL SIGTERM
# A real prediction from the API and the page's health. ECS ignores this one: the task definition repeats it.
HEALTHCHECK --interval=30s --timeout=30s --start-period=30s --retries=3 CMD ["python", "-m", "app.healthcheck"]
CMD ["python", "-m", "app"]

ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Digit Recognition App" \
      org.opencontainers.image.description="Draw a character in the browser or POST a picture, and get the right answer at once." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.12.14-slim-trixie"
