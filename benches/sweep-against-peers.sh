#!/usr/bin/env bash
# Are our sweeps faster than fping's and arp-scan's, and do they find everybody, and nobody else?
#
# Two namespaces and a veth. The far kernel is 65,536 hosts; then our own `serve` is 4,096 of them,
# 5 ms away. Ours and the other's in turns; the ratio is that of the medians of the wall times, with
# that of the processor's beside it. All run at real-time priority, so that whatever else the
# machine does has no part in it. Then ten sweeps of each kind, over hosts all alive and 1 of 16
# alive, compared with who is there. At last a million hosts in memory. Needs root, iproute2,
# util-linux, GNU time, python3, fping, arp-scan; two processors.
#
#   cargo build --release && benches/sweep-against-peers.sh [rounds [program [bench]]]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
program=$(realpath "${2:-${CARGO_TARGET_DIR:-target}/release/sidestack}")
bench=${3:-$(cargo bench -p benches --bench sweep --no-run 2>&1 |
    sed -n 's/.*Executable.*(\(.*\))$/\1/p')}
near="sweep-near-$$" far="sweep-far-$$"
work=$(mktemp -d)

served=

clean() {
    [ -z "$served" ] || kill "$served" 2>/dev/null || true
    ip netns del "$near" 2>/dev/null || true
    ip netns del "$far" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT

ip netns add "$near"
ip netns add "$far"
ip link add near0 netns "$near" type veth peer name far0 netns "$far"
for end in near far; do
    ip netns exec "${!end}" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip -n "${!end}" link set lo up
    ip -n "${!end}" link set "${end}0" up
done
ip -n "$near" addr add 10.77.0.1/24 dev near0
ip -n "$far" addr add 10.77.0.2/24 dev far0
ip -n "$near" route add 10.9.0.0/16 via 10.77.0.2
ip -n "$far" route add 10.8.0.0/16 dev far0

hosts() { # 1 of 16, anywhere
    for third in $(seq 0 255); do
        for fourth in $(seq $((third * 7 % 16)) 16 255); do
            echo "10.9.$third.$fourth"
        done
    done
}
blocks() { # 1 of 16 too, but so that a kernel filter can tell them from the others
    for third in $(seq 0 4 252); do echo "10.9.$third.$((third / 4 * 7 % 4 * 64))/26"; done
}
sparse() { hosts | sed "s:.*:route $1 local &/32 dev lo:" | ip -n "$far" -batch -; }
dense() { ip -n "$far" route "$1" local 10.9.0.0/16 dev lo; }

cat >"$work/compare.py" <<'PY'
import ipaddress, os, re, statistics, sys, time
near, program, rounds, gateway, kind = sys.argv[1:]
common = [program, "-I", "near0", "--no-probe"]
ours = common + ["ping", "-S", "10.77.0.50/24", "--gateway", gateway, "-a", "-r", "0", "--rate", "0"]
# -W says how long other owners of an address that has an owner are waited for; ARP itself has its
# own second. arp-scan does not wait for them at all.
arp = common + ["scan", "-S", "10.8.0.50/14", "--arp", "-r", "0", "--rate", "0", "-W", "5ms", "-x",
                "10.9.0.0/16"]
everybody = {str(ipaddress.ip_address(0x0A090000 + n)) for n in range(65536)}
some = {f"10.9.{c}.{d}" for c in range(256) for d in range(c * 7 % 16, 256, 16)}
blocks = {f"10.9.{c}.{c // 4 * 7 % 4 * 64 + n}" for c in range(0, 256, 4) for n in range(64)}
fping = ["fping", "-i", "0", "-r", "0", "-a", "-g", "10.9.0.0", "10.9.255.254"]
scan = ["arp-scan", "-I", "near0", "-i", "1u", "-r", "1", "-t", "100", "-q", "-x", "10.9.0.0/16"]

def run(command):
    work = os.path.dirname(sys.argv[0])
    out = f"{work}/out"
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        for fd, path in (1, out), (2, "/dev/null"):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
        measured = ["/usr/bin/time", "-q", "-o", f"{work}/peak", "-f", "%M"]  # not our own peak
        os.execv(measured[0], measured + ["chrt", "-f", "10", "ip", "netns", "exec", near] + command)
    usage = os.wait4(child, 0)[2]
    wall = time.monotonic() - start
    found = [m[0] for m in re.finditer(r"^10\.9\.\d+\.\d+", open(out).read(), re.M)]
    return wall, usage.ru_utime + usage.ru_stime, int(open(f"{work}/peak").read()), found

def compare(name, target, ours, theirs, alive):
    runs = [], []
    for n in range(int(rounds)):
        for which in (0, 1) if n % 2 else (1, 0):
            runs[which].append(run((ours, theirs)[which]))
    wall, cpu = ([statistics.median(r[k] for r in who) for who in runs] for k in (0, 1))
    right = all(sorted(r[3]) == sorted(alive) for r in runs[0])
    others = statistics.median(len(r[3]) for r in runs[1])
    ratio, rss = wall[0] / wall[1], max(r[2] for r in runs[0])
    print(f"{name}: {wall[0]:.3f} s against {wall[1]:.3f} s: {ratio:.2f} (target {target:.2f}: "
          f"{'met' if ratio <= target else 'MISSED'}); processor {cpu[0] / cpu[1]:.2f}; "
          f"{'exactly those alive' if right else 'WRONG HOSTS'} found, they {others:.0f}; "
          f"{rss / 1024:.1f} MiB resident", flush=True)

def check(name, command, alive):
    missed = wrong = 0
    for _ in range(10):
        found = run(command)[3]
        missed += len(alive - set(found))
        wrong += len(set(found) - alive) + len(found) - len(set(found))
    print(f"{name}, ten times: {missed} missed, {wrong} too many, of {10 * len(alive)}", flush=True)

all_of = ours + ["10.9.0.0/16"]
if kind == "dense":
    compare("echo sweep, 65,536 alive", 0.68, all_of, fping, everybody)
    compare("ARP sweep, 65,536 alive", 0.60, arp, scan, everybody)
    check("echo sweep, 65,536 alive", all_of, everybody)
    check("ARP sweep, 65,536 alive", arp, everybody)
elif kind == "sparse":
    check("echo sweep, 1 of 16 alive", all_of + ["-W", "200ms"], some)
    check("ARP sweep, 1 of 16 alive", arp, some)
else:
    # We wait longer than fping: where all are at real-time priority on two processors, it is our
    # second thread that keeps the far end from theirs, and the kernel takes all of them off for
    # 50 ms of each second.
    quick = all_of + ["-W", "150ms"]
    compare("sparse echo sweep, 5 ms away", 0.70, quick, fping + ["-t", "100"], blocks)
PY
measure() { python3 "$work/compare.py" "$near" "$program" "$rounds" "$1" "$2"; }

dense add
measure 10.77.0.2 dense
dense del
sparse add
measure 10.77.0.2 sparse
sparse del
ip -n "$near" route replace 10.9.0.0/16 via 10.77.0.9
chrt -f 10 ip netns exec "$far" "$program" serve -I far0 -S 10.77.0.9/24 --no-probe --delay 5ms \
    -w 600s $(blocks) >"$work/serve" &
served=$!
for _ in $(seq 100); do grep -qs SERVE "$work/serve" && break || sleep 0.1; done
measure 10.77.0.9 delayed
chrt -f 10 "$bench" in-memory
