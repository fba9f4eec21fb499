#!/bin/sh
# What runs, and where; exit status 4 when an environment is not ready.
set -eu
parts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"
docker version >/dev/null 2>&1 || die 'no Docker engine answers'

code=0
if pid=$(nginx_pid); then echo "nginx       process $pid, $TH_STACK_DIR/nginx"; else echo 'nginx       not running'; fi
for each in staging production; do
  environment "$each"
  if ready "$env"; then state=ready; else state='not ready' code=4; fi
  printf '\n%-11s %s, %s\n' "$env" "$state" "$root"
  docker ps --all --filter "label=th.root=$root" \
    --format '  {{.Label "com.docker.compose.project"}} {{.Label "com.docker.compose.service"}}|{{.Image}}|{{.Status}}' |
    sort | while IFS='|' read -r what image status; do printf '  %-34s %-22s %s\n' "$what" "$image" "$status"; done
  for slot in blue green; do
    count=$(find "$root/run/lanes" -lname "../$slot" 2>/dev/null | wc -l)
    [ "$count" -eq 0 ] || echo "  lanes to $slot: $count of 20"
  done
  [ ! -e "$root/run/maintenance" ] || echo '  maintenance is on'
  echo "  https://$name:$https  http://127.0.0.1:$web  api http://127.0.0.1:$api  database 127.0.0.1:$db"
done
printf '\nlog in as demo@tracehub.example, password demo-password; CA %s\n' "$TH_STACK_DIR/nginx/ca.pem"
exit $code
