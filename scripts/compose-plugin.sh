#!/bin/sh
# Makes sure that `docker compose` and `docker buildx` exist: compose-plugin.sh
#
# What is here already is used. Else the two come from Debian 13's packages, into ~/.docker/cli-plugins:
# Debian 12 has only compose 1.29, which the compose files also work with. Needs Docker, not root.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'compose-plugin: %s\n' "$*" >&2; }
compose() { docker compose version >/dev/null 2>&1; }
buildx() { docker buildx version >/dev/null 2>&1; }

if compose && buildx; then exit 0; fi
docker version >/dev/null 2>&1 || { say 'no Docker engine answers'; exit 2; }

work=$(mktemp -d "${TMPDIR:-/var/tmp}/th-compose.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say 'getting docker-compose and docker-buildx from Debian 13'
tests/images/build.sh th-base:trixie
# The files come as a tar, so that they belong to who runs this.
docker run --rm --network host --label th.image=offline th-base:trixie sh -euc '
  cd /tmp
  apt-get update -qq >&2
  apt-get download -qq docker-compose docker-buildx >&2
  for package in *.deb; do dpkg-deb -x "$package" x; done
  mkdir plugins
  find x -path "*/cli-plugins/*" -type f -exec mv {} plugins ";"
  tar -C plugins -c .' | tar -C "$work" --no-same-owner -x

directory=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
mkdir -p "$directory"
compose || install "$work/docker-compose" "$directory"
buildx || install "$work/docker-buildx" "$directory"
docker compose version >&2
