#!/usr/bin/env bash
# How far is the round trip that ping prints from the one on the wire?
#
# Two namespaces and a veth; 200 probes; a tap (tcpdump, nanoseconds) on our own end sees the very
# packets that are printed. In the same run, for comparison, iputils ping from the kernel's own
# address. Needs root, iproute2, tcpdump, python3; iputils-ping is left out where it is missing.
#
#   cargo build --release && benches/rtt-against-tap.sh [target/release/sidestack]
set -euo pipefail
program=$(realpath "${1:-target/release/sidestack}")
work=$(mktemp -d)
near="rtt-near-$$" far="rtt-far-$$" tap=

clean() {
    [ -z "$tap" ] || kill "$tap" 2>/dev/null || true
    ip netns del "$near" 2>/dev/null || true
    ip netns del "$far" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT

ip netns add "$near"
ip netns add "$far"
ip link add v0 netns "$near" type veth peer name v1 netns "$far"
ip netns exec "$near" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip netns exec "$far" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n "$near" link set v0 up
ip -n "$far" link set v1 up
ip -n "$far" addr add 10.77.0.1/24 dev v1

measure() { # name, what prints round trips, as "seq nanoseconds" lines
    local name=$1
    shift
    : >"$work/$name.log"
    ip netns exec "$near" tcpdump -i v0 --time-stamp-precision=nano -n -U -w "$work/$name.pcap" icmp \
        2>"$work/$name.log" &
    tap=$!
    until grep -q listening "$work/$name.log"; do sleep 0.1; done
    "$@" >"$work/$name.printed"
    sleep 1.5
    kill "$tap" && wait "$tap" 2>/dev/null || true
    tap=
    tcpdump -r "$work/$name.pcap" -n -tt --nano 2>/dev/null >"$work/$name.wire"
    python3 - "$name" "$work/$name.printed" "$work/$name.wire" <<'PY'
import re, statistics, sys
name, printed, wire = sys.argv[1:]
asked, rtt = {}, {}
for line in open(wire):
    at, kind, seq = re.match(r"(\d+\.\d+) .*echo (request|reply), id \d+, seq (\d+)", line).groups()
    at = int(at.replace(".", "").ljust(19, "0"))
    if kind == "request":
        asked[seq] = at
    else:
        rtt[seq] = at - asked[seq]
pairs = [(int(ns), rtt[seq]) for seq, ns in (l.split() for l in open(printed)) if seq in rtt]
off = [p - w for p, w in pairs]
mean = lambda xs: statistics.fmean(xs) / 1e3
print(f"{name:10} {len(pairs)} probes: printed {mean([p for p, _ in pairs]):7.2f} us, "
      f"wire {mean([w for _, w in pairs]):7.2f} us, off by {mean(off):+6.2f} us "
      f"(median {statistics.median(off) / 1e3:+.2f}, worst {max(off, key=abs) / 1e3:+.2f})")
PY
}

ours() {
    ip netns exec "$near" "$program" ping -j -c 200 -i 0.01 -I v0 -S 10.77.0.10/24 --no-probe 10.77.0.1 |
        python3 -c 'import json, sys
for line in sys.stdin:
    r = json.loads(line)
    if r["type"] == "reply": print(r["seq"], r["rtt_ns"])'
}

iputils() {
    ip netns exec "$near" ping -n -c 200 -i 0.01 10.77.0.1 |
        sed -nE 's/.*icmp_seq=([0-9]+) .*time=([0-9.]+) ms/\1 \2/p' |
        awk '{ printf "%d %d\n", $1, $2 * 1e6 }'
}

measure sidestack ours
if ip netns exec "$near" sh -c 'command -v ping' >/dev/null; then
    ip -n "$near" addr add 10.77.0.11/24 dev v0
    measure iputils iputils
else
    echo "iputils ping is not installed: left out"
fi
