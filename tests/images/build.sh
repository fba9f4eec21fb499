#!/bin/sh
# Makes sure that base images exist: build.sh IMAGE..., of those that the list at the end knows.
#
# What is here already is used, then the registry's own image. Without a registry, a stand-in that
# behaves like it is built from the Debian archive, so everything runs behind any firewall.
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

# build NAME BASE DIRECTORY [ARGUMENT=VALUE]
build() {
  say "$1: building from $2"
  # What the host trusts goes along, for the images whose package managers speak TLS.
  # The classic builder, because Debian's docker.io has no buildx. The host's network, because its
  # resolver, proxy and MTU are not always usable from a bridge.
  tar -ch -C "$PWD/$3" . -C /etc/ssl/certs ca-certificates.crt |
    DOCKER_BUILDKIT=0 docker build --network host --build-arg "base=$2" \
      ${4:+--build-arg "$4"} --tag "$1" - >&2
}

# image NAME SUITE DIRECTORY [ARGUMENT=VALUE]: the registry's, or one built on th-base:SUITE
image() {
  if here "$1"; then return; fi
  say "$1: asking the registry"
  if timeout 30 docker pull --quiet "$1" >/dev/null 2>&1; then return; fi
  base "$2"
  build "$1" "th-base:$2" "$3" "${4:-}"
}

[ $# -gt 0 ] || set -- postgres:15 postgres:17
for name; do
  case $name in
    postgres:15) image postgres:15 bookworm postgres major=15 ;;
    postgres:17) image postgres:17 trixie postgres major=17 ;;
    python:3.11-slim) image python:3.11-slim bookworm python ;;
    node:20-slim) image node:20-slim trixie node ;;
    nginx:1.22) image nginx:1.22 bookworm nginx ;;
    nginx:1.26) image nginx:1.26 trixie nginx ;;
    th-browser:trixie)
      if ! here th-browser:trixie; then
        base trixie
        build th-browser:trixie th-base:trixie browser
      fi ;;
    th-base:bookworm | th-base:trixie) base "${name#*:}" ;;
    *) say "unknown image '$name'"; exit 2 ;;
  esac
done
