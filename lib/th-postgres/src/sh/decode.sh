# decode.sh PROGRAM [ARG…]
#
# Feeds stdin, a stream of zstd, to the program, if there is a zstd to decompress it. The first
# line of the output says what this reads: `zstd` or `plain`.
if ! command -v zstd >/dev/null; then
    echo plain
    exec "$@"
fi
echo zstd
broken=$({ { zstd -q -d -c || echo broken >&3; } | "$@" >&2; } 3>&1)
status=$?
# A program that stopped reading breaks the stream itself, and says more about why.
[ "$status" -ne 0 ] || [ -z "$broken" ] || status=1
exit "$status"
