#!/bin/sh
# The templates of etc/nginx, rendered for a server with both environments, pass `nginx -t` on
# Debian 12's nginx and on Debian 13's.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/var/tmp}/th-nginx.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

render() { etc/nginx/render.sh "$@"; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
mkdir -p "$work/conf.d"
cp -r etc/nginx/snippets "$work"
cp etc/nginx/th-http.conf "$work/conf.d"
for env in staging production; do
  case $env in staging) api=8100 web=3100 ;; *) api=8000 web=3000 ;; esac
  mkdir -p "$work/$env/nginx"
  render etc/nginx/lanes.conf.in APP=tracehub "ENV=$env" "ROOT=/srv/$env" >"$work/$env/nginx/lanes.conf"
  render etc/nginx/site.conf.in APP=tracehub "ENV=$env" "ROOT=/srv/$env" "NAME=$env.example" HTTP=80 HTTPS=443 \
    HTTPS_SUFFIX= API_PORT=$api WEB_PORT=$web CERT=/srv/cert.pem KEY=/srv/key.pem LOGS=/var/log/nginx >"$work/conf.d/tracehub-$env.conf"
done
chmod -R a+rX "$work"

for version in 1.22 1.26; do
  tests/images/build.sh nginx:$version
  docker run --rm --network none --volume "$work/conf.d:/etc/nginx/conf.d:ro" --volume "$work:/srv:ro" \
    --volume "$work/snippets:/etc/nginx/snippets:ro" nginx:$version sh -euc 'nginx -v; nginx -t'
done
if render etc/nginx/lanes.conf.in APP=tracehub ENV=production 2>/dev/null; then
  echo 'a template without its values was rendered' >&2
  exit 1
fi
