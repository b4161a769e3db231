#!/usr/bin/env bash
# IPv6 with an 802.1Q tag, as a mirror port of a trunk shows it (the tag is put on when the file is rewritten). The
# server is addressed by number, so the Host header is an address too.
. "$(dirname "$0")/lab.sh"
lab_open 06-ipv6-vlan.pcap 2026-11-23T09:50:00Z
LAB_REWRITE=(--vlan 120)
lab_near fd77:1::17=2001:67c:20a1:120::17
lab_far fd77:1::9=2001:43f8:110:bad::9
lab_nginx <<'SERVERS'
server { listen [fd77:1::9]:8080; }
SERVERS
mkdir -p "$LAB_DIR/www"
echo 'report accepted' >"$LAB_DIR/www/report.txt"
lab_wait_tcp '[fd77:1::9]' 8080
lab_record

near curl -sS --max-time 10 -o /dev/null -A 'fetch/0.4' -H 'Host: [2001:43f8:110:bad::9]:8080' 'http://[fd77:1::9]:8080/report.txt'
lab_close
