#!/usr/bin/env bash
# A large answer over UDP (EDNS, 4096 bytes) on a path with a small MTU: it arrives in IP fragments, and the listed
# addresses are not all in the first one.
. "$(dirname "$0")/lab.sh"
lab_open 07-dns-fragments.pcap 2026-11-23T10:00:00Z
lab_near 10.77.1.71=94.45.226.71
lab_far 10.77.2.53=94.45.224.53
{
  for n in $(seq 11 100); do echo "pool.dga-rendezvous.example. IN A 84.205.70.$n"; done
} | lab_named 10.77.2.53
ip -n "$LAB_FAR" link set far mtu 576
lab_record

near dig -b 10.77.1.71 @10.77.2.53 pool.dga-rendezvous.example A +bufsize=4096 +ignore +short >"$LAB_DIR/answers"
[ "$(wc -l <"$LAB_DIR/answers")" = 90 ] || lab_fail "the answer did not arrive whole"
lab_close
