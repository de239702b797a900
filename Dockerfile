# syntax=docker/dockerfile:1
# One image for all processes: compose.yaml says which one a container runs. RELEASE.md says what of it has been built and started,
# and where.

# Debian with Node 20 and a user `node` of the number 1000. Another one: --build-arg BASE=…
ARG BASE=node:20-slim

FROM ${BASE} AS build
# The native provers and kernels are compiled here; without a compiler the processes would prove in WebAssembly.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /openledger
COPY . .
# Installs what the lockfile names, then builds the native parts and the bundle that processes start from; then the kernels of other
# processors than this one, since the image runs anywhere.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev && node prover/native/build.js --all

FROM ${BASE}
ENV NODE_ENV=production
WORKDIR /openledger
COPY --from=build /openledger /openledger
# Sources, node_modules and bundle stay root's. Processes write to the cache of compiled circuits and to their data alone.
RUN mkdir -p .cache .openledger /data /operator && chown node:node .cache .openledger /data /operator
USER node
VOLUME ["/data", "/openledger/.cache"]
# Arguments of node: a process with its settings in the environment, or a command.
ENTRYPOINT ["node"]
CMD ["scripts/openledger.js", "--help"]
