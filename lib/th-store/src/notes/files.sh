# In the set's directory. Needs jq, tar, and zstd or gzip, whichever the names end in.
to=${to:-/srv/restored}          # where the files go: a new directory, an absolute path
work=${work:-/srv/restored.work} # where one pack after the other is unpacked

set -eu
mkdir -p "$to" "$work"
plain() { case $1 in *.zst) zstd -dc ;; *.gz) gzip -dc ;; *) cat ;; esac <"$1"; }
root=$(if [ "$(id -u)" -eq 0 ]; then echo true; else echo false; fi)

# Turns each line of the listing into commands: directories and links first, then the files of one
# pack after the other, at last what writing into directories has changed of them.
cat >"$work/plan.jq" <<'EOF'
def octal:
  [ scan("..") | explode | map(if . > 57 then . - 87 else . - 48 end) | .[0] * 16 + .[1]
    | "\\\(. / 64 | floor)\(. / 8 | floor % 8)\(. % 8)" ] | join("");
def word($text; $hex):
  if $text then $text | @sh else "\"$(printf '\($hex | octal)')\"" end;
def path: "./" + word(.path; .path_hex);
def member:
  if .member or .member_hex then word(.member; .member_hex) else word(.path; .path_hex) end;
def meta:
  (if $root then "chown -h \(.uid):\(.gid) \(path)" else empty end),
  (if .kind == "symlink" then empty else "chmod \(.mode) \(path)" end),
  # BusyBox knows no fractions of a second.
  "touch -h -d @\(.mtime) \(path) 2>/dev/null || touch -h -d @\(.mtime | split(".")[0]) \(path)";
if .kind == "dir" and $step == "first" then "mkdir -p \(path)"
elif .kind == "dir" and $step == "last" then meta
elif .kind == "symlink" and $step == "first" then
  "ln -s -- \(word(.target; .target_hex)) \(path)", meta
elif .kind == "file" and .pack == $step then "cp -- \($from | @sh)/\(member) \(path)", meta
else empty end
EOF
step() {
  plain files.jsonl* |
    jq -r --argjson root "$root" --arg step "$1" --arg from "$work/$1" -f "$work/plan.jq" |
    (cd "$to" && sh -e)
}

step first
jq -r '.files.packs[].name' manifest.json | while read -r pack; do
  mkdir "$work/$pack"
  plain "../../packs/$pack" | tar -x -f - -C "$work/$pack"
  step "$pack"
  rm -r "${work:?}/$pack"
done
step last
