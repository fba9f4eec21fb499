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
work=$(mktemp -d "${TMPDIR:-/var/tmp}/th-bench.XXXXXX")
container=th-bench-$$
finish() {
  docker rm --force --volumes "$container" >/dev/null 2>&1 || :
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*" >&2; }
now() { date +%s.%N; }

say 'a real set'
tests/images/build.sh postgres:15
docker run --detach --name "$container" --label th.bench=1 \
  --env POSTGRES_PASSWORD=bench postgres:15 >/dev/null
until docker exec "$container" pg_isready --quiet --host 127.0.0.1; do sleep 0.2; done
db() { docker exec --interactive "$container" psql -qX -U postgres -d shop -v ON_ERROR_STOP=1 "$@"; }
docker exec "$container" createdb -U postgres shop
db -v scale=0.001 <tests/bench/generate.sql >/dev/null
# As many tables as an application has.
for n in $(seq 8); do
  printf 'CREATE TABLE t%s (id serial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());\n' "$n"
done | db
mkdir "$work/files"
head -c 10000000 /dev/urandom | (cd "$work/files" && split -a 6 -b 10000 -)
"$tools/th-backup" --container "$container" --database shop --files "$work/files" \
  --store "$work/real" --quiet --json >/dev/null
real=$(echo "$work"/real/sets/*)

# Copies of its manifest, sums and proof, an hour apart: store DIR COUNT
# Three passes, for each file holds the hash of the one before.
store() {
  mkdir "$1"
  cp -a "$work/real/store.json" "$work/real/packs" "$work/real/incoming" "$1"
  mkdir "$1/sets"
  awk -v n="$2" -v now="$(date +%s)" 'BEGIN {
    for (i = 0; i < n; i++) printf "%s-%04x\n", strftime("%Y%m%dT%H%M%SZ", now - i * 3600 - 60, 1), i % 65536
  }' >"$work/ids"
  (cd "$1/sets" && xargs mkdir <"$work/ids")
  awk -v dir="$1/sets" -v ids="$work/ids" -v old="${real##*/}" '
    { text = text $0 "\n" }
    END {
      while ((getline id <ids) > 0) {
        at = substr(id, 1, 4) "-" substr(id, 5, 2) "-" substr(id, 7, 5) ":" substr(id, 12, 2) ":" substr(id, 14, 3)
        copy = text
        sub(old, id, copy)
        sub(/"started_at": "[^"]*"/, "\"started_at\": \"" at "\"", copy)
        sub(/"finished_at": "[^"]*"/, "\"finished_at\": \"" at "\"", copy)
        file = dir "/" id "/manifest.json"
        printf "%s", copy >file
        close(file)
      }
    }' "$real/manifest.json"
  (cd "$1/sets" && sed 's|$|/manifest.json|' "$work/ids" | xargs sha256sum) >"$work/hashes"
  objects=$(grep -v ' manifest.json$' "$real/SHA256SUMS")
  levels=$(sed 's/.*"levels":\(.*\)}}$/\1/' "$real/proof.json")
  awk -v dir="$1/sets" -v objects="$objects" -v levels="$levels" '{
    split($2, part, "/")
    file = dir "/" part[1] "/SHA256SUMS"
    printf "%s\n%s  manifest.json\n", objects, $1 >file
    close(file)
    file = dir "/" part[1] "/body"
    printf "{\"set\":\"%s\",\"manifest_sha256\":\"%s\",\"levels\":%s}", part[1], $1, levels >file
    close(file)
  }' "$work/hashes"
  (cd "$1/sets" && sed 's|$|/body|' "$work/ids" | xargs sha256sum) >"$work/hashes"
  awk -v dir="$1/sets" '{
    split($2, part, "/")
    body = dir "/" $2
    getline text <body
    close(body)
    file = dir "/" part[1] "/proof.json"
    printf "{\"sha256\":\"%s\",\"body\":%s}\n", $1, text >file
    close(file)
  }' "$work/hashes"
  (cd "$1/sets" && sed 's|$|/body|' "$work/ids" | xargs rm)
  cp -a "$real/files.jsonl.zst" "$1/sets/$(head -n 1 "$work/ids")"
}
say "$few and $many copies of it"
store "$work/few" "$few"
store "$work/many" "$many"

# plan NAME STORE: seconds go to $work/NAME.s, the peak memory in kB to $work/NAME.kb
plan() {
  start=$(now)
  /usr/bin/time -f %M -o "$work/$1.kb" "$tools/th-prune" sets --store "$2" --plan --json --quiet \
    --keep-last 7 --keep-daily 30 --keep-weekly 8 --keep-monthly 12 --max-delete 100% \
    >"$work/$1.json"
  echo "$(now) $start" | awk '{ printf "%.3f\n", $1 - $2 }' >"$work/$1.s"
}
best() {
  for _ in 1 2 3 4 5; do
    plan "$1" "$2"
    cat "$work/$1.s"
  done | sort -n | head -n 1
}
cold='page cache dropped'
sync
# shellcheck disable=SC2024 # the shell's own redirection is what is tried
if ! echo 3 2>/dev/null >/proc/sys/vm/drop_caches; then cold='page cache not dropped: that needs root'; fi
plan cold "$work/few"
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

row() { printf '| %s | %s | %s |\n' "$1" "$2" "$3"; }
row 'figure' 'measured' 'bound'
row --- --- ---
row "plan over $many manifests ÷ over $few ($many_s s ÷ $few_s s)" \
  "$(awk -v a="$many_s" -v b="$few_s" 'BEGIN { printf "%.1f", a / b }')" '≤ 12'
row "plan over $few sets, cold ($cold)" "$(cat "$work/cold.s") s" '≤ 1 s'
row "its peak memory" "$(awk '{ printf "%.0f", $1 / 1024 }' "$work/cold.kb") MB" '≤ 64 MB'
row "a manifest ($(jq '.database.fingerprint.tables | length' "$real/manifest.json") tables)" \
  "$(stat -c %s "$real/manifest.json") bytes" ''
row "policies that keep the same as $(restic version | cut -d ' ' -f 1,2) forget, of $snapshots snapshots" \
  "$same of $all ($named but for a named difference)" 'all'
[ "$same" = "$all" ]
