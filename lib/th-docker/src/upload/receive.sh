# Writes stdin to the file $1 of $2 bytes and mode $3. An early end of stdin, which the death of
# the client looks like, leaves no file.
set -eu
umask 077
part=$1.part
trap 'rm -f "$part"' EXIT
cat >"$part"
size=$(wc -c <"$part")
if [ "$size" -ne "$2" ]; then
    echo "$((size)) bytes came instead of $2" >&2
    exit 1
fi
chmod "$3" "$part"
mv -f "$part" "$1"
