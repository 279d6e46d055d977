"""The same work through Trunkline and through Debian's kannel, one after the other: ./dev bench-peers [--quick].

The work: messages come in over HTTP, one a request, go out over SMPP to the same simulated carrier, and each receipt
comes back. What differs is said beside the numbers: kannel answers before anything is on disk and keeps receipts in
memory (its fastest configuration here), and tells the application each receipt by HTTP; Trunkline answers after the
fsync, and keeps the receipt with the message.
"""
import argparse
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import bench
import harness
from harness import ROOT, World, wait_until

KANNEL = """\
group = core
admin-port = {admin}
admin-password = bar
smsbox-port = {smsbox}
box-allow-ip = "127.0.0.1"
admin-allow-ip = "127.0.0.1"
log-level = 2
log-file = "{directory}/bearerbox.log"
dlr-storage = internal
{store}sms-incoming-queue-limit = -1
sms-outgoing-queue-limit = 1000000

group = smsc
smsc = smpp
smsc-id = alpha
host = 127.0.0.1
port = {smpp}
smsc-username = tl
smsc-password = secret
system-type = ""
transceiver-mode = true
instances = 4
max-pending-submits = 1000
source-addr-ton = 5
source-addr-npi = 0
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {smsbox}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-level = 2
log-file = "{directory}/smsbox.log"
http-request-retry = 5

group = sendsms-user
username = u
password = p
max-messages = 10
concatenation = true
"""


class Sink:
    """Where kannel reports receipts: answers every request 200 and counts them. A thread of ours."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    def __init__(self):
        self.count = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ, None)
            while self.running:
                for key, _ in selector.select(0.2):
                    if key.fileobj is self.listener:
                        connection, _ = self.listener.accept()
                        connection.setblocking(False)
                        selector.register(connection, selectors.EVENT_READ, bytearray())
                    elif not self.answer(key.fileobj, key.data):
                        selector.unregister(key.fileobj)
                        key.fileobj.close()

    def answer(self, connection, pending):
        try:
            data = connection.recv(65536)
            pending += data
            requests = pending.count(b"\r\n\r\n")
            if requests:
                del pending[:pending.rindex(b"\r\n\r\n") + 4]
                self.count += requests
                connection.sendall(self.ANSWER * requests)
            return bool(data)
        except OSError:
            return False

    def stop(self):
        self.running = False
        self.thread.join()
        self.listener.close()


class Kannel:
    def __init__(self, directory, smpp_port, store):
        self.ports = {name: harness.free_port() for name in ("admin", "smsbox", "sendsms")}
        stores = {"none": "", "file": f'store-type = file\nstore-location = "{directory}/kannel.store"\n'}
        path = Path(directory) / "kannel.conf"
        path.write_text(KANNEL.format(directory=directory, smpp=smpp_port, store=stores[store], **self.ports))
        self.processes = {}
        self.log = open(Path(directory) / "kannel.out", "wb")
        self.spawn("bearerbox", path)
        self.wait_for(self.ports["smsbox"])
        self.spawn("smsbox", path)
        self.wait_for(self.ports["sendsms"])

    def spawn(self, name, path):
        binary = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        self.processes[name] = subprocess.Popen([binary, "-v", "2", str(path)], stdin=subprocess.DEVNULL,
                                                stdout=self.log, stderr=self.log)

    def wait_for(self, port):
        def there():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_until(f"kannel listens on {port}", 30, there)

    def cpu(self):
        return {name: bench.Cpu(process.pid) for name, process in self.processes.items()}

    def memory(self):
        return sum(harness.memory(process.pid) for process in self.processes.values())

    def stop(self):
        for name in ("smsbox", "bearerbox"):
            process = self.processes.get(name)
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.log.close()


def through_kannel(directory, count, store):
    world = World(directory, [harness.carrier_spec("alpha")])
    with world:
        world.start_simulator()
        sink = Sink()
        kannel = Kannel(directory, harness.port_of(world.simulator.ready["carriers"]["alpha"]), store)
        try:
            wait_until("kannel is bound", 30, world.bound)
            arguments = ["load", "--api", "kannel", "--url", f"http://127.0.0.1:{kannel.ports['sendsms']}", "--key",
                         "u:p", "--dlr-url", f"http://127.0.0.1:{sink.port}/dlr", "--from", "Acme", "--connections",
                         "16", "--json", "--ledger", world.directory / "accepted.ndjson"]
            out = {}
            for name, n in (("warm_up", count // 10), ("single", count)):
                before, cpu, start = sink.count, kannel.cpu(), time.monotonic()
                done = harness.run(*arguments, "--count", n, timeout=900)
                report = json.loads(done.stdout)
                if report["acknowledged"] != n:
                    raise AssertionError(f"kannel did not take all: {report}")
                wait_until("every receipt reported", 300, lambda: sink.count >= before + n, step=0.01)
                seconds = time.monotonic() - start
                used = {box: c.used()[""] for box, c in cpu.items()}
                out = {"messages": n, "seconds": seconds, "throughput": n / seconds, "store": store,
                       "cpu_us": sum(used.values()) / n * 1e6,
                       "threads_us": {box: v / n * 1e6 for box, v in used.items()},
                       "accept_p50_ms": report["latency_ms"]["p50"], "accept_p99_ms": report["latency_ms"]["p99"],
                       "rss_mb": kannel.memory() / 2**20}
            return out
        finally:
            kannel.stop()
            sink.stop()


def through_trunkline(directory, count):
    with World(directory, [harness.carrier_spec("alpha")]) as world:
        world.start(smpp=bench.SMPP)
        wait_until("links are bound", 30, world.bound)
        ours = bench.Bench(world, False)
        ours.load("warm_up", count=count // 10, connections=16)
        ours.drained()
        return ours.saturate("single", count, connections=16)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--directory", default=str(ROOT / "build"))
    parser.add_argument("--json", default=str(ROOT / "build/bench_peers.json"))
    options = parser.parse_args()
    if not shutil.which("bearerbox", path=os.environ["PATH"] + ":/usr/sbin"):
        sys.exit("kannel is not installed; ./dev bench-peers does that, or: apt-get install kannel")
    count = 5_000 if options.quick else 40_000
    os.makedirs(options.directory, exist_ok=True)
    result = {}
    for name, work in (("trunkline", lambda d: through_trunkline(d, count * 4)),
                       ("kannel, no store", lambda d: through_kannel(d, count, "none")),
                       ("kannel, file store", lambda d: through_kannel(d, count, "file"))):
        with tempfile.TemporaryDirectory(prefix="peers-", dir=options.directory) as directory:
            result[name] = work(directory)
    print("HTTP in, one message a request, 16 connections -> SMPP out -> receipt back\n")
    print(f"{'':<22}{'messages/s':>12}{'CPU us/message':>17}{'accept p50':>13}{'p99':>11}{'RSS':>9}")
    for name, r in result.items():
        print(f"{name:<22}{r['throughput']:>12,.0f}{r['cpu_us']:>17.1f}{r['accept_p50_ms']:>10.2f} ms"
              f"{r['accept_p99_ms']:>8.2f} ms{r['rss_mb']:>6.0f} MB")
    print("\ntrunkline answers after the fsync; kannel before anything is on disk: its file store is never "
          "fsynced.\nkannel's CPU is bearerbox + smsbox, and includes reporting each receipt by HTTP.")
    Path(options.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
