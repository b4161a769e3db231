# shellcheck shell=bash
# A laboratory for one story: two network namespaces, `near` (clients) and `far` (servers), joined by a veth pair that
# leads nowhere else. Source it, then: lab_open, lab_near/lab_far, servers, lab_record, the story, lab_close.
# Whatever happens, leaving the script ends what it started and removes the namespaces. LAB_TOOLS: the programs that
# the story needs, where it does not need them all.
set -euo pipefail

LAB_MAKE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_PCAPS=$(dirname "$LAB_MAKE")
LAB_PIDS=()
LAB_MAP=()

lab_fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

lab_cleanup() {
  local status=$? pid
  trap - EXIT INT TERM
  for pid in "${LAB_PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${LAB_PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
  ip netns del "$LAB_NEAR" 2>/dev/null || true
  ip netns del "$LAB_FAR" 2>/dev/null || true
  [ "$status" = 0 ] || { echo "$(basename "$0"): failed; the servers' words:" >&2; tail -n 5 "$LAB_DIR"/*.log >&2 || true; }
  rm -rf "$LAB_DIR"
  exit "$status"
}

# lab_open NAME.pcap|NAME.pcapng START-TIME
lab_open() {
  # LAB_REWRITE: more options for rewrite.py. LAB_FILTER leaves out what belongs to the link and not to the story.
  LAB_NAME=$1 LAB_START=$2 LAB_REWRITE=()
  LAB_FILTER="ip or (ip6 and not ip6 proto 58 and not ip6 proto 0)"
  [ "$(id -u)" = 0 ] || lab_fail "making captures needs root, for network namespaces; nothing was done"
  local tool
  for tool in ${LAB_TOOLS:-ip ethtool tcpdump dumpcap named dig nginx curl openssl nc python3}; do
    command -v "$tool" >/dev/null || lab_fail "$tool is missing: deploy/dependencies pcaps installs it"
  done
  LAB_DIR=$(mktemp -d /tmp/vedette-lab.XXXXXX)
  chmod 755 "$LAB_DIR"
  LAB_NEAR=vd-near-$$ LAB_FAR=vd-far-$$
  trap lab_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  ip netns add "$LAB_NEAR"
  ip netns add "$LAB_FAR"
  ip -n "$LAB_NEAR" link add near type veth peer name far netns "$LAB_FAR"
  local ns
  for ns in near far; do
    local space=$LAB_NEAR
    [ "$ns" = near ] || space=$LAB_FAR
    # No router solicitations, no duplicate address detection: only the story is heard.
    ip netns exec "$space" sh -c "for f in /proc/sys/net/ipv6/conf/*; do echo 0 >\$f/accept_dad; echo 0 >\$f/router_solicitations; echo 1 >\$f/addr_gen_mode; done"
    # With offloads on, the capture would show frames that no wire carries, with unfinished checksums.
    ip netns exec "$space" ethtool -K "$ns" tx off rx off tso off gso off gro off >/dev/null
    ip -n "$space" link set lo up
    ip -n "$space" link set "$ns" up
  done
}

# lab_near LAB-ADDRESS=STORY-ADDRESS…: addresses of the client side; lab_far: of the servers' side.
lab_near() { lab_addresses "$LAB_NEAR" near "$@"; }
lab_far() { lab_addresses "$LAB_FAR" far "$@"; }
lab_addresses() {
  local space=$1 device=$2 pair address
  shift 2
  for pair in "$@"; do
    address=${pair%%=*}
    LAB_MAP+=(--map "$pair")
    case $address in
      *:*) ip -n "$space" address add "$address/64" dev "$device" nodad ;;
      *) ip -n "$space" address add "$address/16" dev "$device" ;;
    esac
  done
}

near() { ip netns exec "$LAB_NEAR" "$@"; }
far() { ip netns exec "$LAB_FAR" "$@"; }

# lab_serve LOG COMMAND…: a server on the far side, ended with the laboratory.
lab_serve() {
  local log=$LAB_DIR/$1.log
  shift
  ip netns exec "$LAB_FAR" "$@" >"$log" 2>&1 </dev/null &
  LAB_PIDS+=($!)
}

# lab_wait_tcp ADDRESS PORT: until something listens there. Looks at sockets, sends nothing.
lab_wait_tcp() {

  for _ in $(seq 100); do
    far ss -Hltn "sport = :$2" 2>/dev/null | grep -qF "$1" && return 0
    sleep 0.05
  done
  lab_fail "nothing listens on $1 port $2 after 5 s"
}

# lab_named ADDRESS: BIND, authoritative for everything below the root of the laboratory; records on standard input, with
# full names under the reserved ends .example, .test and .invalid (RFC 2606).
lab_named() {
  mkdir -p "$LAB_DIR/named"
  cat >"$LAB_DIR/named/named.conf" <<CONF
options {
  directory "$LAB_DIR/named"; listen-on { $1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none;
  recursion no; allow-query { any; }; minimal-responses yes; notify no; version none; dnssec-validation no;
  max-udp-size 4096; edns-udp-size 4096; rrset-order { order none; };
};
controls { };
zone "." { type primary; file "root.zone"; };
CONF
  {
    echo "\$TTL 300"
    echo ". IN SOA ns.invalid. hostmaster.invalid. 2026112301 3600 900 604800 300"
    echo ". IN NS ns.invalid."
    echo "ns.invalid. IN A 192.0.2.53"
    cat
  } >"$LAB_DIR/named/root.zone"
  lab_serve named named -g -n 1 -c "$LAB_DIR/named/named.conf"
  lab_wait_tcp "$1" 53
}

# lab_nginx: server blocks on standard input; pages go to $LAB_DIR/www.
lab_nginx() {
  mkdir -p "$LAB_DIR/www" "$LAB_DIR/nginx"
  {
    echo "daemon off; master_process off; user root; worker_processes 1; pid $LAB_DIR/nginx/pid; error_log stderr;"
    echo "events { worker_connections 64; }"
    echo "http { access_log off; default_type text/html; root $LAB_DIR/www;"
    local kind
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $LAB_DIR/nginx/$kind;"; done
    cat
    echo "}"
  } >"$LAB_DIR/nginx/nginx.conf"
  lab_serve nginx nginx -p "$LAB_DIR/nginx" -c "$LAB_DIR/nginx/nginx.conf"
}

# lab_certificate FILE COMMON-NAME: a self-signed certificate and its key, FILE.pem and FILE.key.
lab_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$2" \
    -addext "subjectAltName=DNS:$2" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

# lab_record: from here on everything that passes `near` is captured.
lab_record() {
  local raw=$LAB_DIR/raw log=$LAB_DIR/capture.log
  case $LAB_NAME in
    *.pcapng) ip netns exec "$LAB_NEAR" dumpcap -q -n -i near -f "$LAB_FILTER" -w "$raw" >"$log" 2>&1 & ;;
    *) ip netns exec "$LAB_NEAR" tcpdump -Z root -i near -U --immediate-mode -s 0 -w "$raw" "$LAB_FILTER" >"$log" 2>&1 & ;;
  esac
  LAB_RECORDER=$!
  LAB_PIDS+=("$LAB_RECORDER")
  for _ in $(seq 100); do
    grep -qiE 'listening on|^File:|Capturing on' "$log" && sleep 0.2 && return 0
    sleep 0.05
  done
  lab_fail "the capture did not start: $(cat "$log")"
}

# lab_close: ends the capture, gives it addresses and time of the story, puts it into pcaps/.
lab_close() {
  sleep 0.5
  kill -INT "$LAB_RECORDER"
  wait "$LAB_RECORDER" || true
  python3 "$LAB_MAKE/rewrite.py" --start "$LAB_START" "${LAB_REWRITE[@]}" "${LAB_MAP[@]}" "$LAB_DIR/raw" "$LAB_DIR/done"
  install -m 644 "$LAB_DIR/done" "$LAB_PCAPS/$LAB_NAME"
  echo "made pcaps/$LAB_NAME, $(stat -c %s "$LAB_PCAPS/$LAB_NAME") bytes"
}
