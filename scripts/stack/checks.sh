#!/bin/sh
# What must hold before anything is made.
set -eu
parts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"

for program in curl docker flock nginx openssl; do
  command -v "$program" >/dev/null || die "$program is missing: apt-get install curl docker.io nginx-light openssl util-linux"
done
docker version >/dev/null 2>&1 || die 'no Docker engine answers: start it with scripts/bootstrap.sh test, or systemctl start docker'
compose version >/dev/null 2>&1 || die 'Docker Compose is missing: scripts/compose-plugin.sh, or apt-get install docker-compose'

# connect(2) takes no more than 107 bytes, and the longest path is a lane's.
longest=$TH_STACK_DIR/production/run/lanes/00/api.sock
[ ${#longest} -lt 108 ] || die "$TH_STACK_DIR is too long a path for unix sockets: set TH_STACK_DIR to one of at most $((107 - ${#longest} + ${#TH_STACK_DIR})) bytes"
case $TH_STACK_DIR in
  *[!A-Za-z0-9_./-]*) die "TH_STACK_DIR may hold letters, digits and _./- only, not '$TH_STACK_DIR'" ;;
esac

# Names and ports are fixed, so there is one stack on a machine.
other=$(docker ps --all --filter label=th.app=tracehub --filter label=th.root --format '{{.Label "th.root"}}' |
  grep -vxF -e "$TH_STACK_DIR/staging" -e "$TH_STACK_DIR/production" | head -n 1) || :
[ -z "$other" ] || die "another deployment has these names: $other; if it is a stack, TH_STACK_DIR=${other%/*} scripts/stack.sh down"

# free PORT: nobody listens on it
free() {
  hex=$(printf '%04X' "$1")
  if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v end=":$hex" '
    $4 == "0A" && substr($2, length($2) - 4) == end { found = 1 } END { exit !found }'; then
    die "port $1 is busy: stop what listens there (ss -ltnp sport = :$1)"
  fi
}
if ! nginx_pid >/dev/null; then
  free $http
  free $https
fi
for name in staging production; do
  environment "$name"
  nginx_pid >/dev/null || { free "$api"; free "$web"; }
  [ -n "$(docker ps --quiet --filter "label=th.root=$root" --filter label=com.docker.compose.service=db)" ] || free "$db"

  # The environment's file is the user's once it is there.
  [ -e "$env_file" ] || continue
  missing=$(sed -n 's/^\([A-Z_]*\)=.*/\1/p' "$repository/tracehub/.env.$env.example" | while read -r variable; do
    grep -q "^$variable=." "$env_file" || printf ' %s' "$variable"
  done)
  [ -z "$missing" ] || die "$env_file lacks$missing: .env.$env.example says what that is"
done
