#!/usr/bin/env bash
# A beacon over DTLS 1.2: the hello comes twice, the second time with the cookie and in fragments of a small MTU.
# The certificate and its key are those of 02-beacon-tls12.
LAB_TOOLS="ip ethtool tcpdump openssl python3"
. "$(dirname "$0")/lab.sh"
lab_open 12-beacon-dtls.pcap 2026-11-23T11:50:00Z
lab_near 10.77.1.44=193.0.2.44
lab_far 10.77.2.66=200.3.14.66
lab_serve s_server openssl s_server -dtls1_2 -listen -accept 10.77.2.66:4433 -cert "$LAB_MAKE/tls/beacon.pem" \
  -key "$LAB_MAKE/tls/beacon.key" -quiet
sleep 0.5
lab_record

{ sleep 1; printf 'beat\n'; sleep 0.5; } |
  near timeout 10 openssl s_client -dtls1_2 -mtu 256 -connect 10.77.2.66:4433 -bind 10.77.1.44:40044 \
    -servername telemetry.winsvc-sync.test -cipher 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384' \
    -groups P-256 -alpn 'winsvc-sync/telemetry/beat/1.0,winsvc-sync/telemetry/beat/1.1,winsvc-sync/telemetry/beat/1.2' \
      -quiet >"$LAB_DIR/client.log" 2>&1 || true
grep -q 'CN = telemetry' "$LAB_DIR/client.log" || lab_fail "no certificate was seen: $(cat "$LAB_DIR/client.log")"
lab_close
