#!/usr/bin/python3
"""values.py VEDETTE

Values are those of the request's target; what is complete before a cut is a value; a protocol is found behind a preamble in
its segment; tunnels and unknown types leave a figure. Captures are made here, and read with one worker and with three.
"""
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from packets import (CLIENT, SERVER, Connection, authentication, capture, certificates, client_hello, dns_query, ethernet,
                     handshake, ipv4, ipv6, record, server_hello, tcp, udp)

vedette = pathlib.Path(sys.argv[1]).resolve()
failures = []


def observed(frames, what, kinds, link_type=1):
    """The lines of those kinds that `observe` prints, and the summary; the same for any number of workers."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "made.pcap"
        path.write_bytes(capture(frames, link_type))
        seen = []
        for workers in ("1", "3"):
            result = subprocess.run([vedette, "observe", "--workers", workers, path], capture_output=True, text=True,
                                    timeout=60, check=False)
            if result.returncode != 0:
                sys.exit(f"{what}: status {result.returncode}\n{result.stderr}")
            seen.append({line for line in result.stdout.splitlines() if line.split("\t")[0] in kinds})
        if seen[0] != seen[1]:
            failures.append(f"{what}: one worker saw {sorted(seen[0])}, three saw {sorted(seen[1])}")
        return seen[0], result.stderr


def expect(what, frames, right, kinds=None):
    right = {f"{kind}\t{value}" for kind, value in right}
    seen, _ = observed(frames, what, kinds or {line.split("\t")[0] for line in right})
    if seen != right:
        failures.append(f"{what}: not seen {sorted(right - seen)}, wrong {sorted(seen - right)}")


def http(head, port=80, **ends):
    return Connection(port, **ends).up(head.encode()).down(b"HTTP/1.1 204 x\r\n\r\n").frames


def targets():
    kinds = {"http.host", "http.host_field", "http.uri", "http.url"}
    expect("an absolute target beats Host", http("GET http://evil.example:8080/a?b HTTP/1.1\r\nHost: good.example\r\n\r\n", 3128),
           [("http.host", "evil.example"), ("http.host_field", "good.example"), ("http.uri", "/a?b"),
            ("http.url", "http://evil.example:8080/a?b")], kinds)
    expect("an absolute target without a path", http("GET HTTP://Evil.example?x HTTP/1.1\r\nHost: EVIL.example.:80\r\n\r\n"),
           [("http.host", "evil.example"), ("http.uri", "/?x"), ("http.url", "http://evil.example/?x")], kinds)
    expect("CONNECT beats Host", http("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: good.example:443\r\n\r\n", 3128),
           [("http.host", "2001:db8::1"), ("http.host_field", "good.example"), ("http.uri", "[2001:db8::1]:443")], kinds)
    expect("Host of a path", http("GET /a HTTP/1.1\r\nHost: h.example\r\n\r\n"),
           [("http.host", "h.example"), ("http.uri", "/a"), ("http.url", "http://h.example/a")], kinds)
    for head in ("GET /x.sh HTTP/1.0\r\n\r\n", "GET /x.sh HTTP/1.1\r\nHost:\r\n\r\n", "GET /x.sh HTTP/1.1\r\nHost: :80\r\n\r\n",
                 "GET /x.sh\r\n"):
        expect(f"no host: {head!r}", http(head), [("http.uri", "/x.sh"), ("http.url", f"http://{SERVER}/x.sh")], kinds)
    expect("no host, another port", http("GET /x HTTP/1.0\r\n\r\n", 8080),
           [("http.uri", "/x"), ("http.url", f"http://{SERVER}:8080/x")], kinds)
    six = lambda payload, source, destination: ipv6(payload, source, destination)
    frames = [frame[:12] + b"\x86\xdd" + frame[14:] for frame in http("GET /x HTTP/1.0\r\n\r\n", 8080, client="2400::1",
                                                                       server="2400::9", wrap=six)]
    expect("no host, IPv6", frames, [("http.uri", "/x"), ("http.url", "http://[2400::9]:8080/x")], kinds)
    expect("a head that is cut says nothing of its host", Connection().up(b"GET /x HTTP/1.0\r\nAccept: a").frames,
           [("http.uri", "/x")], kinds)


def forwarded():
    cases = {
        "X-Forwarded-For: 20.1.2.3": ["20.1.2.3"],
        "X-Forwarded-For: 20.1.2.3:4711, [2400::1]:80, ::ffff:20.1.2.4,2400::2": ["20.1.2.3", "2400::1", "20.1.2.4", "2400::2"],
        "True-Client-IP: 20.1.2.3": ["20.1.2.3"],
        "CF-Connecting-IP: 2400::1": ["2400::1"],
        "X-Real-IP: 20.1.2.3": ["20.1.2.3"],
        "Forwarded: for=20.1.2.3;proto=http;by=203.0.113.43": ["20.1.2.3"],
        'forwarded: FOR="[2400:db8:cafe::17]:4711"': ["2400:db8:cafe::17"],
        'Forwarded: for=unknown, for=_hidden;by=20.9.9.9, for="_x:80", for="unknown:90"': [],
        'Forwarded: by="a,b;for=20.9.9.9";for="20.1.2.3:_port", host=h; for = 20.1.2.4 , for="[2400::3]"':
            ["20.1.2.3", "20.1.2.4", "2400::3"],
        'Forwarded: for="20.1.2.3': ["20.1.2.3"],
    }
    for field, values in cases.items():
        expect(field, http(f"GET / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n"), [("http.xff", value) for value in values],
               {"http.xff"})


def cut_messages():
    kinds = {"tls.sni", "tls.ja3", "tls.ja4", "tls.cert.sha1"}
    hello = client_hello("cut.example", 1200)
    name_end = hello.index(b"cut.example") + len("cut.example")
    for cut in range(6, len(hello), 1 if len(hello) < 200 else 13):
        right = [("tls.sni", "cut.example")] if cut >= name_end else []
        expect(f"second segment lost, {cut} bytes", Connection(443).up(hello[:cut]).up(hello[cut:], lost=True)
               .down(server_hello()).up(record(b"x" * 40, 23)).frames, right, kinds)
    for cut in (name_end - 1, name_end, name_end + 300):
        right = [("tls.sni", "cut.example")] if cut >= name_end else []
        expect(f"snap length, {cut} bytes", Connection(443).up(hello, captured=cut).down(server_hello()).frames, right, kinds)
        expect(f"capture ends, {cut} bytes", Connection(443).up(hello[:cut]).frames, right, kinds)
    ders = [b"\x30\x82" + struct.pack("!H", 900) + bytes([65 + number]) * 900 for number in range(3)]
    chain = certificates(ders)
    for cut in range(100, len(chain), 97):
        whole = max(0, cut - 12) // (3 + len(ders[0]))
        right = [("tls.cert.sha1", hashlib.sha1(der).hexdigest()) for der in ders[:whole]]
        for name, frames in (
                ("lost", Connection(443).down(server_hello()).down(chain[:cut]).down(chain[cut:], lost=True).down(record(b"y" * 40, 23))),
                ("snap length", Connection(443).down(server_hello()).down(chain, captured=cut))):
            expect(f"chain, {name}, {cut} bytes", frames.frames, right, {"tls.cert.sha1"})


def fragments(packet_payload, protocol, sizes, source=CLIENT, destination=SERVER, identification=77):
    out, offset = [], 0
    for size in sizes:
        part = packet_payload[offset:offset + size]
        out.append(ethernet(ipv4(part, source, destination, protocol, identification, offset,
                                 more=offset + len(part) < len(packet_payload))))
        offset += len(part)
    return out


def first_fragments():
    query = udp(dns_query("first.example") + b"\0" * 1000)
    parts = fragments(query, 17, [512, 512, 512])
    hello = tcp(client_hello("first.example", 1200), destination_port=443, sequence=1001)
    halves = fragments(hello, 6, [800, 800])
    expect("DNS, the first of three", parts[:1], [("dns.query", "first.example")])
    expect("DNS, all but the middle", [parts[2], parts[0]], [("dns.query", "first.example")])
    expect("DNS, without the first", parts[1:], [], {"dns.query"})
    expect("DNS, all", parts, [("dns.query", "first.example")])
    expect("TLS, the first of two", Connection(443).frames + halves[:1], [("tls.sni", "first.example")], {"tls.sni", "tls.ja3"})
    other = fragments(udp(dns_query("later.example") + b"\0" * 1000), 17, [512, 512, 512])
    expect("an identification used again after a minute", [(parts[0], 9999, 0)] + [(part, 9999, 60) for part in other],
           [("dns.query", "first.example"), ("dns.query", "later.example")])


def authentication_headers():
    request = b"GET /ah HTTP/1.1\r\nHost: ah.example\r\n\r\n"

    def wrap(payload, source, destination):
        return ipv4(authentication(6, payload), source, destination, 51)

    expect("AH in IPv4", Connection(wrap=wrap).up(request).frames, [("http.host", "ah.example")])
    expect("AH twice", Connection(wrap=lambda payload, source, destination: ipv4(
        authentication(51, authentication(6, payload)), source, destination, 51)).up(request).frames,
           [("http.host", "ah.example")])
    whole = authentication(17, udp(dns_query("ah.example") + b"\0" * 1000))
    parts = fragments(whole, 51, [512, 512, 512])
    expect("AH in fragments", parts, [("dns.query", "ah.example")])
    expect("AH, the first fragment alone", parts[:1], [("dns.query", "ah.example")])


LDAP_REQUEST = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
LDAP_ANSWER = bytes.fromhex("300c02010178070a010004000400")
SOCKS5_ANSWER = bytes.fromhex("05000001000000000000")
PREAMBLES = {
    "PROXY v1": (b"PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n", b""),
    "PROXY v2": (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + b"\1" * 12, b""),
    "PROXY v2, 400 bytes of TLVs": (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", 412) + b"\1" * 412, b""),
    "SOCKS4": (bytes.fromhex("040101bb14010203") + b"me\0", bytes.fromhex("005a01bb14010203")),
    "SOCKS4a": (bytes.fromhex("040101bb00000001") + b"me\0evil.example\0", bytes.fromhex("005a01bb00000000")),
    "SOCKS5": (bytes.fromhex("050100") + bytes.fromhex("050100011401020301bb"), b"\5\0" + SOCKS5_ANSWER),
    "SOCKS5, a password": (bytes.fromhex("05020002") + b"\1\2me\3pwd" + b"\5\1\0\3\x0cevil.example\1\xbb",
                           b"\5\2\1\0" + SOCKS5_ANSWER),
    "PROXY v1, then SOCKS5": (b"PROXY UNKNOWN\r\n" + bytes.fromhex("050100050100011401020301bb"), b"\5\0" + SOCKS5_ANSWER),
}
TLS_PREAMBLES = {
    "SMTP": (b"EHLO me\r\nSTARTTLS\r\n", b"220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 2.0.0 Ready\r\n"),
    "IMAP": (b"a1 STARTTLS\r\n", b"* OK ready\r\na1 OK begin\r\n"),
    "POP3": (b"STLS\r\n", b"+OK\r\n+OK begin\r\n"),
    "FTP": (b"AUTH TLS\r\n", b"220 ftp\r\n234 go on\r\n"),
    "NNTP": (b"STARTTLS\r\n", b"382 go on\r\n"),
    "LDAP": (LDAP_REQUEST, LDAP_ANSWER),
    "XMPP": (b"<?xml version='1.0'?><stream:stream to='x'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
             b"<stream:stream><stream:features/><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    "PostgreSQL": (bytes.fromhex("0000000804d2162f"), b"S"),
    "MySQL": (bytes.fromhex("20000001008a0000") + b"\0" * 28, b""),
    "RDP": (bytes.fromhex("030000130ee000000000000100080003000000"), bytes.fromhex("030000130ed000001234000200080001000000")),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n"),
    "CONNECT behind PROXY": (b"PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\nCONNECT evil.example:443 HTTP/1.1\r\n\r\n",
                             b"HTTP/1.1 200 Connection established\r\n\r\n"),
    "CONNECT refused before": (b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n"),
}


def preambles():
    der = b"\x30\x82" + struct.pack("!H", 300) + b"A" * 300
    sha1 = hashlib.sha1(der).hexdigest()
    hello, answer = client_hello("behind.example"), server_hello() + certificates([der])
    kinds = {"tls.sni", "tls.cert.sha1"}
    right = [("tls.sni", "behind.example"), ("tls.cert.sha1", sha1)]
    for name, (up, down) in {**PREAMBLES, **TLS_PREAMBLES}.items():
        begin = Connection(4433)
        if name == "CONNECT refused before":
            begin.up(up).down(b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n")
        expect(f"{name}, TLS in one segment", begin.up(up + hello).down(down + answer).frames, right, kinds)
        if name in ("CONNECT refused before",):
            continue
        if down:
            expect(f"{name}, TLS, the answer alone", Connection(4433).up(up + hello).down(down).down(answer).frames, right, kinds)
        for cut in (1, 3, len(up) // 2, len(up), len(up) + 3):
            whole = up + hello
            if len(up) < 200:
                expect(f"{name}, TLS, cut after {cut} bytes", Connection(4433).up(whole[:cut]).up(whole[cut:]).down(down + answer).frames,
                       right, kinds)
    for name, (up, down) in PREAMBLES.items():
        request = b"GET /behind HTTP/1.1\r\nHost: behind.example\r\n\r\n"
        expect(f"{name}, HTTP", Connection(4433).up(up + request).down(down + b"HTTP/1.1 204 x\r\n\r\n").frames,
               [("http.host", "behind.example"), ("http.uri", "/behind")])


def tunnel_captures():
    inner_ip = ipv4(udp(dns_query("inner.example")), "10.0.0.1", "10.0.0.2", 17)
    inner = ethernet(inner_ip)
    six = ipv6(udp(b"x" * 20), "2001:0:1:2::3", "2400::1", 17)
    yield "vxlan", bytes.fromhex("0800000000007b00") + inner
    yield "geneve", bytes.fromhex("0000655800007b00") + inner
    yield "geneve", bytes.fromhex("0100080000007b0001020304") + inner_ip
    yield "gtp_u", struct.pack("!BBHI", 0x30, 255, len(inner_ip), 7) + inner_ip
    yield "gtp_u", struct.pack("!BBHI", 0x34, 255, len(inner_ip) + 8, 7) + bytes.fromhex("0000008501000000") + inner_ip
    yield "teredo", six
    yield "teredo", bytes.fromhex("0000ea61aabbccdd") + six
    yield "l2tp", bytes.fromhex("000200010002ff030021") + inner_ip
    yield "l2tp", struct.pack("!HHHHHH", 0xc802, 12, 1, 0, 0, 0)
    yield "gre", bytes.fromhex("00000800") + inner_ip
    yield "mpls", bytes.fromhex("000641ff") + inner_ip
    yield "tzsp", bytes.fromhex("0100000101") + inner
    yield "ip_in_udp", inner_ip
    yield "wireguard", b"\1\0\0\0" + b"\x5a" * 144


def lines_of(text):
    return {" ".join(line.split()) for line in text.splitlines()}


def figures():
    for name, payload in tunnel_captures():
        _, said = observed([ethernet(ipv4(udp(payload, 40000, 40001), protocol=17))] * 3, name, {"dns.query"})
        if f"not looked into: {name} 1" not in lines_of(said) or "UDP, protocol not known" in said:
            failures.append(f"no figure of {name}:\n{said}")
    for name, protocol in (("gre", 47), ("ip_in_ip", 4), ("ip_in_ip", 41), ("esp", 50), ("etherip", 97)):
        _, said = observed([ethernet(ipv4(b"x" * 60, protocol=protocol))], name, {"ip"})
        if f"not looked into: {name} 1" not in lines_of(said):
            failures.append(f"no figure of IP protocol {protocol}:\n{said}")
    _, said = observed([ethernet(ipv4(udp(b"nobody knows this", 40000, 40001), protocol=17))] * 3, "unknown UDP", {"ip"})
    if "UDP, protocol not known 1" not in lines_of(said):
        failures.append(f"no figure of an unknown UDP protocol:\n{said}")
    _, said = observed([ethernet(ipv4(udp(dns_query("a.example")), protocol=17))], "DNS", {"dns.query"})
    if "not known" in said or "not looked into" in said:
        failures.append(f"a figure too many of DNS:\n{said}")
    frames = [ethernet(b"\0" * 46, 0x0806)] * 2 + [ethernet(b"\0" * 46, 0x8864)] + [ethernet(b"\x42\x42\3" + b"\0" * 43, 46)]
    frames += [ethernet(b"\0" * 46, 0x9900 + number) for number in range(30)]
    _, said = observed(frames, "types", set())
    for line in ("ether type arp 2", "ether type pppoe 1", "ether type llc_0x42 1", "ether type 0x9900 1", "ether type others 9"):
        if line not in lines_of(said):
            failures.append(f"no line {line!r}:\n{said}")
    _, said = observed([b"\0" * 60], "link type", set(), link_type=129)
    if "link type 129 1" not in lines_of(said):
        failures.append(f"no figure of the link type:\n{said}")


def alerts():
    """What the target names is what an indicator hits, and says who is who."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "made.pcap"
        path.write_bytes(capture(http("GET http://evil.example/a HTTP/1.1\r\nHost: cover.example\r\n"
                                      "Forwarded: for=\"[2400::5]:80\"\r\n\r\n", 3128)))
        out = subprocess.run([vedette, "replay", "--quiet", "--no-geo", "--match", "evil.example", "--match", "cover.example",
                              "--match", "2400::5", path], capture_output=True, text=True, timeout=60, check=True).stdout
        found = {(alert["indicator"]["matched_in"], alert["roles"]["rule"], alert["http"].get("url"))
                 for alert in map(json.loads, out.splitlines())}
        url = "http://evil.example/a"
        right = {("http.host", "request-through-proxy", url), ("http.host_field", "request-through-proxy", url),
                 ("http.xff", "address-behind-proxy", url)}
        if found != right:
            failures.append(f"alerts: {sorted(found)} instead of {sorted(right)}")


for case in (targets, forwarded, cut_messages, first_fragments, authentication_headers, preambles, figures, alerts):
    case()
if failures:
    sys.exit("\n".join(failures[:40]))
print("all values as they should be")
