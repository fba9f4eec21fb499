#!/bin/sh
# Everything that must hold for the frontend, short of a browser: check.sh
set -eu
cd "$(dirname "$0")"

for program in node npm; do
    command -v "$program" >/dev/null || { echo "check.sh: $program is not installed" >&2; exit 2; }
done

# npm ci starts from nothing; a marker inside node_modules tells that it need not.
lock=$(cksum <package-lock.json)
marker=node_modules/.lock-cksum
if [ "$(cat "$marker" 2>/dev/null || true)" != "$lock" ]; then
    npm ci
    echo "$lock" >"$marker"
fi

npm run --silent lint
npm run --silent types
npm run --silent test
npm run --silent build
npm run --silent size
