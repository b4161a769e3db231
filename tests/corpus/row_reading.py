"""An independent reading of indicator files: what each row asks to be seen, as probes for row_traffic.py.

Written from docs and RFCs with Python's own modules; shares nothing with the program that it judges. A row whose reading is not
certain here has none: then the program has to report it.
"""
import csv
import ipaddress
import re
import unicodedata
from urllib.parse import quote

UNSEEN = "\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u2060\u3000\ufeff"
SINKS = {"0.0.0.0", "127.0.0.1", "::", "::1"}
OWN = {"localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet",
       "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters"}
NO_ROW = object()   # a blank line, a comment, the machine's own names
UNPROVABLE = object()  # a digest or an expression: no traffic can be made for it
NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+\Z")


def address(text):
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def network(text):
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return found


def of_network(found):
    return [("address", str(found[0])), ("address", str(found[-1])), ("address", str(found[found.num_addresses // 2]))]


def host_name(text):
    """The name as a client sends it, or None."""
    text = unicodedata.normalize("NFKC", text).rstrip(".").lower()
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    if len(text) > 253 or not NAME.match(text) or text.rsplit(".", 1)[1].isdigit():
        return None
    return text


def plain(text):
    """Made-harmless values as what they stand for."""
    text = re.sub(r"^(h(?:tt|xx|xt|tx|00|\[tt\]|\*\*)p|meow)(s?)(?=\[?:)", r"http\2", text, flags=re.I)
    text = re.sub(r"[\[({]\s*(?:\.|dot)\s*[\])}]|\\\.", ".", text, flags=re.I)
    text = re.sub(r"\[:\]", ":", re.sub(r"\[://\]", "://", text))
    text = re.sub(r"\[@\]|[\[(]at[\])]", "@", text, flags=re.I)
    return re.sub(r"\[/\]", "/", text)


def without_dots(path):
    """RFC 3986, section 5.2.4."""
    segments = path.split("/")[1:]
    out = []
    for i, segment in enumerate(segments):
        last = i == len(segments) - 1
        if segment in (".", ".."):
            if segment == ".." and out:
                out.pop()
            if last:
                out.append("")
        else:
            out.append(segment)
    return "/" + "/".join(out)


def of_url(scheme, behind, typed):
    """What a client that is given the URL does."""
    match = re.match(r"(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d*))?(?=[/?#]|\Z)", behind)
    if not match:
        return None
    host, port = match[1], match[2]
    rest = behind[match.end():].split("#")[0]
    if port and not 0 < int(port) < 65536:
        return None
    port = int(port) if port else None
    where = address(host.strip("[]"))
    name = None if where else host_name(host)
    if not where and not name:
        return None
    if rest in ("", "/") and not typed:
        if where:
            return [("port", where, port)] if port else [("address", where), ("http", f"{where}:8080" if ":" not in where else f"[{where}]:8080", "/gate.php", "", 8080)]
        if port is None or port == {"http": 80, "https": 443}.get(scheme):
            return [("dns", name), ("sni", name), ("http", name, "/other", "", 80)]
    if scheme not in ("http", "ftp"):
        return None
    if scheme == "ftp":
        return None
    path, mark, query = rest.partition("?")
    path = quote(path or "/", safe="/%:@!$&'()*+,;=~?[]")
    target = without_dots(re.sub(r"%2[eE]", ".", path)) + mark + quote(query, safe="/%:@!$&'()*+,;=~?[]")
    shown = (f"[{where}]" if where and ":" in where else where or name) + (f":{port}" if port and port != 80 else "")
    return [("http", shown, target, "", port or 80)]


def of_range(first, last):
    first, last = address(first), address(last)
    if not first or not last or (":" in first) != (":" in last):
        return None
    if ipaddress.ip_address(first) > ipaddress.ip_address(last):
        return None
    return [("address", first), ("address", last)]


def of_name(name, below):
    name = host_name(name)
    return [("dns", name), ("sni", "www7." + name if below else name)] if name else None


def of_block_list(text):
    """What resolvers are given to block one name; None: no such line."""
    match = re.match(r"address=/\.?([^/]+)/(?:0\.0\.0\.0|127\.0\.0\.1|::|#|)\Z", text) or re.match(r"(?:server|local)=/\.?([^/]+)/\Z", text)
    match = match or re.match(r'local-zone:\s*"?([^"\s]+)"?\s+(?:refuse|static|deny|redirect|inform_deny|always_\w+)\Z', text)
    if match:
        return of_name(match[1], True)
    match = re.match(r'local-data:\s*"(\S+) (?:A 0\.0\.0\.0|A 127\.0\.0\.1|AAAA ::)"\Z', text)
    match = match or re.match(r"(\S+)(?:\s+\d+)?(?:\s+IN)?\s+CNAME\s+(?:\.|\*\.|rpz-drop\.)\Z", text)
    if not match or "rpz-" in match[1]:
        return None
    return of_name(match[1].removeprefix("*."), match[1].startswith("*."))


def of_list_row(line):
    """Probes of a line; None: not certain; NO_ROW."""
    text = line.strip(" \t\v\f" + UNSEEN)
    if not text or text[0] in "#;":
        return NO_ROW
    if found := of_block_list(text):
        return found
    text = re.sub(r"[ \t][#;].*", "", text).strip(" \t" + UNSEEN)
    # A comment behind "20.1.2.0/24;" and a blank.
    match = re.match(r"([0-9a-fA-F.:]+(?:/[0-9.]+)?|\[[0-9a-fA-F:]+\]:\d+|[\w.-]+)[;#]+[ \t]+(?![\d])(\S+)", text)
    if match and text[match.end(1)] in ";#" and (text[match.end(1)] == "#" or not re.search(r"[.:/]", match[2])):
        text = match[1]
    words = text.split()
    if len(words) > 1:
        sink = words[0] in SINKS or words[0] == "0" and "." in words[1] or (address(words[0]) in SINKS)
        words = re.sub("#.*", "", text).split() if sink else words
        if sink or all(word in OWN for word in words[1:]):
            names = [word for word in words[1:] if word not in OWN and word not in SINKS]
            if not names:
                return NO_ROW
            probes = [("dns", host_name(name)) for name in names]
            return None if any(probe[1] is None for probe in probes) else probes
        if len(words) == 2 and (words[0][-1] in "-–" or words[1][0] in "-–"):
            return of_range(words[0].rstrip("-–"), words[1].lstrip("-–"))
        if len(words) == 2 and address(words[0]):
            if re.fullmatch(r"\d+(\.\d+)?", words[1]):
                return [("address", address(words[0]))]
            if words[1].count(".") == 3 and re.match(r"(255|0)\.", words[1]) and network(words[0] + "/" + words[1]):
                return of_network(network(words[0] + "/" + words[1]))
            return of_range(*words)
        if len(words) == 3 and words[1] in ("-", "–", "to"):
            return of_range(words[0], words[2])
        if len(words) == 2 and re.fullmatch(r"\d+(\.\d+)?", words[1]):
            text = words[0]
        else:
            return None
    return of_value(text)


def of_value(text):
    text = text.strip(" \t" + UNSEEN)
    if ("://" not in text and not text.startswith("/")) or text[:1] in ("'", '"'):
        text = text.rstrip(",;") or text
    if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    if text.startswith("||") and re.search(r"\^(\$(all|doc|document|important))?\Z", text):
        text = text[2:text.index("^")]
        if "/" in text:
            return None
    text = plain(text)
    if not text or any(char in UNSEEN or char in '"|' for char in text):
        return None
    if text[0] == "/":
        return None if re.search(r"[\s…]|\.\.\.$", text) else [("http", "any.example", text, "", 80)]
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    if match:
        if "…" in text or text.endswith("..."):
            return None
        scheme = match[1].lower()
        behind = text[match.end():]
        if scheme in ("tcp", "udp", "ftp"):
            found = of_url(scheme, behind, False)
            return found if found and found[0][0] != "http" else None
        if scheme not in ("http", "https"):
            return None
        return of_url(scheme, behind, False)
    # Neither character may be in an address.
    text = re.sub(r"^([0-9.]+(?:/[0-9.]+|:[0-9]+)?)[#;].*", r"\1", text)
    where = address(text.strip("[]"))
    if where:
        return [("address", where)]
    if re.fullmatch(r"[0-9a-fA-F:.]+/[0-9.]+", text) and network(text):
        return of_network(network(text))
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[0-9.]+):(\d{1,5})/?", text)
    if match and address(match[1].strip("[]")) and 0 < int(match[2]) < 65536:
        return [("port", address(match[1].strip("[]")), int(match[2]))]
    match = re.fullmatch(r"([0-9a-fA-F:.]+)[-–]([0-9a-fA-F:.]+)", text)
    if match and address(match[1]):
        last = match[2] if address(match[2]) else match[1].rsplit(".", 1)[0] + "." + match[2]
        return of_range(match[1], last)
    if re.fullmatch(r"[tq][0-9a-z]{2}[di]\d{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}", text):
        return UNPROVABLE
    if re.fullmatch(r"(0x)?[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", text):
        return None
    if "/" in text:
        head = re.split(r"[/:]", text)[0]
        return of_url("http", text, False) if "." in head else None
    if "@" in text:
        return None
    name = host_name(text[2:] if text.startswith("*.") else text.lstrip("."))
    if not name:
        return None
    under = name if len(name) > 240 else "www7." + name
    return [("dns", name), ("sni", under), ("http", under, "/x", "", 80)]


def of_typed(kind, value):
    """A row that says its type."""
    kind = kind.strip().lower()
    value = value.strip(" \t" + UNSEEN)
    harmless = plain(value)
    if kind in ("ja3", "ja3s", "ja4", "cert.sha1", "cert.sha256", "regex"):
        return UNPROVABLE if value else None
    if kind in ("ip", "cidr"):
        if address(harmless):
            return [("address", address(harmless))]
        return of_network(network(harmless)) if "/" in harmless and network(harmless) else None
    if kind == "ip:port":
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[0-9.]+):(\d{1,5})", harmless)
        return [("port", address(match[1].strip("[]")), int(match[2]))] if match and address(match[1].strip("[]")) else None
    if kind in ("domain", "hostname"):
        wild = kind == "domain" and re.sub(r"^\*?\.", "", harmless) or harmless
        single = re.fullmatch(r"[a-z0-9_-]+", harmless.lower()) if kind == "hostname" else None
        name = harmless.lower() if single else host_name(wild)
        if not name:
            return None
        return [("dns", name), ("sni", name)] + ([("dns", "a.b." + name)] if kind == "domain" and len(name) < 240 else [])
    if kind == "url":
        match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", harmless)
        return of_url(match[1].lower() if match else "http", harmless[match.end():] if match else harmless, True)
    if kind == "uri":
        return [("http", "any.example", value, "", 80)] if value.startswith("/") and not re.search(r"\s", value) else None
    if kind == "user_agent":
        return [("http", "any.example", "/", value, 80)] if value else None
    if kind == "content" and "|" not in value and "\\" not in value:
        return [("stream", b"-" * 16 + value.encode("utf-8", "surrogateescape") + b"-" * 16)]
    return None


ZEEK = {"Intel::ADDR": "ip", "Intel::SUBNET": "cidr", "Intel::DOMAIN": "domain", "Intel::URL": "url", "Intel::SOFTWARE": "user_agent",
        "Intel::JA3": "ja3"}


def of_zeek(lines):
    columns = None
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\r")
        if line.startswith("#"):
            if line.startswith("#fields\t"):
                columns = line.split("\t")[1:]
            continue
        if not line.strip(" \t"):
            continue
        fields = dict(zip(columns or [], line.split("\t")))
        if len(line.split("\t")) != len(columns or []):
            yield number, None
            continue
        value = re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), fields["indicator"])
        value = value.encode("latin-1", "ignore").decode("utf-8", "surrogateescape") if "\\x" in fields["indicator"] else value
        kind = fields["indicator_type"]
        if kind == "Intel::CERT_HASH":
            yield number, UNPROVABLE if len(value) in (40, 64) else None
        else:
            yield number, of_typed(ZEEK[kind], value) if kind in ZEEK else None


def of_csv(text, separator):
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    header = None
    before = 0
    for fields in reader:
        first, before = before + 1, reader.line_num
        if not fields or fields[0].startswith("#"):
            continue
        if header is None:
            header = [field.strip().lower() for field in fields]
            continue
        row = dict(zip(header, fields))
        yield first, of_typed(row["type"], row["value"]) if len(fields) == len(header) else None


def read(path):
    """(line number, probes) of each row of a file. Probes are None where this reading is not certain."""
    with open(path, "rb") as file:
        text = file.read().decode("utf-8", "surrogateescape")
    text = text.removeprefix("\ufeff")
    lines = text.split("\n")
    if any(line.startswith("#fields\t") and "\tindicator_type" in line + "\t" for line in lines[:50]):
        yield from of_zeek(lines)
        return
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    for separator in ",;\t":
        names = [name.strip().strip('"').lower() for name in first.split(separator)]
        if "type" in names and "value" in names:
            yield from of_csv(text, separator)
            return
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        probes = of_list_row(line)
        if probes is not NO_ROW:
            yield number, probes
