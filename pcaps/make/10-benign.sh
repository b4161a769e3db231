#!/usr/bin/env bash
# Nothing of this may raise an alert: names, paths, ports and fingerprints that only resemble what is listed.
. "$(dirname "$0")/lab.sh"
lab_open 10-benign.pcap 2026-11-23T10:30:00Z
lab_near 10.77.1.20=94.45.226.20
lab_far 10.77.2.53=94.45.224.53 10.77.2.81=202.12.29.81 10.77.2.66=200.3.14.66
lab_named 10.77.2.53 <<'RECORDS'
notsoftupdate-mirror.example. IN A 202.12.29.81
softupdate-mirror.example.test. IN A 202.12.29.81
www.telemetry.winsvc-sync.test. IN CNAME telemetry2.winsvc-sync.test.
telemetry2.winsvc-sync.test. IN A 200.3.14.66
RECORDS
lab_certificate "$LAB_DIR/server" telemetry2.winsvc-sync.test
lab_nginx <<SERVERS
server { listen 10.77.2.81:80; }
server { listen 10.77.2.66:443 ssl; ssl_certificate $LAB_DIR/server.pem; ssl_certificate_key $LAB_DIR/server.key; ssl_protocols TLSv1.2 TLSv1.3; }
SERVERS
mkdir -p "$LAB_DIR/www/dl"
echo 'release notes' | tee "$LAB_DIR/www/dl/stage2.exe.txt" >"$LAB_DIR/www/index.html"
lab_wait_tcp 10.77.2.81 80
lab_wait_tcp 10.77.2.66 443
lab_record

ask() { near dig -b 10.77.1.20 @10.77.2.53 "$@" +short >/dev/null; }
fetch() { near curl -sS --max-time 10 -o /dev/null "$@"; }
ask notsoftupdate-mirror.example A
ask softupdate-mirror.example.test A +tcp
ask www.telemetry.winsvc-sync.test A
ask absent.example AAAA
fetch -A 'WinHelper/1.30 (compatible; MSIE 6.0; updater)' --resolve notsoftupdate-mirror.example:80:10.77.2.81 http://notsoftupdate-mirror.example/
fetch --resolve softupdate-mirror.example.test:80:10.77.2.81 'http://softupdate-mirror.example.test/dl/stage2.exe.txt?from=BOTNET-HEL'
fetch -k --tls-max 1.2 --resolve telemetry2.winsvc-sync.test:443:10.77.2.66 https://telemetry2.winsvc-sync.test/
fetch -k --tlsv1.3 --resolve telemetry2.winsvc-sync.test:443:10.77.2.66 https://telemetry2.winsvc-sync.test/
lab_close
