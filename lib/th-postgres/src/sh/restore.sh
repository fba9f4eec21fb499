# restore.sh PLAIN ZSTD PROGRAM [ARG…]
#
# Keeps the dump, which comes on stdin, in an unlinked file, since parallel workers need one, then
# runs the program on it. The first line of the output says what this reads: `zstd`, of which there
# are ZSTD bytes (0 if there is none), or `plain`, of which there are PLAIN bytes. What comes on
# stdin after that is the client's life: its end ends the restore.
#
# The shell waits for all of its children: an orphan would fall to the container's first process,
# and a postmaster that inherits one which dies of a signal ends all sessions and recovers.
plain=$1
zstd=$2
shift 2
file=$(mktemp "${TMPDIR:-/tmp}/th.XXXXXX") || exit
exec 4<>"$file" 3<&0 </dev/null
rm "$file"
if [ "$zstd" -gt 0 ] && command -v zstd >/dev/null; then
    echo zstd
    head -c "$zstd" <&3 | zstd -q -d -c >&4 || exit
else
    echo plain
    head -c "$plain" <&3 >&4 || exit
fi
"$@" /proc/self/fd/4 3<&- &
restore=$!
{ read -r _ <&3; kill "$restore"; } >/dev/null 2>&1 4<&- &
watcher=$!
exec 3<&- 4<&-
trap 'kill "$restore"' HUP INT TERM
wait "$restore"
status=$?
# A trapped signal ends `wait` before the program has ended.
while kill -0 "$restore" 2>/dev/null; do
    wait "$restore"
    status=$?
done
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
