# shellcheck shell=bash
# What a live test begins with. Source it with LAB_TOOLS naming the programs that the test needs. Where the test cannot run,
# it ends here with the reason and status 77, which CTest shows as skipped; else pcaps/make/lab.sh is there.
LIVE_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
live_skip() { echo "SKIPPED: a live sensor is NOT tested: $*"; exit 77; }

[ "$(id -u)" = 0 ] || live_skip "it needs root, for network namespaces"
for tool in $LAB_TOOLS; do command -v "$tool" >/dev/null || live_skip "$tool is missing; deploy/dependencies test installs it"; done
# All that a laboratory needs of this machine, tried once; a namespace alone says little: `ip netns add` works in a chroot where no program can
# be run in the namespace, because / is no mount point.
if ! live_probed=$(
  # shellcheck disable=SC2016  # the inner shell's
  LAB_TOOLS="ip ethtool" timeout 30 bash -c '
    . "$1/../../pcaps/make/lab.sh"
    lab_open probe 1970-01-01T00:00:00Z
    near python3 -c "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW).bind((\"near\", 0))" 2>/dev/null ||
      lab_fail "a packet socket cannot be opened"' live-probe "$LIVE_HERE" 2>&1
); then
  live_skip "network namespaces cannot be used here: $(head -n 1 <<<"$live_probed")"
fi
. "$LIVE_HERE/../../pcaps/make/lab.sh"
