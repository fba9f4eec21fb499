# Takes an environment's lock for a whole chain of the tools; read by deploy.sh and nightly.sh.
# shellcheck shell=sh

# lock NAME ROOT SECONDS: waits that long for the lock of the environment at ROOT, and hands it down,
# with one run id, to every tool that NAME starts. Else says who has it, and exits 11.
lock() {
  (umask 077 && mkdir -p "$2/state")
  exec 9>>"$2/state/lock"
  flock --wait "$3" 9 || {
    printf '%s: locked by %s\n' "$1" "$(cat "$2/state/lock")" >&2
    exit 11
  }
  TH_LOCK_FD=9
  TH_RUN_ID=${TH_RUN_ID:-$(date -u +%Y%m%dT%H%M%SZ)-$(od -An -N2 -tx1 /dev/urandom | tr -d ' \n')}
  export TH_LOCK_FD TH_RUN_ID
  # Whoever finds it locked is told by whom; the tools name themselves when it is their turn.
  printf '{"tool":"%s","run":"%s","pid":%s,"since_at":"%s"}' \
    "$1" "$TH_RUN_ID" "$$" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$2/state/lock" || :
}
