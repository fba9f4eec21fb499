#!/bin/sh
# Makes sure the images the tests use exist: build.sh [postgres:15] [postgres:17]
#
# What is here already is used, then the registry's own image. Without a registry, a stand-in that
# behaves like it is built from the Debian archive, so the tests run behind any firewall.
set -eu
cd "$(dirname "$0")"

say() { printf 'images: %s\n' "$*" >&2; }
here() { docker image inspect "$1" >/dev/null 2>&1; }

if [ "$(id -u)" = 0 ]; then root=; else root='sudo -n'; fi
work=
# shellcheck disable=SC2086 # $root is empty or two words
trap '[ -z "$work" ] || $root rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The host's own mirror, if it is a Debian: the one that is known to answer from here.
mirror() {
  if [ -n "${TH_DEBIAN_MIRROR:-}" ]; then
    echo "$TH_DEBIAN_MIRROR"
  else
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
      grep -v '^#' | grep -Eo 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' |
      grep . || echo http://deb.debian.org/debian
  fi
}

# base SUITE: th-base:SUITE, a minimal Debian
base() {
  if here "th-base:$1"; then return; fi
  say "th-base:$1: debootstrap from $(mirror)"
  # /var/tmp, because /tmp may be memory and this is 300 MB.
  work=$(mktemp -d "${TMPDIR:-/var/tmp}/th-base.XXXXXX")
  # shellcheck disable=SC2086
  $root debootstrap --variant=minbase --include=ca-certificates "$1" "$work" "$(mirror)" >&2
  # A proxy or a relaxed check that the host's apt needs, the containers' apt needs too.
  apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|Check)[-:A-Za-z]* ' |
    $root tee "$work/etc/apt/apt.conf.d/10host" >/dev/null || true
  # shellcheck disable=SC2086
  $root tar -C "$work" --exclude='./var/cache/apt/*.bin' --exclude='./var/cache/apt/archives/*.deb' \
    --exclude='./var/lib/apt/lists/*_*' -c . |
    docker import --change 'CMD ["bash"]' --change 'LABEL th.image=offline' - "th-base:$1" >/dev/null
  # shellcheck disable=SC2086
  $root rm -rf --one-file-system "$work"
  work=
}

# postgres MAJOR SUITE
postgres() {
  if here "postgres:$1"; then return; fi
  say "postgres:$1: asking the registry"
  if timeout 30 docker pull --quiet "postgres:$1" >/dev/null 2>&1; then return; fi
  base "$2"
  say "postgres:$1: building from th-base:$2"
  # The classic builder, because Debian's docker.io has no buildx. The host's network, because its
  # resolver, proxy and MTU are not always usable from a bridge.
  DOCKER_BUILDKIT=0 docker build --network host --build-arg "base=th-base:$2" --build-arg "major=$1" \
    --tag "postgres:$1" postgres >&2
}

[ $# -gt 0 ] || set -- postgres:15 postgres:17
for image; do
  case $image in
    postgres:15) postgres 15 bookworm ;;
    postgres:17) postgres 17 trixie ;;
    *) say "unknown image '$image': only postgres:15 and postgres:17"; exit 2 ;;
  esac
done
