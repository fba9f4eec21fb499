#!/bin/sh
# The nginx in front, and its throw-away certificate authority: nginx.sh up|down
set -eu
parts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/stack/lib.sh
. "$parts/lib.sh"
templates=$repository/etc/nginx
directory=$TH_STACK_DIR/nginx

certificates() {
  cd "$directory"
  if [ -e site.pem ] && openssl x509 -checkend 86400 -noout -in site.pem >/dev/null; then return; fi
  umask 077
  new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90'
  # shellcheck disable=SC2086 # a list of words
  openssl req -x509 $new -subj '/CN=TraceHub throw-away CA' -keyout ca.key -out ca.pem 2>/dev/null
  # shellcheck disable=SC2086
  openssl req -x509 $new -subj /CN=tracehub.localhost -CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE \
    -addext 'subjectAltName=DNS:tracehub.localhost,DNS:staging.tracehub.localhost' -keyout site.key -out site.pem 2>/dev/null
}

configuration() {
  mkdir -p "$directory/logs" "$directory/temp" "$directory/sites"
  certificates
  cp -r "$templates/th-http.conf" "$templates/snippets" "$directory"
  # The workers run as who runs this: a home directory may be closed to others. Only root may say so.
  if [ "$(id -u)" = 0 ]; then user='user root;'; else user=; fi
  sed "s/@USER@/$user/" "$parts/nginx.conf.in" >"$directory/nginx.conf"
  for each in staging production; do
    environment "$each"
    "$templates/render.sh" "$templates/site.conf.in" APP=tracehub "ENV=$env" "ROOT=$root" "NAME=$name" \
      HTTP=127.0.0.1:$http HTTPS=127.0.0.1:$https HTTPS_SUFFIX=:$https "API_PORT=$api" "WEB_PORT=$web" \
      "CERT=$directory/site.pem" "KEY=$directory/site.key" "LOGS=$directory/logs" >"$directory/sites/tracehub-$env"
  done
}

run() { nginx -p "$directory/" -c nginx.conf -e logs/error.log "$@"; }

case $1 in
  up)
    configuration
    run -t -q || die "nginx does not take its configuration: see $directory"
    want=$({ run -T; cat "$directory/site.pem"; } 2>/dev/null | sha256sum)
    if pid=$(nginx_pid); then
      # A reload resets kept connections: not for nothing.
      [ "$want" = "$(cat "$directory/applied" 2>/dev/null)" ] || kill -HUP "$pid"
    else
      # Without the lock of stack.sh, which would be held as long as nginx lives.
      run 9>&- || die "nginx does not start: see $directory/logs/error.log"
    fi
    echo "$want" >"$directory/applied" ;;
  down)
    if pid=$(nginx_pid); then
      kill -TERM "$pid"
      while [ -d "/proc/$pid" ]; do sleep 0.05; done
    fi ;;
esac
