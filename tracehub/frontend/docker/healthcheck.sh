#!/bin/sh
# Exit 0 when nginx answers where it listens.
set -eu
exec curl --fail --silent --show-error --max-time 3 --output /dev/null \
    ${TH_SOCKET:+--unix-socket "$TH_SOCKET"} http://127.0.0.1:8080/healthz
