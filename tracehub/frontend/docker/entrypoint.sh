#!/bin/sh
# Starts the web container: bridges the assets, renders nginx's configuration, runs nginx.
# TH_SOCKET  unix socket to listen on (default: TCP 8080)
# TH_SLOT    value of the X-Th-Slot header
# TH_API     development only: address of the api to pass requests to, http://host:port
set -eu

here=/srv/docker
built=/srv/www/assets
bridge=/srv/assets

die() {
    echo "tracehub-web: $1" >&2
    exit 2
}

# What gets into nginx.conf is checked, since a stray character there is code.
case ${TH_SLOT:-} in
    *[!A-Za-z0-9_-]*) die "TH_SLOT may hold letters, digits, - and _ only, not '$TH_SLOT'" ;;
esac
case ${TH_SOCKET:-/} in
    *[!A-Za-z0-9_./-]*) die "TH_SOCKET may hold letters, digits and _./- only, not '$TH_SOCKET'" ;;
    /*) ;;
    *) die "TH_SOCKET must be an absolute path, not '$TH_SOCKET'" ;;
esac
case ${TH_API:-http://} in
    *[!A-Za-z0-9_.:/-]*) die "TH_API must be a plain http address, not '$TH_API'" ;;
    http://*) ;;
    *) die "TH_API must begin with http://, not '$TH_API'" ;;
esac

# The host's nginx serves the hashed files of every release from the bridge, so that
# a page loaded before a switch still finds its own. A file appears whole or not at all.
bridge_assets() {
    [ -w "$bridge" ] || die "$bridge is mounted, but uid $(id -u) may not write to it"
    # Temporary files of a start that was killed.
    find "$bridge" -maxdepth 1 -name '.new.*' -mmin +10 -delete
    for file in "$built"/*; do
        target=$bridge/${file##*/}
        # Its name holds its hash: what is there and equal stays untouched.
        cmp -s "$file" "$target" && continue
        new=$(mktemp "$bridge/.new.XXXXXX")
        cp "$file" "$new"
        chmod 0644 "$new"
        mv -f "$new" "$target"
    done
}

if [ -d "$bridge" ]; then
    bridge_assets
fi

listen=8080
if [ -n "${TH_SOCKET:-}" ]; then
    [ -d "${TH_SOCKET%/*}/" ] || die "the directory of TH_SOCKET, ${TH_SOCKET%/*}, is not mounted"
    if [ -S "$TH_SOCKET" ]; then
        rm -f "$TH_SOCKET"
    elif [ -e "$TH_SOCKET" ]; then
        die "$TH_SOCKET exists and is not a socket"
    fi
    # nginx itself gives its sockets mode 0666.
    listen=unix:$TH_SOCKET
fi

sed -e "s|@LISTEN@|$listen|" -e "s|@SLOT@|${TH_SLOT:-}|" "$here/nginx.conf" >/tmp/nginx.conf
rm -f /tmp/api.conf
if [ -n "${TH_API:-}" ]; then
    sed -e "s|@API@|${TH_API%/}|" "$here/api.conf" >/tmp/api.conf
fi

exec nginx -e stderr -c /tmp/nginx.conf -g 'daemon off;'
