# What the benches share: a directory and a server of their own, times, and a table. Sourced.
# shellcheck shell=sh disable=SC2034

work=$(mktemp -d "${TMPDIR:-/var/tmp}/th-bench.XXXXXX")
container=th-bench-$$
finish() {
  docker rm --force --volumes "$container" >/dev/null 2>&1 || :
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*" >&2; }
now() { date +%s.%N; }

# timed NAME COMMAND: seconds go to $work/NAME.s, the peak memory in kB to $work/NAME.kb
timed() {
  # What the step before has left to write is not this one's.
  sync
  name=$1
  shift
  say "  $name"
  start=$(now)
  /usr/bin/time -f %M -o "$work/$name.kb" "$@"
  echo "$(now) $start" | awk '{ printf "%.3f\n", $1 - $2 }' >"$work/$name.s"
}
seconds() { cat "$work/$1.s"; }
megabytes() { tail -n 1 "$work/$1.kb" | awk '{ printf "%.0f", $1 / 1024 }'; }

# serve BUFFERS: PostgreSQL in $container, with so much memory of its own and an empty database shop
serve() {
  tests/images/build.sh postgres:15
  docker run --detach --name "$container" --label th.bench=1 --shm-size 512m \
    --env POSTGRES_PASSWORD=bench postgres:15 postgres -c "shared_buffers=$1" >/dev/null
  until docker exec "$container" pg_isready --quiet --host 127.0.0.1; do sleep 0.2; done
  docker exec "$container" createdb -U postgres shop
}
db() { docker exec --interactive "$container" psql -qX -U postgres -v ON_ERROR_STOP=1 "$@"; }

row() { printf '| %s | %s | %s |\n' "$1" "$2" "$3"; }
heading() {
  row 'figure' 'measured' 'bound'
  row --- --- ---
}
