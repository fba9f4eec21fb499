#!/bin/sh
# The official entrypoint's contract, in short: initialise an empty PGDATA as the POSTGRES_*
# variables say, then become the server.
set -eu

case ${1:-} in -*) set -- postgres "$@" ;; esac
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres:postgres {} +
  export HOME=/var/lib/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    echo '       Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust to allow all connections.' >&2
    exit 1
  fi
  POSTGRES_USER=${POSTGRES_USER:-postgres}
  POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  export POSTGRES_USER POSTGRES_DB

  if [ -n "${POSTGRES_PASSWORD:-}" ]; then
    secret=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
  fi
  # shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS is a list of words
  initdb --username="$POSTGRES_USER" ${secret:+"--pwfile=$secret"} --auth=trust ${POSTGRES_INITDB_ARGS:-}
  rm -f ${secret:+"$secret"}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

  # Only on the socket: no client may meet the server before it is complete.
  "$@" -c listen_addresses='' &
  server=$!
  until pg_isready --quiet; do
    kill -0 "$server" || exit 1
    sleep 0.2
  done
  sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"; }
  [ "$POSTGRES_DB" = postgres ] || createdb --username "$POSTGRES_USER" --maintenance-db postgres "$POSTGRES_DB"
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        # shellcheck source=/dev/null
        if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) sql -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | sql ;;
    esac
  done
  kill -INT "$server"
  wait "$server"
  echo 'PostgreSQL init process complete; ready for start up.'
fi

exec "$@"
