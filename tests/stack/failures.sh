# shellcheck shell=sh disable=SC2154
# Releases of the reference app that are no good, on staging: the old slot keeps or gets back the
# traffic, and the record says what happened. Part of test.sh.

# ends STATUS WORDS TOOL...: it ends with that status, and its record matches
ends() {
  want=$1 pattern=$2 tool=$3 got=0
  shift 3
  TH_CONFIG=$TH_STACK_DIR/th.toml "$TH_BIN_DIR/$tool" "$@" -e staging --json >"$work/record" 2>"$work/words" || got=$?
  tail -n 1 "$work/record"
  [ "$got" -eq "$want" ] && tail -n 1 "$work/record" | grep -qiE "$pattern"
}
answers() { plain --fail http://127.0.0.1:8100/version | jq -e --arg tag "$1" '.tag == $tag'; }
# sick TAG COMMAND: a release whose api runs something else. test.sh removes its images.
sick() {
  printf 'FROM tracehub-api:1.1.0\nCMD %s\n' "$2" | docker build --quiet --tag "tracehub-api:$1" - >/dev/null
  docker tag tracehub-web:1.1.0 "tracehub-web:$1"
  sick="${sick:-} tracehub-api:$1 tracehub-web:$1"
}
bad_release() { # TAG COMMAND PATTERN READY HOLD
  tag=$1
  sick "$tag" "$2"
  ends 20 "$3" th-swap to --tag "$tag" --ready "$4" --hold "$5" || return 1
  jq -e '.data.live == "blue"' "$work/record" && answers 1.0.0
}

check 'no such image: 10' ends 10 '9\.9\.9' th-swap to --tag 9.9.9
check 'a release that dies at once: 20, and the old one answers' \
  bad_release 2.0.1 '["sh", "-c", "echo no licence >&2; exit 3"]' 'api' 10s 0s
check 'one that is never healthy' bad_release 2.0.2 '["sleep", "600"]' 'api' 4s 0s
check 'one that needs more memory than it may have' \
  bad_release 2.0.3 '["python", "-c", "print(len(b\"x\" * 10 ** 9))"]' 'memory' 15s 0s
check 'one that is another than was asked for' \
  bad_release 2.0.4 '["env", "TH_TAG=1.0.0", "python", "-m", "tracehub", "serve"]' "'1\.0\.0'" 20s 0s
check 'one that dies while it is watched' \
  bad_release 2.0.5 '["sh", "-c", "python -m tracehub serve & sleep 9; kill -KILL $!; exit 1"]' 'api' 20s 30s

broken_compose_file() {
  cp "$root/$file" "$work/compose"
  echo 'services: [' >>"$root/$file"
  ends 2 "$file" th-swap to --tag 1.1.0 || { cp "$work/compose" "$root/$file"; return 1; }
  cp "$work/compose" "$root/$file"
  answers 1.0.0
}
check 'a broken compose file: 2' broken_compose_file

without_nginx() {
  "$parts/nginx.sh" down
  ends 12 'nginx|127\.0\.0\.1' th-swap to --tag 1.1.0 || { "$parts/nginx.sh" up; return 1; }
  "$parts/nginx.sh" up
  answers 1.0.0
}
check 'nginx is down: 12' without_nginx

half_of_the_lanes() {
  for lane in "$root"/run/lanes/0*; do
    ln -s ../green "$root/run/lanes/.new" && mv -T "$root/run/lanes/.new" "$lane"
  done
  ends 4 'lanes' th-swap status && ends 0 '"changed":true' th-swap resume && answers 1.0.0
}
check 'half of the lanes lead to the other slot: status sees it, resume mends it' half_of_the_lanes

two_at_once() {
  TH_CONFIG=$TH_STACK_DIR/th.toml "$TH_BIN_DIR/th-swap" to -e staging --tag 1.1.0 --hold 0s --json \
    >"$work/first" 2>&1 &
  first=$!
  until [ -e "$root/state/swap.json" ]; do
    kill -0 $first || { cat "$work/first"; return 1; }
    sleep 0.05
  done
  ends 11 "th-swap \(pid $first" th-swap to --tag 1.1.0 || return 1
  wait $first && answers 1.1.0
}
check 'two at once: the second names the first, which is not disturbed' two_at_once

killed() {
  TH_CONFIG=$TH_STACK_DIR/th.toml "$TH_BIN_DIR/th-swap" to -e staging --tag 1.0.0 --hold 60s --json \
    >"$work/first" 2>&1 &
  first=$!
  until grep -q '"switching"' "$root/state/swap.json" 2>/dev/null; do
    kill -0 $first || { cat "$work/first"; return 1; }
  done
  kill -KILL $first
  wait $first 2>/dev/null || :
  ends 0 'swapped' th-swap resume && ends 0 'swap_status' th-swap status && answers "$(jq -r .data.tag "$work/record")"
}
check 'kill -9 in the switch: resume leaves one release, whole' killed
