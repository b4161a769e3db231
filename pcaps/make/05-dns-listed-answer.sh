#!/usr/bin/env bash
# A name nobody listed leads over two CNAMEs to a listed address: asked over UDP, then over TCP, then visited.
. "$(dirname "$0")/lab.sh"
lab_open 05-dns-listed-answer.pcap 2026-11-23T09:40:00Z
lab_near 10.77.1.58=193.0.2.58
lab_far 10.77.2.53=193.0.0.53 10.77.2.46=199.212.0.46
lab_named 10.77.2.53 <<'RECORDS'
www.parcel-tracking.example. IN CNAME edge7.parcel-cdn.invalid.
edge7.parcel-cdn.invalid. IN CNAME node3.fastflux.test.
node3.fastflux.test. 60 IN A 199.212.0.46
node3.fastflux.test. 60 IN A 199.212.0.47
RECORDS
lab_nginx <<'SERVERS'
server { listen 10.77.2.46:8080; }
SERVERS
echo '<!DOCTYPE html><title>Parcel</title><p>Your parcel is on its way.' >"$LAB_DIR/www/index.html"
lab_wait_tcp 10.77.2.46 8080
lab_record

near dig -b 10.77.1.58 @10.77.2.53 www.parcel-tracking.example A +short >/dev/null
near dig -b 10.77.1.58 @10.77.2.53 www.parcel-tracking.example A +tcp +short >/dev/null
near curl -sS --max-time 10 -o /dev/null --resolve www.parcel-tracking.example:8080:10.77.2.46 http://www.parcel-tracking.example:8080/
lab_close
