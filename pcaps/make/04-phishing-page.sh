#!/usr/bin/env bash
# A phishing page: the victim opens a log-in page and sends the form.
. "$(dirname "$0")/lab.sh"
lab_open 04-phishing-page.pcap 2026-11-23T09:30:00Z
lab_near 10.77.1.31=94.45.226.31
lab_far 10.77.2.53=94.45.224.53 10.77.2.25=196.1.0.25
lab_named 10.77.2.53 <<'RECORDS'
webmail-verify.test. IN A 196.1.0.25
RECORDS
lab_nginx <<'SERVERS'
server {
  listen 10.77.2.25:80; server_name webmail-verify.test;
  location = /owa/auth/logon.php { if ($request_method = POST) { return 302 http://$host/owa/auth/thanks.html; } try_files /logon.html =404; }
  location = /owa/auth/thanks.html { try_files /thanks.html =404; }
}
SERVERS
cat >"$LAB_DIR/www/logon.html" <<'PAGE'
<!DOCTYPE html><title>Webmail</title><h1>Your mailbox is full</h1>
<form method="post"><input name="user"><input name="password" type="password"><button>Verify</button></form>
PAGE
echo '<!DOCTYPE html><title>Webmail</title><p>Thank you.' >"$LAB_DIR/www/thanks.html"
lab_wait_tcp 10.77.2.25 80
lab_record

browser() {
  near curl -sS --max-time 10 -o /dev/null -A 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' \
    --resolve webmail-verify.test:80:10.77.2.25 "$@"
}
near dig -b 10.77.1.31 @10.77.2.53 webmail-verify.test A +short >/dev/null
browser 'http://webmail-verify.test/owa/auth/logon.php?session=8f1c&verify=1'
browser -L -d 'user=alice%40agency.example&password=not-a-password' 'http://webmail-verify.test/owa/auth/logon.php?session=8f1c&verify=1'
lab_close
