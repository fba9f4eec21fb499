#!/bin/sh
# A release: deploy.sh -e ENV -t TAG [-m MIGRATION] [-c CONFIG] [-- OPTIONS OF th-swap to]
#
# Backs up, and releases TAG if the backup is good: failure travels in the records. They go to stdout,
# one line a tool; stderr has words for a terminal, and for trouble. The exit status is th-swap's.
# MIGRATION is a command for sh, run with TH_TAG set to TAG once the backup is good: so there is a set
# from right before it. If it fails nothing is released, and the exit status is 3.
# The environment's lock is held from the backup to the end, but for the time that the old slot is
# only kept warm: rollback.sh works then.
set -eu

# shellcheck source=scripts/lock.sh
. "$(dirname "$(readlink -f "$0")")/lock.sh"

usage() { sed -n '2s/^# //p' "$0" >&2; exit 2; }

env='' tag='' migration='' config=''
while getopts e:t:m:c: option; do
  case $option in
    e) env=$OPTARG ;;
    t) tag=$OPTARG ;;
    m) migration=$OPTARG ;;
    c) config=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
if [ -z "$env" ] || [ -z "$tag" ]; then usage; fi
[ -z "$config" ] || export TH_CONFIG="$config"
quiet=''
[ -t 2 ] || quiet=--quiet

laid=$(th-swap init -e "$env" --plan --json --quiet) || { status=$?; printf '%s\n' "$laid"; exit "$status"; }
root=$(printf '%s\n' "$laid" | sed -n 's/.*"root":"\([^"]*\)".*/\1/p')
lock deploy.sh "$root" 0

good=yes
# shellcheck disable=SC2086 # empty or one word
backup=$(th-backup -e "$env" --json $quiet) || good=''
if [ -n "$good" ] && [ -n "$migration" ] && ! TH_TAG=$tag sh -c "$migration" >&2; then
  printf '%s\n' "$backup"
  printf 'deploy.sh: the migration failed, and %s is not released; the set of the backup, on stdout, is %s\n' \
    "$tag" 'from before it: rollback.sh -t database -s SET' >&2
  exit 3
fi
# shellcheck disable=SC2086
{ [ -z "$backup" ] || printf '%s\n' "$backup"; } | th-swap to -e "$env" --tag "$tag" --json $quiet "$@" -
