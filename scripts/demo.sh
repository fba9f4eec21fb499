#!/bin/sh
# The main job on real input: a PostgreSQL server of its own, a database and files, two backups,
# a proof, a disaster, a restore, and the comparison. Nothing is left behind.
set -eu
cd "$(dirname "$0")/.."
# What the caller acts on is not for a demonstration, nor what libpq is told of a server.
for name in $(env | sed -n 's/^\(TH_[A-Z_]*\|PG[A-Z]*\)=.*/\1/p'); do
  unset "$name"
done

say() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
cargo build --quiet --locked --package th-backup --package th-restore
PATH=$PWD/target/debug:$PATH

work=$(mktemp -d "${TMPDIR:-/tmp}/th-demo.XXXXXX")
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
bin=${bin:-$(dirname "$(command -v initdb)")}
# A server refuses to run as root.
if [ "$(id -u)" = 0 ]; then
  mkdir "$work/pg" && chown postgres "$work/pg" && chmod 755 "$work"
  as_server() { (cd / && setpriv --reuid postgres --regid postgres --init-groups "$@"); }
else
  mkdir "$work/pg"
  as_server() { "$@"; }
fi
finish() {
  as_server "$bin/pg_ctl" -D "$work/pg/data" -m immediate -w stop >/dev/null 2>&1 || :
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say 'a server of our own, with a database and 300 files'
as_server "$bin/initdb" -D "$work/pg/data" -U th -A trust -E UTF8 --no-sync >/dev/null
as_server "$bin/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -w \
  -o "-c listen_addresses='' -k $work/pg -c fsync=off" start >/dev/null
server="postgres://th@/shop?host=$work/pg"
psql -qX -h "$work/pg" -U th -d postgres -c 'CREATE DATABASE shop'
psql -qX -d "$server" -v ON_ERROR_STOP=1 -v scale=0.01 -f tests/bench/generate.sql >/dev/null
mkdir -p "$work/uploads/2026"
psql -qX -d "$server" -c 'CREATE TABLE uploads (id serial PRIMARY KEY, path text NOT NULL)'
for n in $(seq 300); do
  printf 'upload %s: %s\n' "$n" "$(head -c 2000 /dev/urandom | base64 -w 0)" >"$work/uploads/2026/$n.txt"
done
psql -qX -d "$server" -c \
  "INSERT INTO uploads (path) SELECT format('2026/%s.txt', n) FROM generate_series(1, 300) n"
cat >"$work/th.toml" <<TOML
app = "shop"

[env.demo]
root = "$work"

[env.demo.database]
url = "$server"

[env.demo.files]
uploads = "uploads"
config = ["th.toml"]
references = "SELECT path FROM uploads"

[env.demo.backup]
store = "store"
TOML
export TH_CONFIG="$work/th.toml" TH_ENV=demo
# What must come back: every row of every table, and every file.
content() {
  pg_dump --data-only --inserts -d "$server" | grep '^INSERT' | LC_ALL=C sort | sha256sum
  (cd "$work/uploads" && find . -type f ! -path './.th-restore/*' -exec sha256sum {} + | sort -k 2)
}

say 'th-backup, twice: the second stores only what is new'
th-backup --json --quiet >>"$work/records"
psql -qX -d "$server" -c "INSERT INTO uploads (path) VALUES ('2026/late.txt')"
echo late >"$work/uploads/2026/late.txt"
th-backup --json --quiet >>"$work/records"
content >"$work/before"

say 'th-restore verify: restored into a scratch database and compared'
th-restore verify latest --json --quiet >>"$work/records"

say 'the disaster: the database is dropped, half of the files are gone, others are overwritten'
psql -qX -h "$work/pg" -U th -d postgres -c 'DROP DATABASE shop'
rm "$work"/uploads/2026/1*.txt
echo 'encrypted by someone else' >"$work/uploads/2026/2.txt"

say 'th-restore apply'
th-restore apply latest --json --quiet >>"$work/records"
content >"$work/after"
cmp "$work/before" "$work/after"

say 'the records, one line a step'
cat "$work/records"

say 'summary'
jq -r '
  def mib: . / 1048576 * 100 | round / 100 | "\(.) MiB";
  if .kind == "backup" then
    "backup    \(.data.set)  \(.duration_seconds) s  \(.data.database.rows) rows in \(.data.database.tables) tables",
    "          \(.data.files.count) files, \(.data.files.new_count) of them new, \(.data.stored_bytes | mib) stored, proven to: \(.data.proof)"
  elif .kind == "verified" then
    "verified  \(.data.set)  \(.duration_seconds) s  to: \(.data.reached), \(.data.differences | length) differences"
  else
    "restored  \(.data.set)  \(.duration_seconds) s  \(.data.database.rows) rows",
    "          \(.data.files.added) files added, \(.data.files.replaced) replaced, \(.data.files.unchanged) unchanged"
  end' "$work/records"
echo "equal     every row and every file is what it was: $(wc -l <"$work/after") checksums compared"
