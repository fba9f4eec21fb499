#!/bin/sh
# The reference deployment, end to end: a stack of its own, what a browser meets at nginx, the errors
# of stack.sh, both compose versions, and a backup that brings deleted rows and files back. Needs the
# tools in $TH_BIN_DIR. Leaves nothing behind; refuses to run beside a stack, whose ports it uses.
set -eu
cd "$(dirname "$0")/../.."
: "${TH_BIN_DIR:?names the directory of th-backup and th-restore}"
TH_STACK_DIR=$(mktemp -d "${TMPDIR:-/var/tmp}/th-stack.XXXXXX")
export TH_STACK_DIR
parts=$PWD/scripts/stack
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"
work=$TH_STACK_DIR/test
out=$work/out
mkdir "$work"
finish() {
  code=$?
  [ -z "${listener:-}" ] || kill "$listener" 2>/dev/null || :
  rm -rf "$work"
  scripts/stack.sh down --volumes || code=1
  # Stopped containers have used them until here.
  # shellcheck disable=SC2086
  [ -z "${sick:-}" ] || docker rmi $sick >/dev/null || code=1
  exit $code
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

passed=0 failed=0
# check WORDS COMMAND...: the command must succeed
check() {
  words=$1
  shift
  if "$@" >"$out" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $words"
  else
    failed=$((failed + 1))
    echo "FAIL  $words"
    tail -n 15 "$out" | sed 's/^/      /'
  fi
}

# refuses PATTERN COMMAND...: it fails with one line that matches
refuses() {
  pattern=$1
  shift
  if "$@" >"$work/refusal" 2>&1; then echo 'it succeeded'; return 1; fi
  cat "$work/refusal"
  [ "$(wc -l <"$work/refusal")" -eq 1 ] && grep -q "$pattern" "$work/refusal"
}
# header PATTERN CURL ARGUMENTS...: exactly one header of the answer matches
header() {
  pattern=$1
  shift
  "$@" --include --output "$work/answer"
  tr -d '\r' <"$work/answer" | sed '/^$/q' | tee "$work/headers"
  [ "$(grep -ciE "^$pattern" "$work/headers")" -eq 1 ]
}
status() { # STATUS CURL ARGUMENTS...
  want=$1
  shift
  got=$("$@" --output /dev/null --write-out '%{http_code}')
  echo "$got"
  [ "$got" = "$want" ]
}
plain() { curl --silent --show-error --max-time 10 "$@"; }
stack() { scripts/stack.sh "$@"; }

# --- what stack.sh refuses
check 'no Docker: one sentence' refuses 'no Docker engine' env DOCKER_HOST=unix:///nonexistent scripts/stack.sh up
check 'a path too long for sockets: one sentence' refuses 'too long a path' \
  env "TH_STACK_DIR=$work/$(printf %080d 0)" scripts/stack.sh up
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 8443)); time.sleep(600)' &
listener=$!
sleep 1
check 'a busy port: one sentence' refuses 'port 8443 is busy' scripts/stack.sh up
kill $listener
wait $listener 2>/dev/null || :
listener=

# --- up
check 'up' stack up
grep '^stack: ready' "$out" || [ $failed = 0 ] || exit 1
for env in staging production; do
  check "$env is ready through TLS" status 200 fetch $env /health/ready
  environment $env
  check "$env: HTTP leads to HTTPS" header "location: https://$name:8443/a\?b=c$" plain --resolve "$name:8080:127.0.0.1" "http://$name:8080/a?b=c"
  check "$env: its port for the api" status 200 plain "http://127.0.0.1:$api/health/ready"
  check "$env: its port for the web" status 200 plain "http://127.0.0.1:$web/"
done
check 'the certificate is good for its names only' sh -c "! curl -s --cacert '$TH_STACK_DIR/nginx/ca.pem' https://127.0.0.1:8443/"
for path in / /health /api/v1/me; do
  check "HSTS, once, at $path" header 'strict-transport-security: max-age=31536000' fetch production $path
  check "nosniff, once, at $path" header 'x-content-type-options: nosniff' fetch production $path
  check "X-Th-Slot, once, at $path" header 'x-th-slot: blue' fetch production $path
done
check 'a page hands out the cookie of the lane' header 'set-cookie: th_client=' fetch production /
check 'no HSTS without TLS' header 'x-th-slot: blue' plain http://127.0.0.1:8000/
check '  (in the same answer)' sh -c "! grep -i strict-transport '$work/headers'"
check 'HTTP/2' sh -c "[ \"\$(curl -s --cacert '$TH_STACK_DIR/nginx/ca.pem' --resolve tracehub.localhost:8443:127.0.0.1 \
  -o /dev/null -w '%{http_version}' https://tracehub.localhost:8443/health)\" = 2 ]"
check 'metrics stay inside' status 404 fetch production /metrics
check 'a POST probe' sh -c "curl -s -d 12345 http://127.0.0.1:8000/health/echo | grep '\"bytes\": *5'"

