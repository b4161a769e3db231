#!/usr/bin/env bash
# Somebody tries names and passwords over SSH, with a narrow choice of algorithms as scanners show it.
# The host key is in ssh/, so that its hash outlives a new capture; it serves nothing else.
LAB_TOOLS="ip ethtool tcpdump sshd ssh python3"
. "$(dirname "$0")/lab.sh"
lab_open 11-ssh-login.pcap 2026-11-23T11:40:00Z
lab_near 10.77.1.52=193.0.2.52
lab_far 10.77.2.22=200.3.14.22
install -m 600 "$LAB_MAKE/ssh/host" "$LAB_DIR/host"
mkdir -p /run/sshd
lab_serve sshd "$(command -v sshd)" -D -e -f /dev/null -h "$LAB_DIR/host" -o Port=2222 -o ListenAddress=10.77.2.22 \
  -o PidFile=none -o UsePAM=no
lab_wait_tcp 10.77.2.22 2222
lab_record

for name in admin oracle; do
  near timeout 10 ssh -F none -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
    -o PreferredAuthentications=none -o KexAlgorithms=ecdh-sha2-nistp256,diffie-hellman-group14-sha256 \
    -o Ciphers=aes128-ctr,aes256-ctr -o MACs=hmac-sha2-256 "$name@10.77.2.22" true >"$LAB_DIR/client.log" 2>&1 || true
  grep -q 'Permission denied' "$LAB_DIR/client.log" || lab_fail "$name was not refused: $(cat "$LAB_DIR/client.log")"
done
lab_close
