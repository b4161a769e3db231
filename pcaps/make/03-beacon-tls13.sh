#!/usr/bin/env bash
# The same trade over TLS 1.3: the certificate is encrypted, the client hello is not (SNI, JA3, JA4). Written as pcapng.
. "$(dirname "$0")/lab.sh"
lab_open 03-beacon-tls13.pcapng 2026-11-23T09:20:00Z
lab_near 10.77.1.23=94.45.226.23
lab_far 10.77.2.91=203.178.141.91
lab_certificate "$LAB_DIR/server" cdn.assets-delivery.invalid
lab_serve s_server openssl s_server -accept 10.77.2.91:443 -cert "$LAB_DIR/server.pem" -key "$LAB_DIR/server.key" \
  -tls1_3 -quiet -alpn http/1.1 -HTTP
lab_wait_tcp 10.77.2.91 443
lab_record

{ printf 'GET /jquery.min.js HTTP/1.0\r\n\r\n'; sleep 0.3; } |
  near timeout 10 openssl s_client -connect 10.77.2.91:443 -bind 10.77.1.23 -servername cdn.assets-delivery.invalid -tls1_3 \
    -ciphersuites TLS_CHACHA20_POLY1305_SHA256 -groups X25519 -alpn http/1.1 -quiet >"$LAB_DIR/client.log" 2>&1 || true
grep -q 'CN = cdn' "$LAB_DIR/client.log" || lab_fail "no certificate was seen"
lab_close
