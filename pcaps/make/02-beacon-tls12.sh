#!/usr/bin/env bash
# A beacon over TLS 1.2: every minute the same client hello to a server with a self-signed certificate.
# The certificate and its key stand in tls/, so that the listed SHA-1 outlives a new capture; they serve nothing else.
. "$(dirname "$0")/lab.sh"
lab_open 02-beacon-tls12.pcap 2026-11-23T09:10:00Z
LAB_REWRITE=(--pause 0.9 60)
lab_near 10.77.1.44=193.0.2.44
lab_far 10.77.2.66=200.3.14.66
lab_serve s_server openssl s_server -accept 10.77.2.66:8443 -cert "$LAB_MAKE/tls/beacon.pem" -key "$LAB_MAKE/tls/beacon.key" \
  -tls1_2 -no_ticket -quiet -HTTP
lab_wait_tcp 10.77.2.66 8443
lab_record

for beat in 1 2 3; do
  [ "$beat" = 1 ] || sleep 1
  # A narrow, old choice of suites and curves, as malware with a TLS library of its own shows it.
  { printf 'GET /beat/%s HTTP/1.0\r\n\r\n' "$beat"; sleep 0.3; } |
    near timeout 10 openssl s_client -connect 10.77.2.66:8443 -bind 10.77.1.44 -servername telemetry.winsvc-sync.test -tls1_2 \
      -cipher 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:AES128-SHA' -groups P-256 -sigalgs ECDSA+SHA256 -quiet \
      >"$LAB_DIR/client.log" 2>&1 || true
  grep -q 'CN = telemetry' "$LAB_DIR/client.log" || lab_fail "beat $beat saw no certificate"
done
lab_close
