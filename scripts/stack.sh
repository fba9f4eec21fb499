#!/bin/sh
# The whole reference deployment on this machine: stack.sh up | status | down [--volumes]
#
#   up       builds what is missing, starts staging and production side by side with nginx in front;
#            run again, it repairs what is not as it should be and leaves the rest alone
#   status   what runs; exit status 4 when an environment is not ready
#   down     stops and removes it; the data stay, unless --volumes
#
# TH_STACK_DIR   where everything is kept (~/.local/state/tracehub-stack)
# TH_STACK_TAG   the tag to start with (1.0.0); 1.1.0 is the same app under another tag, for releases
# TH_COMPOSE     docker-compose, to use version 1 although version 2 is there
set -eu
parts=$(cd "$(dirname "$0")/stack" && pwd)
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"

up() {
  start=$(date +%s)
  "$parts/checks.sh"
  "$parts/images.sh" 1.0.0 1.1.0
  built=$(date +%s)
  sed -e "s|/home/tracehub/|$TH_STACK_DIR/|" -e "s|tracehub\.example\"|tracehub.localhost:$https\"|" \
    -e "s|/var/log/nginx/|$TH_STACK_DIR/nginx/logs/|" -e "s|/etc/nginx/|$TH_STACK_DIR/nginx/|" \
    -e "s|/run/nginx.pid|$TH_STACK_DIR/nginx/nginx.pid|" \
    "$repository/tracehub/th.toml" >"$TH_STACK_DIR/th.toml"
  for env in staging production; do
    "$parts/environment.sh" "$env" &
    eval "$env=\$!"
  done
  failed=
  # shellcheck disable=SC2154 # set by eval
  for pid in "$staging" "$production"; do wait "$pid" || failed=1; done
  [ -z "$failed" ] || exit 1
  "$parts/nginx.sh" up
  for env in staging production; do wait_ready "$env"; done
  end=$(date +%s)
  say "ready after $((end - start)) s, $((built - start)) s of it images"
  "$parts/status.sh"
}

[ $# -gt 0 ] || usage
command=$1
shift
case $command in
  up)
    [ $# -eq 0 ] || usage
    mkdir -p "$TH_STACK_DIR"
    exec 9>"$TH_STACK_DIR/lock"
    flock -n 9 || die "another stack.sh is at work in $TH_STACK_DIR"
    up ;;
  status)
    [ $# -eq 0 ] || usage
    "$parts/status.sh" ;;
  down)
    case "$*" in
      '' | --volumes) ;;
      *) usage ;;
    esac
    "$parts/down.sh" "$@" ;;
  *) usage ;;
esac
