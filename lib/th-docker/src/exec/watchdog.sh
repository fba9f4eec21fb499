# Runs "$@" and ends it when stdin ends: the engine closes an exec's stdin when its client dies,
# and does nothing else about it. Follows await.sh, and in th-postgres restore.sh too.
#
# This shell waits for both of its children. An orphan would fall to the container's first process,
# and a postmaster that inherits one which dies of a signal ends all sessions and recovers.
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
{ read -r _ <&3; kill "$program"; } >/dev/null 2>&1 &
watcher=$!
exec 3<&-
# Not before the watcher is born: a trap it inherits can swallow the signal meant to end it.
trap 'kill "$program"' HUP INT TERM
await "$program"
status=$?
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status"
