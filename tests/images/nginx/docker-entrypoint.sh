#!/bin/sh
# The official entrypoint's contract, in short: run what is in /docker-entrypoint.d, then the command.
set -eu

for file in /docker-entrypoint.d/*.sh; do
  [ ! -x "$file" ] || "$file"
done
exec "$@"
