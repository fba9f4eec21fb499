# restore.sh PLAIN ZSTD TOC PROGRAM [ARG…], before th-docker's watchdog.sh
#
# Keeps the dump, which comes on stdin, in an unlinked file, since parallel workers need one, then
# lets the watchdog run the program on it. The first line of the output says what this reads:
# `zstd`, of which there are ZSTD bytes (0 if there is none), or `plain`, of which there are PLAIN
# bytes. What comes on stdin after that is the client's life: its end ends the restore. The last TOC
# bytes of the file are laid over its first ones: a table of contents that says where the data are.
plain=$1
zstd=$2
toc=$3
shift 3
file=$(mktemp "${TMPDIR:-/tmp}/th.XXXXXX") || exit
exec 4<>"$file"
rm "$file"
if [ "$zstd" -gt 0 ] && command -v zstd >/dev/null; then
    echo zstd
    head -c "$zstd" | zstd -q -d -c >&4 || exit
else
    echo plain
    head -c "$plain" >&4 || exit
fi
if [ "$toc" -gt 0 ]; then
    # shellcheck disable=SC2094 # what is read and what is written do not meet
    tail -c "$toc" /proc/self/fd/4 1<>/proc/self/fd/4 || exit
fi
set -- "$@" /proc/self/fd/4
