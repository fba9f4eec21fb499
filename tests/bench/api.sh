#!/bin/sh
# TraceHub under 50 requests a second for 60 s, on the seeded data of the running stack's production,
# through nginx: percentiles of the API's answers and of the database's queries. The bounds are
# 200 ms and 100 ms at p95; exit 1 when one is missed or a request fails.
#
# TH_BENCH_RATE, TH_BENCH_SECONDS: other numbers. TH_STACK_DIR as for scripts/stack.sh.
set -eu
cd "$(dirname "$0")/../.."
parts=$PWD/scripts/stack
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"
environment production
ready production || die 'production is not ready: scripts/stack.sh up'

id=$(containers "$root" label=com.docker.compose.service=db)
sql() { docker exec "$id" psql -qXAt -U tracehub -d tracehub -c "$1"; }
work=$(mktemp -d "${TMPDIR:-/var/tmp}/th-bench.XXXXXX")
finish() {
  sql 'ALTER SYSTEM RESET log_min_duration_statement' && sql 'SELECT pg_reload_conf()' >/dev/null
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The server's own word on each query's time goes to its log.
sql 'ALTER SYSTEM SET log_min_duration_statement = 0'
sql 'SELECT pg_reload_conf()' >/dev/null
since=$(date +%s)
password=$(sed -n 's/^DEMO_PASSWORD=//p' "$env_file")

failed=0
TH_BENCH_RATE=${TH_BENCH_RATE:-50} TH_BENCH_SECONDS=${TH_BENCH_SECONDS:-60} \
  PORT=$api PASSWORD=$password python3 - <<'PYTHON' || failed=1
import http.client, json, os, queue, random, sys, threading, time

rate, seconds, port = (int(os.environ[n]) for n in ("TH_BENCH_RATE", "TH_BENCH_SECONDS", "PORT"))


def call(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
login = json.dumps({"email": "demo@tracehub.example", "password": os.environ["PASSWORD"]})
status, body = call(connection, "POST", "/api/v1/auth/login", login, {"Content-Type": "application/json"})
if status != 200:
    sys.exit(f"login: {status} {body!r}")
bearer = {"Authorization": "Bearer " + json.loads(body)["access_token"]}
listed = json.loads(call(connection, "GET", "/api/v1/shipments?limit=100", None, bearer)[1])
ids = [item["id"] for item in listed["items"]]
words = [item["container_number"][:6] for item in listed["items"]] + [item["origin"] for item in listed["items"]]

chance = random.Random(1)
kinds = {
    "list": lambda: f"/api/v1/shipments?limit=50&offset={chance.randrange(0, listed['total'], 50)}",
    "status": lambda: f"/api/v1/shipments?status={chance.choice(['booked', 'in_transit', 'customs', 'delivered'])}&limit=50",
    "search": lambda: "/api/v1/shipments?limit=50&q=" + chance.choice(words).replace(" ", "%20"),
    "shipment": lambda: f"/api/v1/shipments/{chance.choice(ids)}",
    "audit": lambda: "/api/v1/audit?limit=50",
}
share = ["search"] * 4 + ["list"] * 2 + ["status"] + ["shipment"] * 2 + ["audit"]
work, times, failures = queue.Queue(), {kind: [] for kind in kinds}, []


def client():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while (job := work.get()) is not None:
        due, kind, path = job
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            status, _ = call(connection, "GET", path, None, bearer)
        except OSError as error:
            status = repr(error)
            connection.close()
        # From when it was due: a server that is late makes the next ones wait too.
        times[kind].append(time.monotonic() - due)
        if status != 200:
            failures.append((path, status))


start = time.monotonic() + 0.5
for n in range(rate * seconds):
    kind = chance.choice(share)
    work.put((start + n / rate, kind, kinds[kind]()))
threads = [threading.Thread(target=client) for _ in range(24)]
for thread in threads:
    work.put(None)
    thread.start()
for thread in threads:
    thread.join()


def line(name, values):
    values = sorted(values)
    p50, p95, p99 = (1000 * values[min(len(values) - 1, int(len(values) * q))] for q in (0.5, 0.95, 0.99))
    print(f"{name:<12} {len(values):>7} {p50:>8.1f} {p95:>8.1f} {p99:>8.1f}")
    return p95


print(f"{rate} requests/s for {seconds} s, {listed['total']} shipments; milliseconds")
print(f"{'':<12} {'number':>7} {'p50':>8} {'p95':>8} {'p99':>8}")
for kind, values in times.items():
    line(kind, values)
p95 = line("api", [value for values in times.values() for value in values])
for path, status in failures[:5]:
    print(f"failed: {path}: {status}", file=sys.stderr)
sys.exit(p95 >= 200 or bool(failures))
PYTHON

# Not the lines of "parse" and "bind", nor the statements that begin and end a transaction.
docker logs --since "$since" "$id" 2>&1 |
  sed -n 's/.*duration: \([0-9.]*\) ms  execute .*/\1/p' | sort -n >"$work/queries"
awk '{ at[NR] = $1 } END {
  if (NR == 0) { print "no query in the log" > "/dev/stderr"; exit 1 }
  split("0.5 0.95 0.99", q, " ")
  printf "%-12s %7d", "queries", NR
  for (i = 1; i <= 3; i++) { p = at[int(NR * q[i]) + 1 > NR ? NR : int(NR * q[i]) + 1]; printf " %8.1f", p; if (i == 2) p95 = p }
  printf "\n"
  exit p95 >= 100
}' "$work/queries" || failed=1
[ $failed = 0 ]
