#!/usr/bin/env bash
# A command channel with a protocol of its own: its greeting is cut in the middle by a segment border, in each
# direction, and no parser knows it.
. "$(dirname "$0")/lab.sh"
lab_open 08-c2-payload.pcap 2026-11-23T10:10:00Z
lab_near 10.77.1.61=193.0.2.61
lab_far 10.77.2.99=200.160.0.99
cat >"$LAB_DIR/c2" <<'SERVER'
sleep 0.7; printf 'TASK|sle'; sleep 0.4; printf 'ep|300|\376\355\372\316\r\n'; sleep 0.5
SERVER
# shellcheck disable=SC2016
lab_serve nc sh -c 'sh "$0" | nc -N -l 10.77.2.99 4444' "$LAB_DIR/c2"
lab_wait_tcp 10.77.2.99 4444
lab_record

{ printf 'BOTNET-HE'; sleep 0.3; printf 'LLO v2 id=7f3a os=win10\r\n'; sleep 1.5; } |
  near timeout 10 nc -N -s 10.77.1.61 10.77.2.99 4444 >"$LAB_DIR/got"
grep -qa 'TASK|sleep|300' "$LAB_DIR/got" || lab_fail "the task did not arrive"
lab_close
