#!/bin/sh
# Compares the tools with what a user would pick instead: same run, same data, ratios.
# TH_BENCH_SCALE=1 is a database of about 1 GB as text; TH_BENCH_FILES=100000 files of 10 kB.
set -eu
cd "$(dirname "$0")/../.."
scale=${TH_BENCH_SCALE:-1}
files=${TH_BENCH_FILES:-100000}
tools=$PWD/target/release
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
size() { stat -c %s "$1"; }

say 'making the data'
serve 1GB
db -d shop -v "scale=$scale" <tests/bench/generate.sql >/dev/null
db -d shop -c 'VACUUM ANALYZE' -c 'CHECKPOINT'
target="--container $container --database shop"

say 'backup of the database'
timed dump_gzip sh -c "docker exec $container pg_dump -U postgres shop | gzip >$work/dump.sql.gz"
# shellcheck disable=SC2086 # a list of flags
timed th_backup "$tools/th-backup" $target --store "$work/store" --quiet --json >"$work/backup.json"
# shellcheck disable=SC2086
timed th_backup_unproven "$tools/th-backup" $target --store "$work/store" --prove none --quiet --json \
  >"$work/unproven.json"

say 'restore of the database'
gunzip <"$work/dump.sql.gz" >"$work/dump.sql"
db -c 'CREATE DATABASE by_psql'
timed psql sh -c "docker exec -i $container psql -qX -U postgres -d by_psql <$work/dump.sql >/dev/null"
db -c 'DROP DATABASE by_psql' -c 'CHECKPOINT'
# shellcheck disable=SC2086
timed th_restore "$tools/th-restore" $target --store "$work/store" --quiet --json apply >"$work/restore.json"

say 'files'
mkdir "$work/files" "$work/big"
head -c "$((files * 10486))" /dev/urandom | (cd "$work/files" && split -a 6 -b 10486 -)
timed files_first "$tools/th-backup" --files "$work/files" --store "$work/fstore" --quiet --json >"$work/f1.json"
timed files_second "$tools/th-backup" --files "$work/files" --store "$work/fstore" --quiet --json >"$work/f2.json"
truncate -s 5G "$work/big/file"
timed files_5gb "$tools/th-backup" --files "$work/big" --store "$work/bstore" --quiet --json >/dev/null

start=$(now)
for _ in 1 2 3 4 5 6 7 8 9 10; do "$tools/th-backup" --version >/dev/null; done
version=$(echo "$(now) $start" | awk '{ printf "%.1f", ($1 - $2) * 100 }')

stored=$(jq .data.database.stored_bytes "$work/backup.json")
new=$(jq .data.stored_bytes "$work/f2.json")
first=$(jq .data.stored_bytes "$work/f1.json")
heading
row "th-backup ÷ \`pg_dump \\| gzip\`, time ($(seconds th_backup) s ÷ $(seconds dump_gzip) s)" \
  "$(ratio "$(seconds th_backup)" "$(seconds dump_gzip)")" '≤ 0.45'
row "the same without the proof of decoding ($(seconds th_backup_unproven) s)" \
  "$(ratio "$(seconds th_backup_unproven)" "$(seconds dump_gzip)")" ''
row "th-backup ÷ \`pg_dump \\| gzip\`, stored" "$(ratio "$stored" "$(size "$work/dump.sql.gz")")" '≤ 0.95'
row "th-restore, proven ÷ \`psql < dump.sql\`, time ($(seconds th_restore) s ÷ $(seconds psql) s)" \
  "$(ratio "$(seconds th_restore)" "$(seconds psql)")" '≤ 0.80'
row "second backup of $files unchanged files ÷ first, time ($(seconds files_second) s ÷ $(seconds files_first) s)" \
  "$(ratio "$(seconds files_second)" "$(seconds files_first)")" '≤ 0.10'
row 'second backup ÷ first, new bytes' "$(ratio "$new" "$first")" '≤ 0.01'
row 'peak memory of th-backup, database' "$(megabytes th_backup) MB" '≤ 96 MB'
row "peak memory of th-backup, $files files" "$(megabytes files_first) MB" '≤ 96 MB'
row 'peak memory of th-backup, one 5 GB file' "$(megabytes files_5gb) MB" '≤ 96 MB'
row 'peak memory of th-restore, database' "$(megabytes th_restore) MB" '≤ 96 MB'
row "\`th-backup --version\`" "$version ms" '≤ 10 ms'
