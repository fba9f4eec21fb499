#!/bin/sh
# Fills in a template: render.sh FILE NAME=VALUE...   (the result goes to stdout)
#
#   site.conf.in   APP ENV ROOT NAME HTTP HTTPS HTTPS_SUFFIX API_PORT WEB_PORT CERT KEY LOGS
#   lanes.conf.in  APP ENV ROOT
#
# A name that is left over, or a value that would end a directive, is an error.
set -eu

die() { printf 'render.sh: %s\n' "$*" >&2; exit 2; }

[ $# -gt 0 ] || die 'usage: render.sh FILE NAME=VALUE...'
template=$1
shift
script=
for pair; do
  case $pair in
    [A-Z]*=*) ;;
    *) die "'$pair' is not NAME=VALUE" ;;
  esac
  case ${pair#*=} in
    *[!A-Za-z0-9_./:@+-]*) die "${pair%%=*} may hold letters, digits and _./:@+- only, not '${pair#*=}'" ;;
  esac
  script="${script}s|@${pair%%=*}@|${pair#*=}|g
"
done
text=$(sed "$script" "$template")
left=$(printf '%s\n' "$text" | grep -o '@[A-Z_]*@' | sort -u | tr '\n' ' ') || :
[ -z "$left" ] || die "$template also needs: $left"
printf '%s\n' "$text"
