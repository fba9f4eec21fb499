#!/bin/sh
# The app's images, built when their sources changed: images.sh TAG...
set -eu
parts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"

mkdir -p "$TH_STACK_DIR"
bases='postgres:15 python:3.11-slim node:20-slim nginx:1.26'
sha=$(git -C "$repository" rev-parse HEAD 2>/dev/null) || sha=unknown

# sources DIRECTORY: one hash of all that goes into its image
sources() {
  (cd "$1" && find . \( -name '.?*' ! -name .dockerignore -o -name node_modules -o -name dist -o -name __pycache__ \) -prune \
    -o -type f -print | sort | xargs sha256sum | sha256sum | cut -d ' ' -f 1)
}

# image NAME TAG DIRECTORY
image() {
  have=$(docker image inspect --format '{{index .Config.Labels "th.source"}}' "$1:$2" 2>/dev/null) || :
  want=$(sources "$3")
  if [ "$have" = "$want" ]; then return; fi
  # shellcheck disable=SC2086 # a list of words
  "$repository/tests/images/build.sh" $bases
  say "building $1:$2"
  log=$TH_STACK_DIR/build.log
  # As the base images are built, and for the same reasons.
  DOCKER_BUILDKIT=0 docker build --network host --build-arg "TAG=$2" --build-arg "GIT_SHA=$sha" \
    --label "th.source=$want" --tag "$1:$2" "$3" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "$1:$2 did not build: see $log"
  }
}

docker image inspect postgres:15 >/dev/null 2>&1 || "$repository/tests/images/build.sh" postgres:15
for tag; do
  image tracehub-api "$tag" "$repository/tracehub/backend"
  image tracehub-web "$tag" "$repository/tracehub/frontend"
done
