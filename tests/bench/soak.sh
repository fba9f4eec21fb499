#!/bin/sh
# Releases under load, counted, and beside them `nginx -s reload` and docker-rollout's way.
#
# SOAK_SWAPS, SOAK_ROLLBACKS, SOAK_COMPARE: how many (200, 20, 30)
# SOAK_STACK=staging|production|none: on which environment of the reference deployment (staging),
#   with its tags 1.0.0 and 1.1.0, or on an app of its own
set -eu
cd "$(dirname "$0")/../.."
tests/images/build.sh python:3.11-slim
export TH_BIN_DIR="${TH_BIN_DIR:-$PWD/target/release}"
set -- --swaps "${SOAK_SWAPS:-200}" --rollbacks "${SOAK_ROLLBACKS:-20}" --compare "${SOAK_COMPARE:-30}"

SOAK_STACK=${SOAK_STACK:-staging}
if [ "$SOAK_STACK" != none ]; then
  scripts/stack.sh up >&2
  parts=$PWD/scripts/stack
  # shellcheck source=scripts/stack/lib.sh
  . "$parts/lib.sh"
  environment "$SOAK_STACK"
  password=$(sed -n 's/^DEMO_PASSWORD=//p' "$env_file")
  token=$(fetch "$SOAK_STACK" /api/v1/auth/login --json "{\"email\":\"demo@tracehub.example\",\"password\":\"$password\"}" |
    jq --raw-output .access_token)
  auth="Authorization: Bearer $token"
  document=$(fetch "$SOAK_STACK" '/api/v1/shipments?limit=50' --header "$auth" | jq --raw-output '.items[].id' |
    while read -r shipment; do
      fetch "$SOAK_STACK" "/api/v1/shipments/$shipment" --header "$auth" | jq --raw-output '.documents[0].id // empty'
    done | head -n 1)
  set -- "$@" --config "$TH_STACK_DIR/th.toml" --env "$SOAK_STACK" --front "127.0.0.1:$api" --tags 1.1.0,1.0.0 \
    --header "$auth" --get '/api/v1/me,/health,/api/v1/shipments?limit=20' --post /health/echo \
    --slow '/api/v1/shipments?limit=100' --think-ms "${SOAK_THINK_MS:-250}" --upload /health/echo \
    --download "/api/v1/documents/$document/download" --websocket "/ws?token=$token" --nginx-pid "$TH_STACK_DIR/nginx/nginx.pid"
fi
exec cargo run --quiet --locked --package th-kit --bin soak -- "$@"
