# await CHILD: waits for a child and returns its status.
#
# A trapped signal ends `wait` before the child has ended.
await() {
    wait "$1"
    set -- "$1" $?
    while kill -0 "$1" 2>/dev/null; do
        wait "$1"
        set -- "$1" $?
    done
    return "$2"
}
