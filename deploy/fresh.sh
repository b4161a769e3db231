# shellcheck shell=bash
# Minimal Debian systems, each in its own folder, for deploy/test_fresh, deploy/test_package and deploy/package. Source it after
# lib.sh.

# The supported releases and their numbers.
declare -A NUMBER_OF=([bookworm]=12 [trixie]=13)

# This machine's release; empty if it has none.
release_here() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

# known_release RELEASE: fails for one that is not supported.
known_release() { [ -n "${NUMBER_OF[$1]:-}" ] || fail "unknown release \`$1\`; supported: ${!NUMBER_OF[*]}"; }

# fresh_sources RELEASE [MIRROR]: the sources of that release, one per line: those of MIRROR, else those of each Debian mirror
# that this machine's apt uses, whatever its own release.
fresh_sources() {
  local release=$1 mirror=${2:-}
  if [ -n "$mirror" ]; then
    echo "deb $mirror $release main"
    return
  fi
  # apt tells of fetched lists only.
  [ -n "$(fetched_lists)" ] || apt-get -qq update >/dev/null 2>&1 || true
  fetched_lists | awk -F '|' -v release="$release" '
    $1 == "Debian" && $2 == "main" && $3 ~ /^https?:/ && $4 ~ /^[a-z]+(-updates|-security)?$/ {
      suffix = $4 ~ /-/ ? substr($4, index($4, "-")) : ""
      line = "deb " $3 " " release suffix " main"
      if (!seen[line]++) print line
    }'
}
# shellcheck disable=SC2016  # apt's own variables
fetched_lists() { apt-get indextargets --format '$(ORIGIN)|$(COMPONENT)|$(REPO_URI)|$(CODENAME)' 'Identifier: Packages' 2>/dev/null; }

# fresh_make RELEASE FOLDER SOURCES LOG [MMDEBSTRAP-OPTION…]: a minimal Debian in FOLDER, from SOURCES, with what apt needs to reach them
# again from inside. Status 1 if that fails; LOG says why.
fresh_make() {
  local release=$1 folder=$2 sources=$3 log=$4
  shift 4
  mmdebstrap --quiet --variant=apt --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io "$@" \
    "$release" "$folder" - <<<"$sources" >"$log" 2>&1 || return 1
  fresh_network "$folder" "$sources"
}

# fresh_network FOLDER SOURCES: gives apt in FOLDER what it needs to reach them: resolver, proxies and certificates, and
# nothing else from this machine.
fresh_network() {
  local folder=$1 sources=$2 bundle=/etc/ssl/certs/ca-certificates.crt
  cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
  { apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https)::(.*::)?(Proxy|CaInfo|Verify-Peer|Verify-Host)' || true; } >"$folder/etc/apt/apt.conf.d/99mirror"
  if grep -q 'https:' <<<"$sources" && [ -r "$bundle" ]; then
    cp -L "$bundle" "$folder/etc/apt/mirror-certificates.crt"
    echo 'Acquire::https::CaInfo "/etc/apt/mirror-certificates.crt";' >>"$folder/etc/apt/apt.conf.d/99mirror"
  fi
}

# fresh_enter SCRIPT [ARGUMENT…]: runs SCRIPT again, in its own mount and process namespaces and with VEDETTE_FRESH naming
# an empty folder, and exits with its status. Everything mounted or started in there ends with it, before the folder is removed.
fresh_enter() {
  local folder child status=0
  [ "$(id -u)" = 0 ] || fail "needs root, to make a separate system"
  deploy/dependencies fresh
  mkdir -p "$ROOT/build"
  # Not in /tmp, which may be small and in memory.
  folder=$(mktemp -d "$ROOT/build/fresh.XXXXXX")
  chmod 755 "$folder"
  if ! unshare --mount --pid --fork --mount-proc true 2>"$folder/log"; then
    cat "$folder/log" >&2
    rm -rf --one-file-system "$folder"
    fail "mount namespaces cannot be created here"
  fi
  VEDETTE_FRESH=$folder unshare --mount --pid --fork --kill-child --mount-proc "$@" &
  child=$!
  # unshare ignores other signals; the processes that it started end with it.
  # shellcheck disable=SC2064  # this child
  trap "kill -KILL $child 2>/dev/null || true" INT TERM HUP
  while kill -0 "$child" 2>/dev/null; do
    status=0
    wait "$child" || status=$?
  done
  trap - INT TERM HUP
  if awk -v below="$folder/" 'index($5, below) == 1 { found = 1 } END { exit !found }' /proc/self/mountinfo; then
    say "$folder is left: something is mounted in it"
  else
    rm -rf --one-file-system "$folder"
  fi
  exit "$status"
}