# --- the app
login() {
  fetch "$1" /api/v1/auth/login --fail --header 'Content-Type: application/json' \
    --data '{"email":"demo@tracehub.example","password":"demo-password"}' | jq -er .access_token
}
token=$(login production)
bearer="Authorization: Bearer $token"
check '3000 shipments are seeded' sh -c "curl -sf -H '$bearer' 'http://127.0.0.1:8000/api/v1/shipments?limit=1' | jq -e '.total >= 3000'"
websocket() {
  fetch production "/ws?token=$token" --http1.1 --no-buffer --max-time 3 --include --output "$work/ws" \
    --header 'Connection: Upgrade' --header 'Upgrade: websocket' --header 'Sec-WebSocket-Version: 13' \
    --header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' || :
  tr -d '\r' <"$work/ws" | head -n 12
  grep -aq '^HTTP/1.1 101' "$work/ws" && grep -aq '"hello"' "$work/ws"
}
check 'a websocket is upgraded and says hello' websocket
head -c 1000000 /dev/urandom >"$work/upload.bin"
upload() {
  shipment=$(fetch production '/api/v1/shipments?limit=1' --fail --header "$bearer" | jq -er '.items[0].id')
  document=$(fetch production "/api/v1/shipments/$shipment/documents" --fail --header "$bearer" --form "file=@$work/upload.bin" | jq -er .id)
  fetch production "/api/v1/documents/$document/download" --fail --header "$bearer" --output "$work/download.bin"
  cmp "$work/upload.bin" "$work/download.bin"
}
check 'a megabyte goes up and comes down the same' upload
head -c 27000000 /dev/zero >"$work/large.bin"
check 'more than 26 MB is refused by nginx' status 413 fetch production /api/v1/shipments/1/documents --header "$bearer" --form "file=@$work/large.bin"
limited() {
  for _ in $(seq 15); do
    fetch production /api/v1/auth/login --interface 127.0.0.2 --output /dev/null --write-out '%{http_code}\n' \
      --header 'Content-Type: application/json' --data '{}'
  done | tee "$work/codes"
  grep -q 429 "$work/codes"
}
check 'logins from elsewhere are limited' limited

# --- a browser
if [ -z "${TH_NO_BROWSER:-}" ]; then
  check "what a user does, in Chromium at two sizes" env BASE_URL=https://tracehub.localhost:8443 DEMO_PASSWORD=demo-password \
    IGNORE_TLS=1 scripts/in-node.sh --browser sh -c "test -d node_modules || npm ci; CHROMIUM=/usr/bin/chromium npm run --silent test:browser"
fi

# --- maintenance
environment production
touch "$root/run/maintenance"
check 'maintenance: 503 and Retry-After for a page' header 'retry-after: 60' fetch production /
check '  (in the same answer)' grep -q 'HTTP.* 503' "$work/headers"
check 'maintenance: 503 for a POST' status 503 fetch production /api/v1/auth/login --data '{}'
check 'maintenance: /health stays green' status 200 fetch production /health
check 'maintenance: /health/ready stays green' status 200 fetch production /health/ready
check 'maintenance: /healthz stays green' status 200 fetch production /healthz
check 'maintenance: staging goes on' status 200 fetch staging /
ln -sf retry-after-90 "$root/run/maintenance"
: >"$root/run/retry-after-90"
check 'maintenance that says for how long' header 'retry-after: 90' fetch production /
rm "$root/run/maintenance" "$root/run/retry-after-90"
check 'after maintenance' status 200 fetch production /

