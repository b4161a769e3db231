#!/usr/bin/env bash
# One connection, many requests: pipelined; then a chunked, compressed answer and a chunked upload before the request
# that is listed. Who loses count in between misses it.
. "$(dirname "$0")/lab.sh"
lab_open 09-http-pipelined.pcap 2026-11-23T10:20:00Z
lab_near 10.77.1.84=94.45.226.84
lab_far 10.77.2.84=203.119.0.84
lab_nginx <<'SERVERS'
server {
  listen 10.77.2.84:80; gzip on; gzip_min_length 1; gzip_types text/plain;
  types { text/plain txt; text/html html; }
  location /panel/ { return 200 "ok\n"; }
}
SERVERS
for page in index.html style.txt news.html; do seq -f "$page line %03g" 80 >"$LAB_DIR/www/$page"; done
lab_wait_tcp 10.77.2.84 80
lab_record

request() { printf 'GET %s HTTP/1.1\r\nHost: news.weekly-digest.example\r\nUser-Agent: Digest/2.0\r\n%s\r\n' "$1" "${2:-}"; }
{ request /index.html; request /style.txt; request '/panel/gate.php?bot=7f3a&cmd=poll'; request /news.html $'Connection: close\r\n'; sleep 0.5; } |
  near timeout 10 nc -N -s 10.77.1.84 10.77.2.84 80 >"$LAB_DIR/pipelined"
[ "$(grep -ac '^HTTP/1.1 200' "$LAB_DIR/pipelined")" = 4 ] || lab_fail "four answers were expected"
seq -f 'upload line %03g' 60 >"$LAB_DIR/upload"
host='news.weekly-digest.example'
near curl -sS --max-time 10 --resolve "$host:80:10.77.2.84" -A Digest/2.0 \
  -H 'Accept-Encoding: gzip' -o /dev/null "http://$host/news.html" --next \
  -sS --max-time 10 --resolve "$host:80:10.77.2.84" -A Digest/2.0 \
  -H 'Transfer-Encoding: chunked' -H 'Expect:' -T "$LAB_DIR/upload" -X POST -o /dev/null "http://$host/panel/upload.php" --next \
  -sS --max-time 10 --resolve "$host:80:10.77.2.84" -A Digest/2.0 \
  -o /dev/null "http://$host/panel/gate.php?bot=7f3a&cmd=done"
lab_close
