#!/bin/sh
# Makes a Debian 12 or newer ready for make targets: bootstrap.sh build|demo|stack|test|lint|bench ...
# When nothing is missing it says nothing, changes nothing and needs no network.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # dockerd and sshd are there, and not on everyone's path

say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

# as_root COMMAND: run it, or say exactly what to run
as_root() {
  if [ "$(id -u)" = 0 ]; then
    sh -c "$1" >&2
  elif sudo -n true 2>/dev/null; then
    sudo -n sh -c "$1" >&2
  else
    say 'this needs root; run it, then try again:'
    printf "\n  sudo sh -c '%s'\n\n" "$1" >&2
    exit 2
  fi
}

# On Debian the names of packages, elsewhere of programs.
packages='' programs='' engine=
need() {
  case $1 in
    build)
      packages="$packages gcc libc6-dev make"
      programs="$programs cc make" ;;
    demo)
      need build
      packages="$packages jq postgresql postgresql-client zstd"
      programs="$programs initdb jq pg_dump psql zstd" ;;
    stack)
      need demo
      packages="$packages curl debootstrap iptables nginx-light openssl"
      programs="$programs curl debootstrap docker iptables nginx openssl"
      engine=yes ;;
    test)
      need stack
      packages="$packages busybox e2fsprogs logrotate openssh-client openssh-server python3-venv restic strace"
      programs="$programs busybox debugfs logrotate mkfs.ext4 python3 restic ssh sshd strace" ;;
    lint)
      need build
      packages="$packages mandoc shellcheck"
      programs="$programs mandoc shellcheck" ;;
    bench)
      need test
      packages="$packages time" ;;
    *) die "unknown target '$1': build, demo, stack, test, lint or bench" ;;
  esac
}

debian() {
  # Any dockerd will do: Debian's would push Docker's own packages off the machine.
  [ -z "$engine" ] || command -v dockerd >/dev/null || packages="$packages docker.io"
  client=
  [ -z "$engine" ] || command -v docker >/dev/null || client=' docker-cli'
  # shellcheck disable=SC2086 # lists of words
  installed=$(dpkg-query -W -f '${db:Status-Status}:${Package} ' $packages 2>/dev/null || true)
  missing=
  # shellcheck disable=SC2086
  for package in $(printf '%s\n' $packages | sort -u); do
    case " $installed" in *" installed:$package "*) ;; *) missing="$missing $package" ;; esac
  done
  [ -n "$missing$client" ] || return 0

  say "installing${missing:-$client}"
  install='DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends'
  command="apt-get update -qq && $install$missing"
  case $missing in *postgresql*)
    # The programs are wanted, not a server of their own on port 5432.
    conf=/etc/postgresql-common/createcluster.conf
    command="mkdir -p ${conf%/*} && { test -e $conf || echo create_main_cluster = false >$conf; } && $command" ;;
  esac
  case $missing in *nginx-light*)
    # Likewise; and port 80 is not ours to take.
    command="$command && { service nginx stop || :; } && { test ! -d /run/systemd/system || systemctl --quiet disable nginx; }" ;;
  esac
  # From Debian 13 on it is a package of its own, before it comes with docker.io.
  [ -z "$client" ] || command="$command && { command -v docker >/dev/null || $install$client; }"
  as_root "$command"
}

elsewhere() {
  missing=
  for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
  done
  [ -z "$missing" ] || die "not a Debian, so please install:$missing"
}

rust() {
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  have=$(cargo --version 2>/dev/null | cut -d ' ' -f 2) || true
  [ -n "$have" ] || die "cargo is not on the PATH: install Rust $wanted or newer from https://rustup.rs"
  printf '%s\n' "$wanted" "$have" | sort -CV || die "cargo $have is too old: Rust $wanted or newer is needed (rustup update)"
}

answers() { docker version >/dev/null 2>&1; }

docker_engine() {
  socket=/var/run/docker.sock
  if [ -d /run/systemd/system ]; then
    start='systemctl start docker'
  else
    start='setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null &'
  fi
  for second in $(seq 60); do
    if answers; then return; fi
    if [ -S "$socket" ] && [ ! -w "$socket" ]; then
      die "$(id -un) may not use Docker: sudo usermod -aG docker $(id -un), then log in again"
    fi
    if [ "$second" = 1 ]; then
      say 'starting the Docker engine'
      as_root "$start"
    fi
    sleep 1
  done
  die 'no Docker engine answers: see /var/log/dockerd.log or journalctl -u docker'
}

[ $# -gt 0 ] || die "usage: $0 build|demo|stack|test|lint|bench ..."
for target; do need "$target"; done
if command -v apt-get >/dev/null; then debian; else elsewhere; fi
rust
[ -z "$engine" ] || docker_engine
