#!/bin/sh
# The app's images stay within their budgets: budget.sh [TAG]
set -eu
tag=${1:-1.0.0}
code=0
budget() { # IMAGE MEGABYTES
  bytes=$(docker image inspect --format '{{.Size}}' "$1") || exit 2
  size=$((bytes / 1000000))
  if [ "$size" -lt "$2" ]; then verdict=ok; else verdict='TOO LARGE' code=1; fi
  printf '%-22s %4d MB of %d: %s\n' "$1" "$size" "$2" "$verdict"
}
budget "tracehub-api:$tag" 500
budget "tracehub-web:$tag" 100
exit $code
