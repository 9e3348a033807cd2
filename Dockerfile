# The images of Pawsort: `web`, `worker` for inference and maintenance on CPUs, `training` with TensorFlow, `worker-gpu`
# for NVIDIA's GPUs, with TensorFlow too.
# docker-compose.yml builds them. By hand: docker build --target web -t pawsort-web .
# A builder that runs every stage up to its target finds the small images first.

FROM docker.io/library/python:3.13.16-slim-trixie AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# Nothing runs as root, and no process can change the programs. Any other user can run them too: the folder for data
# belongs to group 0, which engines that choose a user give to each of them.
FROM base AS runtime
RUN groupadd --gid 10001 pawsort \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/pawsort --no-create-home --no-log-init pawsort \
 && install --directory --owner 10001 --group 0 --mode 0770 /var/lib/pawsort
ENV PATH=/opt/pawsort/bin:$PATH PAWSORT_DATA_DIR=/var/lib/pawsort HOME=/var/lib/pawsort
WORKDIR /var/lib/pawsort
USER 10001:10001

FROM base AS installer
WORKDIR /source
COPY deploy/install.sh deploy/
COPY requirements/ requirements/

# Packages are a layer of their own: they change less often than Pawsort itself, whose parts are in /opt/pawsort/code.
FROM installer AS web-packages
# Nothing here runs the tests of NumPy or reads stubs of types: 18 MB.
RUN sh deploy/install.sh packages web /opt/pawsort \
 && find /opt/pawsort/lib \( -path "*/numpy/*" -name tests -o -path "*/numpy/f2py" -o -name "*.pyi" \) -prune -exec rm -r {} +

FROM installer AS guide
COPY CHANGELOG.md CONTRIBUTING.md ./
COPY client/VERSION client/
COPY docs/ docs/
RUN ["sh", "deploy/install.sh", "guide", "/guide"]

FROM web-packages AS web-code
COPY pyproject.toml README.md NOTICE ./
COPY client/ client/
COPY core/ core/
COPY instance/ instance/
COPY migrations/ migrations/
COPY web/ web/
COPY --from=guide /guide web/help
RUN ["sh", "deploy/install.sh", "pawsort", "/opt/pawsort"]

FROM runtime AS web
COPY --from=web-packages /opt/pawsort /opt/pawsort
COPY --from=web-code /opt/pawsort/code /opt/pawsort/code
ENV PAWSORT_HOST=0.0.0.0 PAWSORT_PORT=8000
EXPOSE 8000
CMD ["pawsort", "web"]

FROM installer AS worker-packages
RUN ["sh", "deploy/install.sh", "packages", "worker", "/opt/pawsort"]

FROM worker-packages AS worker-code
COPY pyproject.toml README.md NOTICE ./
COPY client/ client/
COPY core/ core/
COPY instance/ instance/
COPY migrations/ migrations/
COPY model/ model/
COPY worker/ worker/
RUN ["sh", "deploy/install.sh", "pawsort", "/opt/pawsort"]

FROM runtime AS worker
COPY --from=worker-packages /opt/pawsort /opt/pawsort
COPY --from=worker-code /opt/pawsort/code /opt/pawsort/code
CMD ["pawsort", "worker", "inference"]

# Both have the code of the worker and more packages.
FROM installer AS training-packages
RUN ["sh", "deploy/install.sh", "packages", "training", "/opt/pawsort"]

FROM runtime AS training
COPY --from=training-packages /opt/pawsort /opt/pawsort
COPY --from=worker-code /opt/pawsort/code /opt/pawsort/code
CMD ["pawsort", "worker", "training"]

FROM installer AS gpu-packages
RUN ["sh", "deploy/install.sh", "packages", "gpu", "/opt/pawsort"]

FROM runtime AS worker-gpu
COPY --from=gpu-packages /opt/pawsort /opt/pawsort
COPY --from=worker-code /opt/pawsort/code /opt/pawsort/code
CMD ["pawsort", "worker", "inference"]
