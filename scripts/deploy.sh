#!/bin/sh
# A release: deploy.sh -e ENV -t TAG [-c CONFIG] [-- OPTIONS OF th-swap to]
#
# Backs up, and releases TAG if the backup is good: failure travels in the records. They go to stdout,
# one line a tool; stderr has words for a terminal, and for trouble. The exit status is th-swap's.
# The environment's lock is held from the backup to the end, but for the time that the old slot is
# only kept warm: rollback.sh works then.
set -eu

# shellcheck source=scripts/lock.sh
. "$(dirname "$(readlink -f "$0")")/lock.sh"

usage() { sed -n '2s/^# //p' "$0" >&2; exit 2; }

env='' tag='' config=''
while getopts e:t:c: option; do
  case $option in
    e) env=$OPTARG ;;
    t) tag=$OPTARG ;;
    c) config=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
if [ -z "$env" ] || [ -z "$tag" ]; then usage; fi
[ -z "$config" ] || export TH_CONFIG="$config"
quiet=''
[ -t 2 ] || quiet=--quiet

laid=$(th-swap init -e "$env" --plan --json --quiet)
root=$(printf '%s\n' "$laid" | sed -n 's/.*"root":"\([^"]*\)".*/\1/p')
lock deploy.sh "$root" 0

# shellcheck disable=SC2086 # empty or one word
th-backup -e "$env" --json $quiet | th-swap to -e "$env" --tag "$tag" --json $quiet "$@" -
