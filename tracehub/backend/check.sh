#!/bin/sh
# Formatting, lint, types and tests, in a virtual environment that is kept until the
# requirements change. As root or not; needs Python 3.11 or newer and PostgreSQL's server.
set -eu
cd "$(dirname "$0")"

# All that is made goes into one directory, which may have to be somebody else's.
state=.venv
if [ -e "$state" ]; then writable=$state; else writable=.; fi
[ -w "$writable" ] || state=${XDG_CACHE_HOME:-$HOME/.cache}/tracehub-check

python=${PYTHON:-python3}
key=$({ cat requirements-dev.txt; "$python" -VV; } | sha256sum | cut -c 1-16)
venv=$state/$key

if [ ! -e "$venv/ready" ]; then
  rm -rf "$state"
  "$python" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements-dev.txt
  touch "$venv/ready"
fi

export PYTHONDONTWRITEBYTECODE=1
export BLACK_CACHE_DIR="$state/black" COVERAGE_FILE="$state/coverage"
bin=$venv/bin
code='tracehub tests alembic'

# shellcheck disable=SC2086 # a list of words
"$bin/black" --quiet --check $code || { "$bin/black" --check $code; exit 1; }
# shellcheck disable=SC2086
"$bin/flake8" $code
# shellcheck disable=SC2086
"$bin/mypy" --cache-dir "$state/mypy" $code
"$bin/python" -m pytest --quiet -o cache_dir="$state/pytest" --cov
