# The images of Pawsort: `web`, `worker` for inference and maintenance on CPUs, `training` with TensorFlow, `worker-gpu`
# for NVIDIA's GPUs, with TensorFlow too.
# docker-compose.yml builds them. By hand: docker build --target web -t pawsort-web .

FROM python:3.13.7-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH=/opt/pawsort/bin:$PATH
WORKDIR /source

# Packages first: they change less often than Pawsort itself, so their layer is cached.
FROM base AS web-packages
COPY deploy/install.sh deploy/
COPY requirements/ requirements/
RUN ["sh", "deploy/install.sh", "packages", "web", "/opt/pawsort"]

FROM base AS worker-packages
COPY deploy/install.sh deploy/
COPY requirements/ requirements/
RUN ["sh", "deploy/install.sh", "packages", "worker", "/opt/pawsort"]

FROM base AS training-packages
COPY deploy/install.sh deploy/
COPY requirements/ requirements/
RUN ["sh", "deploy/install.sh", "packages", "training", "/opt/pawsort"]

FROM base AS gpu-packages
COPY deploy/install.sh deploy/
COPY requirements/ requirements/
RUN ["sh", "deploy/install.sh", "packages", "gpu", "/opt/pawsort"]

# The parts of Pawsort in each image. The tests install exactly these.
FROM web-packages AS web-build
COPY pyproject.toml README.md NOTICE ./
COPY client/ client/
COPY core/ core/
COPY instance/ instance/
COPY migrations/ migrations/
COPY web/ web/
RUN ["sh", "deploy/install.sh", "pawsort", "/opt/pawsort"]

FROM worker-packages AS worker-build
COPY pyproject.toml README.md NOTICE ./
COPY client/ client/
COPY core/ core/
COPY instance/ instance/
COPY migrations/ migrations/
COPY model/ model/
COPY worker/ worker/
RUN ["sh", "deploy/install.sh", "pawsort", "/opt/pawsort"]

FROM training-packages AS training-build
COPY pyproject.toml README.md NOTICE ./
COPY client/ client/
COPY core/ core/
COPY instance/ instance/
COPY migrations/ migrations/
COPY model/ model/
COPY worker/ worker/
RUN ["sh", "deploy/install.sh", "pawsort", "/opt/pawsort"]

FROM gpu-packages AS gpu-build
COPY pyproject.toml README.md NOTICE ./
COPY client/ client/
COPY core/ core/
COPY instance/ instance/
COPY migrations/ migrations/
COPY model/ model/
COPY worker/ worker/
RUN ["sh", "deploy/install.sh", "pawsort", "/opt/pawsort"]

# Nothing runs as root, and no process can change the programs.
FROM base AS runtime
RUN useradd --system --uid 10001 --home-dir /var/lib/pawsort --create-home pawsort
ENV PAWSORT_DATA_DIR=/var/lib/pawsort
WORKDIR /var/lib/pawsort
USER 10001:10001

FROM runtime AS web
COPY --from=web-build /opt/pawsort /opt/pawsort
ENV PAWSORT_HOST=0.0.0.0 PAWSORT_PORT=8000
EXPOSE 8000
CMD ["pawsort", "web"]

FROM runtime AS worker
COPY --from=worker-build /opt/pawsort /opt/pawsort
CMD ["pawsort", "worker", "inference"]

FROM runtime AS training
COPY --from=training-build /opt/pawsort /opt/pawsort
CMD ["pawsort", "worker", "training"]

FROM runtime AS worker-gpu
COPY --from=gpu-build /opt/pawsort /opt/pawsort
CMD ["pawsort", "worker", "inference"]
