#!/bin/sh
# The way back: rollback.sh -e ENV -t deployment|database [-s TAG|SET] [-c CONFIG]
#
#   deployment  to the release before, or to TAG: one rename while it is still warm
#   database    to the backup made right before the live release, which must be the newest one, or to
#               SET; the replaced database is kept, and th-restore undo brings it back
#
# Records go to stdout, words for people to stderr. The exit status is the tool's.
set -eu

usage() { sed -n '2s/^# //p' "$0" >&2; exit 2; }
die() { printf 'rollback.sh: %s\n' "$2" >&2; exit "$1"; }

env='' what='' to='' config=''
while getopts e:t:s:c: option; do
  case $option in
    e) env=$OPTARG ;;
    t) what=$OPTARG ;;
    s) to=$OPTARG ;;
    c) config=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
if [ -z "$env" ] || [ $# -gt 0 ]; then usage; fi
[ -z "$config" ] || export TH_CONFIG="$config"
quiet=''
[ -t 2 ] || quiet=--quiet

case $what in
  deployment)
    # shellcheck disable=SC2086 # empty or one word
    exec th-swap rollback -e "$env" ${to:+--to "$to"} --json $quiet ;;
  database)
    if [ -z "$to" ]; then
      releases=$(th-swap history -e "$env" --json --quiet) ||
        { status=$?; printf '%s\n' "$releases"; exit "$status"; }
      # The newest first, a line each. Once that one is taken back, or is itself a way back, the set
      # of the live one is from before a release more than is meant.
      sets=$(printf '%s\n' "$releases" |
        sed -n 's/.*"tag":"\([^"]*\)".*"pre_release_set":"\([^"]*\)".*/\2 (before \1)/p' | head -n 2)
      case $(printf '%s\n' "$releases" | head -n 1) in
        *'"state":"live"'*'"pre_release_set":"'*) to=${sets%% *} ;;
        *) die 10 "the newest release is not live, or no backup was made right before it: name a set with -s${sets:+: $sets}" ;;
      esac
    fi
    # shellcheck disable=SC2086
    exec th-restore apply -e "$env" "$to" --only db --json $quiet ;;
  *) usage ;;
esac
