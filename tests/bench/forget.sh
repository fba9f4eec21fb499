#!/bin/sh
# The same policies on the same times, by restic forget and by th-prune plan: forget.sh SNAPSHOTS [BIN]
# Prints a line for each policy and fails if any keeps something else.
# restic's repository is a real one; what is in the snapshots does not matter.
set -eu
snapshots=${1:?usage: forget.sh SNAPSHOTS [BIN]}
PATH=${2:-$(dirname "$0")/../../target/release}:$PATH
command -v restic th-prune jq >/dev/null

dir=$(mktemp -d "${TMPDIR:-/tmp}/th-forget.XXXXXX")
trap 'rm -rf "$dir"' EXIT
# restic's buckets begin in the zone that a snapshot was made in, ours in one.
export TZ=UTC RESTIC_REPOSITORY="$dir/repository" RESTIC_PASSWORD=bench RESTIC_CACHE_DIR="$dir/cache"
printf 'content\n' >"$dir/file"
restic init -q

# Most hours of two days, most days of a year, weeks and months before that: each with gaps, two a
# minute apart now and then, over three New Years and two ISO years of 53 weeks.
instants() {
  awk -v n="$snapshots" 'BEGIN {
    srand(42); at = 1767571200 # 2026-01-05T00:00:00Z
    for (i = 0; i < n; i++) {
      print at
      part = i / n
      if (part < 0.2) step = 3600; else if (part < 0.7) step = 86400
      else if (part < 0.85) step = 604800; else step = 2629746
      step *= (rand() < 0.2) ? 2 : 1
      if (rand() < 0.1) step = 61
      at -= int(step * (0.7 + rand() * 0.6)) + 1
    }
  }'
}
instants | while read -r at; do
  restic backup -q --host h --tag "t=$((at % 7))" --time "$(date -u -d "@$at" '+%Y-%m-%d %H:%M:%S')" "$dir/file"
done
restic snapshots --json |
  jq -c '.[] | {id, started_at: .time, tags}' >"$dir/list"
[ "$(wc -l <"$dir/list")" -eq "$snapshots" ]

failed=0
# Both lists, without what differs for a reason that the manual names: of a count that is not used up
# newer restics keep the oldest too, as we do and Debian 12's does not; and we always keep the newest.
compare() {
  restic forget --dry-run --json --group-by '' "$@" |
    jq -r '.[].keep[].time | sub("\\.[0-9]+"; "")' | sort >"$dir/restic"
  # What restic does not know is switched off.
  th-prune plan --min-keep 0 --min-age 0 --max-delete 100% --stale-after 0 "$@" - <"$dir/list" |
    jq -c 'select(.action == "keep")' >"$dir/kept"
  jq -r .started_at "$dir/kept" | sort >"$dir/ours"
  jq -r 'select(.reasons | all(endswith("the oldest"))) | .started_at' "$dir/kept" >"$dir/oldest"
  jq -r 'select(.kept_by == []) | .started_at' "$dir/kept" >"$dir/newest"
  named=
  for reason in oldest newest; do
    # Only what restic does not keep, or the difference is none.
    comm -23 "$dir/ours" "$dir/restic" | grep -xF -f "$dir/$reason" >"$dir/extra" || continue
    named="$named, but for the $reason"
    sort "$dir/restic" "$dir/extra" >"$dir/both" && mv "$dir/both" "$dir/restic"
  done
  if cmp -s "$dir/restic" "$dir/ours"; then
    printf '%4s kept, the same%s: %s\n' "$(wc -l <"$dir/ours")" "$named" "$*"
  else
    printf 'DIFFERENT: restic keeps %s, th-prune %s: %s\n' \
      "$(wc -l <"$dir/restic")" "$(wc -l <"$dir/ours")" "$*"
    diff "$dir/restic" "$dir/ours" || true
    failed=1
  fi
}
compare --keep-last 1
compare --keep-last 7
compare --keep-last 100000
compare --keep-hourly 1
compare --keep-hourly 24
compare --keep-daily 1
compare --keep-daily 7
compare --keep-daily 30
compare --keep-daily 3650
compare --keep-weekly 1
compare --keep-weekly 8
compare --keep-weekly 60
compare --keep-monthly 3
compare --keep-monthly 12
compare --keep-monthly 120
compare --keep-yearly 1
compare --keep-yearly 2
compare --keep-yearly 10
compare --keep-within 1d
compare --keep-within 36h
compare --keep-within 2m
compare --keep-within 1y5m7d2h
compare --keep-within 10y
compare --keep-within-hourly 2d
compare --keep-within-daily 7d
compare --keep-within-daily 1m
compare --keep-within-weekly 3m
compare --keep-within-monthly 1y
compare --keep-within-yearly 5y
compare --keep-tag t=1
compare --keep-tag t=1 --keep-tag t=2 --keep-last 1
compare --keep-tag t=1,t=2 --keep-last 1
compare --keep-last 3 --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --keep-yearly 3
compare --keep-last 7 --keep-daily 30 --keep-weekly 8 --keep-monthly 12
compare --keep-hourly 24 --keep-within 3d --keep-within-weekly 1y
compare --keep-within-daily 7d --keep-within-weekly 1m --keep-within-monthly 1y --keep-within-yearly 75y
compare --keep-daily 14 --keep-within-hourly 1d --keep-yearly 2 --keep-tag t=3
exit "$failed"
