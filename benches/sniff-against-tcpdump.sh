#!/usr/bin/env bash
# What does a shown frame cost, and does any get lost?
#
# Two namespaces and a veth; the far end sends frames of 64 octets at a given rate, the near end
# shows them: sidestack and tcpdump in turn, as lines, as JSON, as a capture file. Processor time
# is user and system time of the process (getrusage of the child), from its start to its end; its
# output goes to a file on the disk's cache, or with `null` to /dev/null. Needs root, iproute2,
# python3; tcpdump is left out where it is missing.
#
#   cargo build --release -p sidestack && cargo build --release -p sidestack-link --example flood
#   benches/sniff-against-tcpdump.sh [frames [rate [rounds [null]]]]
set -euo pipefail
frames=${1:-2000000} rate=${2:-700000} rounds=${3:-3} sink=${4:-file}
built=$(realpath "${CARGO_TARGET_DIR:-target}/release")
work=$(mktemp -d)
near="sniff-near-$$" far="sniff-far-$$"

clean() {
    ip netns del "$near" 2>/dev/null || true
    ip netns del "$far" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT

ip netns add "$near"
ip netns add "$far"
ip link add v0 netns "$near" type veth peer name v1 netns "$far"
for end in "$near v0" "$far v1"; do
    read -r space name <<<"$end"
    ip netns exec "$space" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip -n "$space" link set "$name" up
done

cat >"$work/measure.py" <<'PY'
"""name, near, far, flood, frames, rate, output, what to run: it, while the far end sends."""
import os, re, resource, signal, subprocess, sys, time

name, near, far, flood, frames, rate, output, *command = sys.argv[1:]
with open(output, "wb") as out, open("/dev/null") as nothing:
    shower = subprocess.Popen(["ip", "netns", "exec", near, *command],
                              stdin=nothing, stdout=out, stderr=subprocess.PIPE)
    time.sleep(0.7)
    sender = subprocess.run(["ip", "netns", "exec", far, flood, "v1", frames, rate],
                            capture_output=True, text=True, timeout=120, check=True)
    time.sleep(0.7)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if "sidestack" in name:
        shower.send_signal(signal.SIGUSR1)  # the figures, in every form
        time.sleep(0.1)
    shower.send_signal(signal.SIGINT)
    said = shower.communicate(timeout=60)[1].decode()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
user, system = used.ru_utime - before.ru_utime, used.ru_stime - before.ru_stime
left, _, pace = sender.stdout.split()
shown = re.search(r"(\d+) (?:frames|packets captured)", said)
lost = re.search(r"(\d+) (?:dropped|packets dropped) by", said)
shown, lost = int(shown[1]) if shown else 0, int(lost[1]) if lost else 0
cost = (user + system) * 1e9 / max(shown, 1)
print(f"{name:16} offered {left} at {pace}/s, shown {shown}, dropped by the kernel {lost}, "
      f"{cost:.0f} ns a frame (user {user:.2f} s, system {system:.2f} s)", flush=True)
PY

measure() { # name, what to run
    local name=$1 output=$work/output
    shift
    [ "$sink" = file ] || output=/dev/null
    python3 "$work/measure.py" "$name" "$near" "$far" "$built/examples/flood" "$frames" "$rate" \
        "$output" "$@"
    rm -f "$work/output" "$work/capture"
}

for ((round = 0; round < rounds; round++)); do
    measure "sidestack" "$built/sidestack" sniff -I v0
    measure "sidestack -j" "$built/sidestack" sniff -j -I v0
    measure "sidestack -w" "$built/sidestack" sniff -I v0 -w "$work/capture"
    if command -v tcpdump >/dev/null; then
        measure "tcpdump" tcpdump -n -i v0
        measure "tcpdump -w" tcpdump -n -i v0 -w "$work/capture"
    fi
done
