# Two ways to put nix-cache-init into an image that has Nix:
#   docker build --build-arg BASE=my-nix-image .                     built from source (needs the registries)
#   npm run build && docker build --build-arg BASE=my-nix-image --target prebuilt .
# `prebuilt` comes first, because the classic builder (before Docker 23) makes every stage up to the one it is asked for; with
# it, `npm run build` first in either case.
ARG BASE=nixos/nix
ARG BUILDER=node:26-trixie

FROM ${BASE} AS prebuilt
COPY dist/rootfs/ /
# No VOLUME: anonymous volumes pile up, and lose the cache silently.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/init"]

FROM ${BUILDER} AS build
WORKDIR /nix-cache-init
COPY . .
RUN npm ci && npm run build

FROM ${BASE}
COPY --from=build /nix-cache-init/dist/rootfs/ /
STOPSIGNAL SIGTERM
ENTRYPOINT ["/init"]
