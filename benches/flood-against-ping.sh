#!/usr/bin/env bash
# How fast is `ping -f`, beside iputils' own?
#
# Two namespaces and a veth; a bounded number of requests each, in turn, ours and theirs, both at
# real-time priority, so that whatever else the machine does has little part in it; the medians of
# the rates are compared. The kernel of the far namespace answers both. Both ask from the near
# kernel's address; ours has 32 requests under way unless told otherwise, theirs one. Then ours from
# an address of its own, of which the near kernel finds out for each answer that it is not the
# kernel's; from a hardware address of its own too, so that the near kernel need not look at the
# answers; both with 64 requests under way (-l 64); and both with one. Needs root, iproute2,
# util-linux, iputils-ping, python3.
#
#   cargo build --release && benches/flood-against-ping.sh [target/release/sidestack [count [rounds]]]
set -euo pipefail
program=$(realpath "${1:-target/release/sidestack}")
count=${2:-100000} rounds=${3:-7}
near="flood-near-$$" far="flood-far-$$"

clean() {
    ip netns del "$near" 2>/dev/null || true
    ip netns del "$far" 2>/dev/null || true
}
trap clean EXIT

ip netns add "$near"
ip netns add "$far"
ip link add v0 netns "$near" type veth peer name v1 netns "$far"
for namespace in "$near" "$far"; do
    ip netns exec "$namespace" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
done
ip netns exec "$far" sysctl -qw net.ipv4.icmp_ratelimit=0
ip -n "$near" link set v0 up
ip -n "$far" link set v1 up
ip -n "$near" addr add 10.77.0.11/24 dev v0
ip -n "$far" addr add 10.77.0.1/24 dev v1

ours() {
    chrt -f 10 ip netns exec "$near" timeout 60 \
        "$program" ping -f "$@" -c "$count" -I v0 --no-probe 10.77.0.1
}

theirs() {
    chrt -f 10 ip netns exec "$near" timeout 60 ping -n -f -q "$@" -c "$count" 10.77.0.1
}

python3 - "$rounds" "$count" "$(declare -p program near count)" "$(declare -f ours theirs)" <<'PY'
import re, resource, statistics, subprocess, sys

rounds, count, variables, functions = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]


def run(who, *flags):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    script = f"{variables}\n{functions}\n{who} {' '.join(flags)}"
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sent, received, ms = re.search(r"(\d+) packets transmitted, (\d+) received.* time (\d+)ms", said).groups()
    assert int(sent) == count, said
    return int(received) / int(ms) * 1000, cpu / count * 1e6, count - int(received)


own = ["-S", "10.77.0.10/24"]
mac = [*own, "--source-mac", "02:00:00:00:77:10"]
for flags, usual in ([], []), (own, []), (mac, []), (["-l", "64"], ["-l", "64"]), (["-l", "1"], []):
    turns = [lambda: run("ours", *flags), lambda: run("theirs", *usual)]
    pairs = []
    for n in range(rounds):
        first, second = turns if n % 2 == 0 else reversed(turns)
        pair = first(), second()
        pairs.append(pair if n % 2 == 0 else pair[::-1])
    median = lambda who, what: statistics.median(pair[who][what] for pair in pairs)
    lost = [sum(pair[who][2] for pair in pairs) for who in (0, 1)]
    print(
        f"{' '.join(['-f', *flags])} against {' '.join(['-f', *usual])}, {rounds} x {count}: ours {median(0, 0):9.0f}/s, {median(0, 1):.2f} us CPU each, lost {lost[0]};"
        f" iputils {median(1, 0):9.0f}/s, {median(1, 1):.2f} us CPU each, lost {lost[1]};"
        f" {statistics.median(us[0] / them[0] for us, them in pairs):.2f} times the rate,"
        f" {statistics.median(us[1] / them[1] for us, them in pairs):.2f} times the CPU time"
    )
PY