# --- the other slot
release() { # SLOT TAG: what th-swap does, without its care
  TH_SLOT=$1 TH_TAG=$2 TH_ROOT=$root TH_ENV_FILE=$env_file compose -p "tracehub-$env-$1" -f "$root/$file" up -d
  until plain --fail --unix-socket "$root/run/$1/api.sock" http://api/health/ready; do sleep 0.2; done
  for lane in "$root"/run/lanes/*; do
    ln -s "../$1" "$root/run/lanes/.new"
    mv -T "$root/run/lanes/.new" "$lane"
  done
}
old=/assets/old-release-0123abcd.js
docker exec "$(containers "$root" label=com.docker.compose.service=web)" sh -c "echo 1 >/srv$old"
check 'a release of 1.1.0 to green' release green 1.1.0
check 'green answers' header 'x-th-slot: green' fetch production /version
check 'with its tag' sh -c "curl -s http://127.0.0.1:8000/version | jq -e '.tag == \"1.1.0\" and .slot == \"green\"'"
check "an old release's asset is still there" header 'cache-control: public, max-age=31536000, immutable' fetch production $old
check 'an unknown asset is not' status 404 fetch production /assets/no-such.js

# --- th-swap, on the other environment
environment staging
th() { tool=$1; shift; TH_CONFIG=$TH_STACK_DIR/th.toml "$TH_BIN_DIR/$tool" "$@" >"$work/record" 2>"$work/words" || { cat "$work/record" "$work/words"; return 1; }; }
check 'th-swap to: 1.1.0' th th-swap to -e staging --tag 1.1.0 --hold 5s --json
check 'its receipt: requests, and none failed' jq -e '.data.receipt | .requests > 0 and .failed == 0' "$work/record"
check 'green answers with 1.1.0' sh -c "curl -s http://127.0.0.1:8100/version | jq -e '.tag == \"1.1.0\" and .slot == \"green\"'"
check 'th-swap status agrees' th th-swap status -e staging --json
check 'th-swap rollback' th th-swap rollback -e staging --json
check 'blue answers with 1.0.0' sh -c "curl -s http://127.0.0.1:8100/version | jq -e '.tag == \"1.0.0\" and .slot == \"blue\"'"
check 'th-swap maintenance' th th-swap maintenance -e staging on --retry-after 90s
check '  503, with its time' header 'retry-after: 90' fetch staging /
check 'th-swap maintenance off' th th-swap maintenance -e staging off
check '  and back' status 200 fetch staging /
# shellcheck source=tests/stack/failures.sh
. tests/stack/failures.sh
environment production

# --- up again, and the user's settings
check 'up again' stack up
check 'it leaves the released slot alone' header 'x-th-slot: green' fetch production /version
check 'the web container has no secret' sh -c "! docker inspect $(containers "$root" label=com.docker.compose.service=web | tr '\n' ' ') | grep -E 'JWT_SECRET|POSTGRES_PASSWORD'"
only_loopback() { ! docker ps --filter label=th.root --format '{{.Ports}}' | tr ',' '\n' | grep -e '->' | grep -v '127\.0\.0\.1:'; }
check 'ports are on 127.0.0.1 only' only_loopback
cp "$env_file" "$work/env"
sed -i '/^JWT_SECRET=/d' "$env_file"
check 'a missing variable: one sentence' refuses 'lacks JWT_SECRET' scripts/stack.sh up
cp "$work/env" "$env_file"
config() { # v1|v2 COMPOSE ARGUMENTS
  version=$1
  shift
  case $version in v1) set -- docker-compose "$@" ;; v2) set -- docker compose "$@" ;; esac
  TH_SLOT=blue TH_ROOT=$root TH_ENV_FILE=$env_file "$@" config
}
no_tag() { ! config "$1" -f "$root/$file" && grep -q TH_TAG "$out"; }
for version in v1 v2; do
  case $version in v1) docker-compose version ;; v2) docker compose version ;; esac >/dev/null 2>&1 ||
    { echo "skip  compose $version is not here"; continue; }
  check "compose $version: a slot without a tag is refused" no_tag $version
  export TH_TAG=1.0.0
  for each in tracehub/docker-compose*.yml; do
    check "compose $version takes ${each#*/}" config $version --env-file "$env_file" -f "$each"
  done
  unset TH_TAG
done

# --- a backup brings back what is lost
sql() { docker exec "$(containers "$root" label=com.docker.compose.service=db)" psql -qXAt -v ON_ERROR_STOP=1 -U tracehub -d tracehub -c "$1"; }
rows() {
  for table in organisations users shipments tracking_events documents audit_entries alembic_version; do
    echo "$table $(sql "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM $table t")"
  done
}
files() { (cd "$root/data/uploads" && find . -name '.*' ! -name . -prune -o -type f -print | sort | xargs sha256sum); }
lose() {
  sql 'DELETE FROM documents WHERE id % 2 = 0'
  sql "UPDATE shipments SET origin = 'lost' WHERE id <= 1000"
  files | awk 'NR % 3 == 0 { print $2 }' | (cd "$root/data/uploads" && xargs rm)
}
rows >"$work/rows"
files >"$work/files"
check 'th-backup of production, proven by a restore' th th-backup -e production --prove content --json
check 'the set is whole: no referenced file is missing' jq -e '.ok and (.warnings | map(select(test("missing|degraded"))) | length == 0)' "$work/record"
check 'rows and files are lost' lose
check '  (they are)' sh -c "[ \"\$(wc -l <'$work/files')\" -gt \"\$(find '$root/data/uploads' -type f | wc -l)\" ]"
check 'th-restore apply' th th-restore apply -e production --json
rows >"$work/rows.after"
files >"$work/files.after"
check 'every row is back' cmp "$work/rows" "$work/rows.after"
check 'every file is back, byte for byte' cmp "$work/files" "$work/files.after"
check 'the app is ready on the restored database' status 200 fetch production /health/ready
check 'and serves the document of before' sh -c "curl -sf -H '$bearer' -o '$work/again.bin' http://127.0.0.1:8000/api/v1/documents/${document:-0}/download && cmp '$work/again.bin' '$work/upload.bin'"

check 'down' stack down
check 'nothing of it runs' sh -c "[ -z \"\$(docker ps -aq --filter label=th.root)\$(docker network ls -q --filter name=tracehub-)\" ]"
check 'status says so' sh -c "scripts/stack.sh status; [ \$? -eq 4 ]"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
