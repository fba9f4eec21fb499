#!/bin/sh
# Figures of th-prune: plans over 10,000 and 100,000 sets, and the same answers as restic forget.
# TH_BENCH_SETS=10000 is the smaller store; TH_BENCH_SNAPSHOTS=200 is restic's repository; TH_BIN_DIR
# is where the tools are, if not in target/release.
set -eu
cd "$(dirname "$0")/../.."
few=${TH_BENCH_SETS:-10000}
many=$((few * 10))
snapshots=${TH_BENCH_SNAPSHOTS:-200}
tools=$(realpath "${TH_BIN_DIR:-target/release}")
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh

say 'a real set'
serve 128MB
db -d shop -v scale=0.001 <tests/bench/generate.sql >/dev/null
# As many tables as an application has.
for n in $(seq 8); do
  printf 'CREATE TABLE t%s (id serial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());\n' "$n"
done | db -d shop
mkdir "$work/files"
head -c 10000000 /dev/urandom | (cd "$work/files" && split -a 6 -b 10000 -)
"$tools/th-backup" --container "$container" --database shop --files "$work/files" \
  --store "$work/real" --quiet --json >/dev/null
real=$(echo "$work"/real/sets/*)

say "$few and $many copies of it"
python3 tests/bench/copies.py "$real" "$few" "$work/few"
python3 tests/bench/copies.py "$real" "$many" "$work/many"

plan() {
  timed "$1" "$tools/th-prune" sets --store "$2" --plan --json --quiet \
    --keep-last 7 --keep-daily 30 --keep-weekly 8 --keep-monthly 12 --max-delete 100% >"$work/$1.json"
}
# five NAME STORE: how long each of five plans took, the fastest first
five() {
  for _ in 1 2 3 4 5; do
    [ "$1" != cold ] || drop
    plan "$1" "$2"
    seconds "$1"
  done | sort -n
}
best() { five "$1" "$2" | head -n 1; }
cold='page cache dropped'
# shellcheck disable=SC2024 # the shell's own redirection is what is tried
drop() { sync && echo 3 2>/dev/null >/proc/sys/vm/drop_caches; }
if ! drop; then
  cold='page cache not dropped: that needs root'
  drop() { :; }
fi
five cold "$work/few" >"$work/cold.five"
few_s=$(best few "$work/few")
many_s=$(best many "$work/many")
counted=$(tail -n 1 "$work/many.json" | jq '.data.kept_count + .data.deleted_count')
[ "$counted" = "$many" ] || { say "only $counted of $many sets were read"; exit 1; }

say "$snapshots restic snapshots"
tests/bench/forget.sh "$snapshots" "$tools" >"$work/forget" || :
same=$(grep -c 'the same' "$work/forget" || :)
all=$(grep -c -e 'the same' -e DIFFERENT "$work/forget" || :)
named=$(grep -c 'but for' "$work/forget" || :)
cat "$work/forget" >&2

heading
row "plan over $many manifests ÷ over $few ($many_s s ÷ $few_s s)" \
  "$(awk -v a="$many_s" -v b="$few_s" 'BEGIN { printf "%.1f", a / b }')" '≤ 12'
row "plan over $few sets, cold ($cold), median of five" \
  "$(sed -n 3p "$work/cold.five") s (slowest $(tail -n 1 "$work/cold.five") s)" '≤ 1 s'
row "its peak memory" "$(megabytes cold) MB" '≤ 64 MB'
row "a manifest ($(jq '.database.fingerprint.tables | length' "$real/manifest.json") tables)" \
  "$(stat -c %s "$real/manifest.json") bytes" ''
row "policies that keep the same as $(restic version | cut -d ' ' -f 1,2) forget, of $snapshots snapshots" \
  "$same of $all ($named but for a named difference)" 'all'
[ "$same" = "$all" ]
