#!/bin/sh
# Runs a command of the front end with Node: in-node.sh [--browser] COMMAND...
#
# With the host's Node where that is new enough, else in a container that has it; --browser always
# in one, which has Chromium too. The variables BASE_URL, DEMO_PASSWORD and IGNORE_TLS go along.
set -eu
cd "$(dirname "$0")/.."
front=$PWD/tracehub/frontend
image=node:20-slim
[ "$1" != --browser ] || { image=th-browser:trixie; shift; }

new_enough() {
  version=$(node --version 2>/dev/null) || return 1
  printf '%s\n' v20.19.0 "$version" | sort -CV && command -v npm >/dev/null
}
if [ "$image" = node:20-slim ] && new_enough; then
  cd "$front"
  exec "$@"
fi
tests/images/build.sh "$image"
# As who runs this, so that what is made belongs to them. A browser knows where *.localhost is; Node does not.
exec docker run --rm --init --network host --add-host tracehub.localhost:127.0.0.1 --shm-size 512m --user "$(id -u):$(id -g)" \
  --env HOME=/tmp --env BASE_URL --env DEMO_PASSWORD --env IGNORE_TLS \
  --volume "$front:$front" --workdir "$front" "$image" "$@"
