# What the parts of stack.sh share. Sourced, with $parts set.
# shellcheck shell=sh disable=SC2034,SC2154

TH_STACK_DIR=${TH_STACK_DIR:-${XDG_STATE_HOME:-${HOME:?}/.local/state}/tracehub-stack}
case $TH_STACK_DIR in /*) ;; *) TH_STACK_DIR=$PWD/$TH_STACK_DIR ;; esac
export TH_STACK_DIR
PATH=$PATH:/usr/sbin:/sbin # nginx is there, and not on everyone's path
repository=$(cd "$parts/../.." && pwd)
http=8080
https=8443

say() { printf 'stack: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
usage() { echo 'usage: stack.sh up | status | down [--volumes]' >&2; exit 2; }

# environment NAME: its settings, as variables
environment() {
  env=$1
  root=$TH_STACK_DIR/$env
  env_file=$root/.env.$env
  case $env in
    staging) api=8100 web=3100 db=5532 name=staging.tracehub.localhost file=docker-compose.staging.yml ;;
    production) api=8000 web=3000 db=5432 name=tracehub.localhost file=docker-compose.prod.yml ;;
    *) die "unknown environment '$env'" ;;
  esac
}

if [ -n "${TH_COMPOSE:-}" ]; then
  compose() { "$TH_COMPOSE" "$@"; }
elif docker compose version >/dev/null 2>&1; then
  compose() { docker compose "$@"; }
else
  compose() { docker-compose "$@"; }
fi

# containers ROOT [FILTER]: the ids of an environment's containers, running or not
containers() { docker ps --all --quiet --filter "label=th.root=$1" ${2:+--filter "$2"}; }

# slots ROOT: the slots that the lanes lead to; blue before there are lanes
slots() {
  for lane in "$1"/run/lanes/[0-9][0-9]; do
    [ ! -L "$lane" ] || basename "$(readlink "$lane")"
  done | sort -u | grep . || echo blue
}

nginx_pid() {
  pid=$(cat "$TH_STACK_DIR/nginx/nginx.pid" 2>/dev/null) || return 1
  # A pid file outlives a crash, and its number is given to others.
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "^nginx: master process .*$TH_STACK_DIR/nginx" || return 1
  echo "$pid"
}

# fetch ENV PATH [CURL ARGUMENTS]: from the site, as a browser would
fetch() {
  environment "$1"
  path=$2
  shift 2
  curl --silent --show-error --max-time 10 --cacert "$TH_STACK_DIR/nginx/ca.pem" \
    --resolve "$name:$https:127.0.0.1" "$@" "https://$name:$https$path"
}

ready() { fetch "$1" /health/ready --fail --output /dev/null 2>/dev/null; }
wait_ready() {
  for _ in $(seq 100); do
    if ready "$1"; then return; fi
    sleep 0.2
  done
  die "$1 does not answer /health/ready through nginx: see $TH_STACK_DIR/nginx/logs"
}