# The rest is for scripts that fresh_enter runs. FRESH_ROOT is the system's folder, FRESH_ENVIRONMENT the environment of its programs.
FRESH_ROOT='' FRESH_ENVIRONMENT=()

# fresh_open RELEASE [MIRROR]: a minimal Debian with this checkout's HEAD in it, at the same path, so that a compiler cache
# from here hits there.
fresh_open() {
  local release=$1 mirror=${2:-} sources log=$VEDETTE_FRESH/mmdebstrap.log
  FRESH_ROOT=$VEDETTE_FRESH/root
  sources=$(fresh_sources "$release" "$mirror")
  [ -n "$sources" ] || fail "this machine's apt has no Debian mirror in its sources; name one: --mirror URL"
  say "fresh: Debian ${NUMBER_OF[$release]} ($release), with nothing but apt"
  fresh_make "$release" "$FRESH_ROOT" "$sources" "$log" || { tail -n 20 "$log" >&2; fail "Debian ${NUMBER_OF[$release]} could not be made; see mmdebstrap's output above"; }
  # Programs that make namespaces want / to be a mount point.
  mount --bind "$FRESH_ROOT" "$FRESH_ROOT"
  mount -t proc proc "$FRESH_ROOT/proc"
  mount -t sysfs sysfs "$FRESH_ROOT/sys"
  mkdir -p "$FRESH_ROOT/dev/shm" "$FRESH_ROOT/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$FRESH_ROOT/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$FRESH_ROOT/dev/pts"

  local name
  FRESH_ENVIRONMENT=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "TERM=${TERM:-dumb}" "VEDETTE_BEGAN=$VEDETTE_BEGAN")
  for name in http_proxy https_proxy no_proxy NO_COLOR; do [ -z "${!name:-}" ] || FRESH_ENVIRONMENT+=("$name=${!name}"); done
  fresh_compiler_cache
  fresh_clone
}

# The caller's compiler cache, with the caller's settings.
fresh_compiler_cache() {
  local cache=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ccache} setting value
  if command -v ccache >/dev/null; then
    cache=$(ccache -k cache_dir)
    for setting in base_dir max_size sloppiness compiler_check; do
      value=$(ccache -k "$setting")
      [ -z "$value" ] || FRESH_ENVIRONMENT+=("CCACHE_$(tr -d _ <<<"${setting^^}")=$value")
    done
    [ "$(ccache -k hash_dir)" = true ] || FRESH_ENVIRONMENT+=(CCACHE_NOHASHDIR=1)
  fi
  mkdir -p "$cache" "$FRESH_ROOT/var/cache/ccache"
  mount --bind "$cache" "$FRESH_ROOT/var/cache/ccache"
  FRESH_ENVIRONMENT+=(CCACHE_DIR=/var/cache/ccache)
}

fresh_clone() {
  [ -z "$(git -C "$ROOT" status --porcelain)" ] || say "fresh: uncommitted changes are not included"
  mkdir -p "$FRESH_ROOT$ROOT"
  git clone --quiet --no-hardlinks "$ROOT" "$FRESH_ROOT$ROOT" 2>"$VEDETTE_FRESH/clone.log" || { cat "$VEDETTE_FRESH/clone.log" >&2; fail "git could not clone $ROOT"; }
  git -C "$FRESH_ROOT$ROOT" checkout --quiet "$(git -C "$ROOT" rev-parse HEAD)"
  say "fresh: $(git -C "$ROOT" log -1 --format='%h, %s')"
}

# fresh_run COMMAND…: runs it in the checkout, as a user who logs in there.
fresh_run() {
  # shellcheck disable=SC2016  # the inner shell's
  env -i "${FRESH_ENVIRONMENT[@]}" chroot "$FRESH_ROOT" ${FRESH_USER:+runuser -u "$FRESH_USER" --} /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$ROOT" "$@" </dev/null
}
