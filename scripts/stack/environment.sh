#!/bin/sh
# One environment, up to its slot and lanes: environment.sh staging|production
set -eu
parts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"
environment "$1"
owner=10001 # who the app runs as, in its containers

layout() {
  for directory in data/assets data/postgres data/uploads run/blue run/green run/lanes nginx state backups; do
    mkdir -p "$root/$directory"
  done
  cp "$repository/tracehub/docker-compose.db.yml" "$repository/tracehub/$file" "$root"
  "$repository/etc/nginx/render.sh" "$repository/etc/nginx/lanes.conf.in" APP=tracehub "ENV=$env" "ROOT=$root" >"$root/nginx/lanes.conf"
  for directory in data/assets data/uploads run/blue run/green; do
    [ "$(stat -c %u "$root/$directory")" = $owner ] || foreign="${foreign:-} /root/$directory"
  done
  # By a container, because giving files away takes root.
  # shellcheck disable=SC2086 # a list of words
  [ -z "${foreign:-}" ] || docker run --rm --network none --user 0 --entrypoint chown --volume "$root:/root" \
    postgres:15 $owner:$owner $foreign
}

secrets() {
  [ ! -e "$env_file" ] || return 0
  # Hex: letters that no shell, URL or compose file reads as something else.
  umask 077
  sed -e "s/change-me-postgres/$(openssl rand -hex 24)/" -e "s/change-me-jwt/$(openssl rand -hex 32)/" \
    -e 's/change-me-demo/demo-password/' "$repository/tracehub/.env.$env.example" >"$env_file.new"
  # The same password twice: in the database's settings and in the app's URL.
  password=$(sed -n 's/^POSTGRES_PASSWORD=//p' "$env_file.new")
  sed "s|^\(DATABASE_URL=.*://[^:]*:\)[^@]*@|\1$password@|" "$env_file.new" >"$env_file"
  rm "$env_file.new"
}

database() {
  TH_ROOT=$root compose -p "tracehub-$env" --env-file "$env_file" -f "$root/docker-compose.db.yml" up -d
  id=$(containers "$root" label=com.docker.compose.service=db)
  for _ in $(seq 150); do
    # The image's own check comes only every 2 s.
    if docker exec "$id" pg_isready --quiet --host 127.0.0.1; then return; fi
    sleep 0.2
  done
  die "the database of $env does not answer: docker logs $id"
}

# in_slot SLOT COMPOSE ARGUMENTS
in_slot() {
  slot=$1
  shift
  # The tag that a release put there, if there was one.
  tag=$(docker ps --all --quiet --filter "label=th.root=$root" --filter "label=th.slot=$slot" \
    --filter label=com.docker.compose.service=api | head -n 1 | xargs -r docker inspect --format '{{.Config.Image}}')
  tag=${tag##*:}
  TH_SLOT=$slot TH_TAG=${tag:-${TH_STACK_TAG:-1.0.0}} TH_ROOT=$root TH_ENV_FILE=$env_file \
    compose -p "tracehub-$env-$slot" -f "$root/$file" "$@"
}

lanes() {
  for lane in $(seq -w 0 19); do
    [ -L "$root/run/lanes/$lane" ] || ln -s ../blue "$root/run/lanes/$lane"
  done
}

slot_ready() {
  for _ in $(seq 150); do
    if curl --silent --fail --max-time 5 --output /dev/null --unix-socket "$root/run/$1/api.sock" http://api/health/ready &&
      curl --silent --fail --max-time 5 --output /dev/null --unix-socket "$root/run/$1/web.sock" http://web/healthz; then
      return
    fi
    sleep 0.2
  done
  in_slot "$1" ps
  in_slot "$1" logs --tail 5
  die "slot $1 of $env is not ready"
}

mkdir -p "$root"
log=$TH_STACK_DIR/$env.log
# Descriptor 3, because a shell that ends within the braces still has their redirections.
trap '[ $? -eq 0 ] || say "$env did not come up: $(tail -n 1 "$log" | sed "s/^stack: //"), see $log" 2>&3' EXIT
exec 3>&2
{
  layout
  secrets
  database
  live=$(slots "$root")
  for slot in $live; do
    in_slot "$slot" run --rm -T --no-deps api \
      sh -c 'python -m tracehub migrate && python -m tracehub seed --shipments 3000 --documents 300'
    break
  done
  for slot in $live; do in_slot "$slot" up -d --no-build; done
  for slot in $live; do slot_ready "$slot"; done
  lanes
} >"$log" 2>&1
