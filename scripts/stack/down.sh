#!/bin/sh
# Removes what `up` made, and nothing else: down.sh [--volumes]
set -eu
parts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"
docker version >/dev/null 2>&1 || die 'no Docker engine answers'

"$parts/nginx.sh" down
for each in staging production; do
  environment "$each"
  # The slots first: they hold connections to the database. Each gets the time its compose file gives.
  for filter in label=th.slot label=com.docker.compose.service=db; do
    ids=$(containers "$root" "$filter")
    # shellcheck disable=SC2086 # a list of ids
    [ -z "$ids" ] || { docker stop $ids && docker rm --volumes $ids; } >/dev/null
  done
  networks=$(docker network ls --quiet --filter "label=th.root=$root")
  # shellcheck disable=SC2086
  [ -z "$networks" ] || docker network rm $networks >/dev/null
done

[ "${1:-}" = --volumes ] || exit 0
[ -d "$TH_STACK_DIR" ] || exit 0
# The database's and the app's files belong to users of the containers. Only what `up` made goes.
docker run --rm --network none --user 0 --entrypoint rm --volume "$TH_STACK_DIR:/stack" postgres:15 \
  -rf /stack/staging /stack/production
rm -rf "$TH_STACK_DIR/nginx" "$TH_STACK_DIR"/*.log "$TH_STACK_DIR/lock" "$TH_STACK_DIR/th.toml"
rmdir "$TH_STACK_DIR" 2>/dev/null || say "left in $TH_STACK_DIR: $(ls -A "$TH_STACK_DIR")"
