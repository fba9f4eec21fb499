# compress.sh LEVEL PROGRAM [ARG…], after th-docker's await.sh
#
# Runs the program with its output through zstd, where there is a zstd; else as it is. The output
# of an exec is copied several times on its way out of a container: less of it is much faster.
#
# Ends with the program's status, or with zstd's if only that failed. This shell waits for both of
# its children: an orphan would fall to the container's first process, and a postmaster that
# inherits one which dies of a signal ends all sessions and recovers.
level=$1
shift
# Twice: the traps that a newborn child inherits swallow the first.
end() {
    kill "$program"
    sleep 0.2
    kill "$program"
} 2>/dev/null
# Set before there are children: without it a signal would end this shell and leave them behind,
# mktemp too. zstd ends by itself at the end of its input.
program='' ended=''
trap 'ended=yes; [ -z "$program" ] || end' HUP INT TERM
pipe=$(mktemp -u "${TMPDIR:-/tmp}/th.XXXXXX")
if ! command -v zstd >/dev/null || ! mkfifo -m 600 "$pipe" 2>/dev/null; then
    trap - HUP INT TERM
    [ -z "$ended" ] || exit 143
    exec "$@"
fi
# Opened for both ways first, since each end alone would wait for the other.
# shellcheck disable=SC2094
exec 5<>"$pipe" 6<"$pipe" 7>"$pipe" 5<&-
rm "$pipe"

[ -z "$ended" ] || exit 143
"$@" 6<&- >&7 7>&- &
program=$!
zstd -q -c -T2 "-$level" <&6 6<&- 7>&- &
zstd=$!
exec 6<&- 7>&-
[ -z "$ended" ] || end

await "$zstd"
packed=$?
await "$program"
status=$?
[ "$status" -ne 0 ] || status=$packed
exit "$status"
