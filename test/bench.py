"""Throughput, latency and CPU of the gateway: ./dev bench [--quick].

Gateway, load and simulated carriers share this machine. Everything is durable (fsync before the answer), sealed, and
receipts are on; a message counts when its receipt is back. Prints a table, writes build/bench.json, and holds the
ledgers against each other at the end.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import harness
from harness import ROOT, World, wait_until

TICKS = os.sysconf("SC_CLK_TCK")
BATCH = 100
# Wide enough never to be what is measured.
SMPP = {"binds": 4, "window": 1000, "rate": "1000000/s"}
HASH = "$argon2id$v=19$m=19456,t=2,p=1$j91RNqk6FRFpmynPwxofPg$PuZoSin3l3SB3Ako5x61Pv0nj1AUIEmS3f1En6rI534"  # demopass
ACCOUNT = {"system_id": "demo", "password_hash": HASH, "window": 1000, "receipts": {"window": 1000},
           "service_types": [{"is": "OTP", "class": "otp"}, {"is": "TRX", "class": "transactional"},
                             {"is": "MKT", "class": "marketing"}]}
TARGETS = {  # design targets: (row, value) -> bound
    ("smpp", "throughput"): 40_000, ("smpp", "cpu_us"): 25,
    ("single", "throughput"): 20_000, ("single", "cpu_us"): 40,
    ("batch", "throughput"): 40_000, ("batch", "cpu_us"): 25,
    ("latency", "accept_p50_ms"): 1.5, ("latency", "accept_p99_ms"): 5,
}


class Cpu:
    """CPU seconds of a process since the start, and of its threads by name."""

    def __init__(self, pid):
        self.pid = pid
        self.start = self.read()

    def read(self):
        out = {"": self.of(f"/proc/{self.pid}/stat")}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            path = f"/proc/{self.pid}/task/{task}"
            try:
                name = Path(f"{path}/comm").read_text().strip()
                out[name] = out.get(name, 0) + self.of(f"{path}/stat")
            except OSError:
                pass  # it has ended
        return out

    @staticmethod
    def of(path):
        fields = Path(path).read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def used(self):
        now = self.read()
        return {name: now[name] - self.start.get(name, 0) for name in now}


def filesystem(path):
    """Type and device that hold this path."""
    path = os.path.realpath(path)
    best = ("", "?", "?")
    for line in Path("/proc/mounts").read_text().splitlines():
        device, point, kind = line.split()[:3]
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) > len(best[0]):
            best = (point, kind, device)
    return best[1], best[2]


def fsync_cost(directory, count):
    """Milliseconds of appending 4 KB and fdatasync: what every answer waits for at least once."""
    times = []
    with open(Path(directory) / "fsync_probe", "wb") as file:
        for _ in range(count):
            start = time.perf_counter()
            os.write(file.fileno(), b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return {"p50": statistics.median(times), "p99": times[len(times) * 99 // 100]}


def histogram(samples, name, **labels):
    """[(upper bound in seconds, cumulative count)] summed over the series with these labels."""
    out = {}
    wanted = set(labels.items())
    for key, value in samples.items():
        if key[0] != f"{name}_bucket" or not wanted <= set(key[1:]):
            continue
        bound = float(dict(key[1:])["le"].replace("+Inf", "inf"))
        out[bound] = out.get(bound, 0) + value
    return sorted(out.items())


def quantile(before, after, q):
    """Milliseconds, interpolated inside the bucket as Prometheus does."""
    old = dict(before)
    counts = [(bound, count - old.get(bound, 0)) for bound, count in after]
    if not counts or counts[-1][1] == 0:
        return None
    wanted, low, seen = q * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            if bound == float("inf"):
                return low * 1000
            share = (wanted - seen) / (count - seen) if count > seen else 1
            return (low + (bound - low) * share) * 1000
        low, seen = bound, count
    return None


class Bench:
    def __init__(self, world, quick):
        self.world, self.quick = world, quick
        self.sent = 0
        self.ledgers = []

    def receipts(self):
        carriers = self.world.control().get("/v1/carriers")["data"]
        return sum(c["receipts"]["acked"] for c in carriers)

    def delivered(self):
        return int(harness.total(harness.metrics(self.world.admin()), "trunkline_receipts_total", state="delivered"))

    def drained(self, seconds=120):
        wait_until("every receipt is back and counted", seconds, lambda: self.delivered() >= self.sent, step=0.01)

    def load(self, name, smpp=False, **options):
        ledger = self.world.directory / f"accepted_{name}.ndjson"
        self.ledgers.append(ledger)
        if smpp:
            report = self.world.load_smpp(timeout=900, ledger=ledger, system_id="demo", password="demopass",
                                          **{"class": "OTP:10,TRX:60,MKT:30", "from": "Acme"}, **options)
            if report["receipts"]["missing"] or report["receipts"]["stat"] != {"DELIVRD": report["sent"]}:
                raise AssertionError(f"not all receipts came: {report}")
        else:
            report = self.world.load(timeout=900, ledger=ledger, idempotency=True,
                                     **{"class": "otp:10,transactional:60,marketing:30"}, **options)
        if report["acknowledged"] != report["sent"]:
            raise AssertionError(f"not all were acknowledged: {report}")
        self.sent += report["acknowledged"]
        return report

    def saturate(self, name, count, **options):
        """As fast as it goes; done when the last receipt is back."""
        gateway, simulator = Cpu(self.world.gateway.pid), Cpu(self.world.simulator.pid)
        start = time.monotonic()
        report = self.load(name, count=count, **options)
        self.drained()
        seconds = time.monotonic() - start
        threads = gateway.used()
        more = {} if "receipts" not in report else {
            f"receipt_{q}_ms": report["receipts"]["latency_ms"][q] for q in ("p50", "p99")}
        return {"messages": count, "seconds": seconds, "throughput": count / seconds,
                "accepted_per_s": report["throughput"], **more,
                "cpu_us": threads.pop("") / count * 1e6,
                "threads_us": {k: v / count * 1e6 for k, v in sorted(threads.items(), key=lambda t: -t[1])},
                "simulator_us": simulator.used()[""] / count * 1e6,
                "accept_p50_ms": report["latency_ms"]["p50"], "accept_p99_ms": report["latency_ms"]["p99"],
                "rss_mb": harness.memory(self.world.gateway.pid) / 2**20}

    def latency(self, rate, seconds):
        """At a rate it can hold; latency counts from when each request was due."""
        name = "trunkline_accept_to_submit_seconds"
        before = harness.metrics(self.world.admin())
        gateway = Cpu(self.world.gateway.pid)
        report = self.load("latency", rate=rate, count=rate * seconds, connections=16)
        self.drained()
        used = gateway.used()[""]
        after = harness.metrics(self.world.admin())
        out = {"rate": rate, "seconds": seconds, "cpu_us": used / (rate * seconds) * 1e6,
               "accept_max_ms": report["latency_ms"]["max"]}
        for q, label in ((0.5, "p50"), (0.99, "p99"), (0.999, "p999")):
            out[f"accept_{label}_ms"] = report["latency_ms"][label]
            out[f"submit_{label}_ms"] = quantile(histogram(before, name), histogram(after, name), q)
            out[f"commit_{label}_ms"] = quantile(histogram(before, "trunkline_store_commit_seconds"),
                                                 histogram(after, "trunkline_store_commit_seconds"), q)
        return out

    def verify(self):
        accepted = self.world.directory / "accepted.ndjson"
        with open(accepted, "wb") as out:
            for ledger in self.ledgers:
                with open(ledger, "rb") as part:
                    shutil.copyfileobj(part, out)
        code, verdict, why = harness.verify(accepted, self.world.ledger)
        if code != 0:
            raise AssertionError(f"the ledgers disagree: {verdict} {why}")
        return verdict


def run(directory, quick):
    listen = {name: {"address": "127.0.0.1:0"} for name in ("http", "smpp", "admin")}
    tenants = [{**harness.gateway_config("x", {"alpha": "h:1"})["tenants"][0], "smpp": [ACCOUNT]}]
    world = World(directory, [harness.carrier_spec("alpha"), harness.carrier_spec("beta")], listen=listen,
                  tenants=tenants)
    with world:
        world.start(smpp=SMPP)
        wait_until("links are bound", 30, world.bound)
        bench = Bench(world, quick)
        scale = 10 if quick else 1
        bench.load("warm_up", count=20_000 // scale, batch=BATCH, connections=4)
        bench.drained()
        out = {"smpp": bench.saturate("smpp", 800_000 // scale, smpp=True, binds=8, window=500),
               "single": bench.saturate("single", 400_000 // scale, connections=32, pipeline=8),
               "batch": bench.saturate("batch", 800_000 // scale, connections=8, batch=BATCH),
               "latency": bench.latency(5_000, 3 if quick else 20)}
        out["memory"] = {"rss_mb": harness.memory(world.gateway.pid) / 2**20,
                         "peak_mb": harness.memory(world.gateway.pid, "VmHWM") / 2**20}
        stats = world.control().get("/v1/carriers")["data"]
        out["protocol_errors"] = sum(s["protocol_errors"] for s in stats)
        for process in (world.gateway, world.simulator):
            if process.stop() != 0:
                raise AssertionError(process.log_tail())
        out["verdict"] = bench.verify()
    return out


def machine(directory, quick):
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    kind, device = filesystem(directory)
    return {"cpu": cpu, "processors": os.cpu_count(), "kernel": platform.release(), "filesystem": kind,
            "device": device, "load_before": os.getloadavg()[0],
            "fsync_ms": fsync_cost(directory, 200 if quick else 1000),
            "version": (harness.run("version").stdout.splitlines() or ["?"])[0]}


def verdict_of(row, value, got):
    target = TARGETS.get((row, value))
    if target is None:
        return ""
    good = got >= target if value == "throughput" else got <= target
    return f"  target {target:,}{'' if good else '  MISSED'}"


def print_table(result):
    m = result["machine"]
    print(f"{m['cpu']}, {m['processors']} processors shared by gateway, load and carriers; {m['version']}")
    print(f"store on {m['filesystem']} ({m['device']}): 4 KB append + fdatasync p50 {m['fsync_ms']['p50']:.2f} ms, "
          f"p99 {m['fsync_ms']['p99']:.2f} ms; load average before {m['load_before']:.1f}\n")
    for row, title in (("smpp", "SMPP in, SMPP out"), ("single", "REST, one message a request"), ("batch", f"REST, {BATCH} messages a request")):
        r = result[row]
        print(f"{title}: {r['messages']:,} messages, each with its receipt back")
        print(f"  throughput          {r['throughput']:>10,.0f} /s{verdict_of(row, 'throughput', r['throughput'])}")
        print(f"  gateway CPU         {r['cpu_us']:>10.1f} us a message = {r['cpu_us'] / 1000:.4f} s per 1,000"
              f"{verdict_of(row, 'cpu_us', r['cpu_us'])}")
        print("    by thread         " + ", ".join(f"{k} {v:.1f}" for k, v in r["threads_us"].items() if v >= 0.05))
        print(f"  simulator CPU       {r['simulator_us']:>10.1f} us a message")
        if "receipt_p50_ms" in r:
            print(f"  response            {r['accept_p50_ms']:>10.1f} ms p50, {r['accept_p99_ms']:.1f} ms p99; receipt "
                  f"{r['receipt_p50_ms']:.1f} and {r['receipt_p99_ms']:.1f} ms")
        print(f"  gateway RSS         {r['rss_mb']:>10.0f} MB\n")
    r = result["latency"]
    print(f"at {r['rate']:,} messages a second for {r['seconds']} s, one a request")
    for what, title in (("accept", "accept (REST, durable)"), ("submit", "accept to submit"),
                        ("commit", "group commit")):
        values = [r[f"{what}_{q}_ms"] for q in ("p50", "p99", "p999")]
        print(f"  {title:<24}" + "  ".join(f"{q} {'-' if v is None else format(v, '.2f')} ms"
                                           for q, v in zip(("p50", "p99", "p999"), values))
              + "".join(verdict_of("latency", f"{what}_{q}_ms", v) for q, v in zip(("p50", "p99"), values)))
    print(f"  gateway CPU             {r['cpu_us']:.1f} us a message")
    print("  accept is measured by the client from when each request was due; the others are the gateway's\n"
          "  own histograms, interpolated inside their buckets\n")
    print(f"memory: RSS {result['memory']['rss_mb']:.0f} MB at the end, {result['memory']['peak_mb']:.0f} MB at most")
    v = result["verdict"]
    print(f"ledgers: {v['accepted']:,} accepted, {v['lost']} lost, {v['never_accepted']} never accepted, "
          f"{v['duplicates']} duplicates, {result['protocol_errors']} protocol errors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages: is it still in shape?")
    parser.add_argument("--directory", default=str(ROOT / "build"), help="where the store lies (a real disk)")
    parser.add_argument("--json", default=str(ROOT / "build/bench.json"), help="where the numbers go")
    options = parser.parse_args()
    os.makedirs(options.directory, exist_ok=True)
    if filesystem(options.directory)[0] in ("tmpfs", "ramfs"):
        sys.exit(f"{options.directory} is in memory: nothing durable can be measured there; see --directory")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.directory) as directory:
        result = {"quick": options.quick, "machine": machine(directory, options.quick)}
        result.update(run(directory, options.quick))
    import backlog  # which takes from here
    with tempfile.TemporaryDirectory(prefix="backlog-", dir=options.directory) as directory:
        result["backlog"] = backlog.measure(directory, *((100_000, 10) if options.quick else (1_000_000, 30)))
    print_table(result)
    print()
    backlog.print_table(result["backlog"])
    Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nnumbers: {options.json}")


if __name__ == "__main__":
    main()
