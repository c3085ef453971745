# For those who run containers; in production systemd starts it (deploy/systemd/, docs/operating.md).
#
#   docker build --tag training-claw .
#   docker run --rm training-claw rehearse --fast
#   docker run --detach --name training-claw --gpus all --shm-size 8g --stop-timeout 120 --restart unless-stopped \
#     --env-file training-claw.env --volume training-claw:/var/lib/training-claw training-claw
#
# A container that is stopped ends its trainer, too; the run goes on from its last save when it starts again.
#
# Two stages: what is needed to build (a compiler, headers) does not travel.
FROM python:3.12-slim-bookworm AS build

WORKDIR /opt/training-claw
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
COPY Makefile pyproject.toml requirements.lock README.md LICENSE ./
COPY deploy/find-python deploy/find-python
COPY protocol protocol
COPY bot bot
COPY trainer trainer
RUN make build

FROM python:3.12-slim-bookworm

RUN useradd --system --uid 10001 --home-dir /var/lib/training-claw --create-home training-claw
COPY --from=build /opt/training-claw /opt/training-claw
ENV PATH=/opt/training-claw/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STATE_DIR=/var/lib/training-claw \
    TORCH_HOME=/var/lib/training-claw/torch
USER 10001
WORKDIR /var/lib/training-claw
VOLUME /var/lib/training-claw
# What `training-claw status` reads is the database; it says nothing of Discord.
HEALTHCHECK --interval=1m --timeout=20s --start-period=2m CMD ["training-claw", "status", "--json"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["training-claw"]
CMD ["serve"]
