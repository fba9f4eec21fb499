#!/bin/sh
# Backs up, proves and prunes one environment of th.toml, under one lock: nightly.sh ENV [LEVEL]
#
# Each step acts only if the one before succeeded. stdout has all records, and so has the journal;
# stderr has what a person must know, which on a good night is nothing: cron mails only trouble.
set -eu
# shellcheck source=scripts/lock.sh
. "$(dirname "$(readlink -f "$0")")/lock.sh"
die() { printf 'nightly.sh: %s\n' "$*" >&2; exit 2; }

env=${1:?usage: nightly.sh ENV [LEVEL]}
level=${2:-content}

config=${TH_CONFIG:-}
for file in "$config" ./th.toml /etc/th/th.toml; do
  [ -n "$config" ] || [ ! -e "$file" ] || config=$file
done
[ -r "$config" ] || die "cannot read th.toml: it is looked for in \$TH_CONFIG, ./ and /etc/th/"

# The lock is in the environment's root, which is relative to the directory of th.toml. No tool tells
# where that is without its database or its store. They refuse a lock that is not their environment's:
# a root that is misread here ends the night, and harms nothing.
root=$(awk -v "section=[env.$env]" '
  /^[ \t]*\[/ { line = $0; sub(/#.*/, "", line); gsub(/[ \t]/, "", line); inside = line == section }
  inside && /^[ \t]*root[ \t]*=/ { split($0, part, /["\047]/); print part[2]; exit }
' "$config")
[ -n "$root" ] || die "'$config' has no [env.$env] with a line root = \"…\""
case $root in /*) ;; *) root=$(dirname "$config")/$root ;; esac

# A release may be under way; it is shorter than an hour.
lock nightly.sh "$root" "${TH_LOCK_WAIT:-3600}"

status=0
records=$(
  th-backup --config "$config" -e "$env" --quiet --json |
    th-restore verify --config "$config" -e "$env" --level "$level" --quiet --json - |
    th-prune sets --config "$config" -e "$env" --quiet --json -
) || status=$?
printf '%s\n' "$records"
# Every warning is for a person, but for those of every night: of files in use and of what is no file, and
# of what this role or this server does not have. A quote within a JSON text has a backslash before it.
printf '%s\n' "$records" | awk '
  { sub(/\],"data":.*/, ""); tool = $0; sub(/.*"tool":"/, "", tool); sub(/".*/, "", tool) }
  sub(/.*"warnings":\["/, "") {
    sub(/"$/, "")
    count = split($0, warnings, /","/)
    for (i = 1; i <= count; i++)
      if (warnings[i] !~ / (changed while|vanished before|was replaced before) it was read$/ &&
          warnings[i] !~ /^skipped: |^and [0-9]+ more$/ &&
          warnings[i] !~ /^the role is no superuser: |^the server lacks the tablespaces /)
        print tool ": warning: " warnings[i]
  }
' >&2
exit "$status"
