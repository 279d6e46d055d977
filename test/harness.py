"""What the system tests and benchmarks stand on: processes of the binary, HTTP, ledgers, waiting.

Python's standard library only. Every wait has a bound; nothing sleeps in the hope that something has happened.
"""
import hashlib
import http.client
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(os.environ.get("TRUNKLINE_ROOT", Path(__file__).resolve().parent.parent))
BINARY = os.environ.get("TRUNKLINE_BINARY", str(ROOT / "build/release/trunkline"))
KEY = "tl_test_key"
ADMIN_TOKEN = "tl_test_admin"
READY_SECONDS = 60
FINAL = {"delivered", "undelivered", "expired", "rejected", "failed", "canceled"}


def run(*arguments, env=None, timeout=120, input=None):
    """One command to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          input=input, env={**os.environ, **(env or {})})


def wait_until(what, seconds, condition, step=0.02):
    """Returns condition()'s first true value; fails loudly, naming `what`, when `seconds` are over."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step)


class Process:
    """A command that prints one JSON line when it is ready. Its log is kept in a file."""

    def __init__(self, name, *arguments, directory, env=None):
        self.name = name
        self.log_path = Path(directory) / f"{name}.log"
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(env or {})})
        self.ready = None

    @property
    def pid(self):
        return self.process.pid

    def wait_ready(self, seconds=READY_SECONDS):
        """The ready line as a dict; None if the process ended before it printed one."""
        line = b""
        until = time.monotonic() + seconds
        out = self.process.stdout
        while not line.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([out], [], [], left)[0]:
                raise AssertionError(f"{self.name} is not ready after {seconds} s\n{self.log_tail()}")
            byte = os.read(out.fileno(), 1)
            if not byte:
                self.wait()
                return None
            line += byte
        self.ready = json.loads(line)
        return self.ready

    def start(self, seconds=READY_SECONDS):
        if self.wait_ready(seconds) is None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}\n{self.log_tail()}")
        return self

    def running(self):
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        if self.running():
            self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(60)  # it may hold its store's lock for a while yet

    def wait(self, seconds=60):
        """The exit code."""
        code = self.process.wait(seconds)
        self.process.stdout.close()
        self.log.close()
        return code

    def stop(self, seconds=60):
        """SIGTERM, and its exit code."""
        self.kill(signal.SIGTERM)
        return self.wait(seconds)

    def abandon(self):
        """For clean-up: gone, whatever it was doing."""
        self.kill()
        if self.process.returncode is None:
            self.process.wait()
        if not self.log.closed:
            self.process.stdout.close()
            self.log.close()

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def log_tail(self, size=3000):
        return self.log_text()[-size:]


def memory(pid, field="VmRSS"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


def port_of(address):
    return int(address.rpartition(":")[2])


class Http:
    """JSON over one kept connection, opened again when it was lost."""

    def __init__(self, address, token=None, timeout=30):
        self.address, self.token, self.timeout = address, token, timeout
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        """(status, parsed body or None, headers)."""
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        data = body
        if body is not None and not isinstance(body, (bytes, str)):
            data = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        fresh = self.connection is None
        if fresh:
            self.connection = http.client.HTTPConnection(self.address, timeout=self.timeout)
        try:
            self.connection.request(method, path, data, headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            if fresh:
                raise
            return self.request(method, path, body, headers)  # it was closed while idle
        if answer.will_close:
            self.close()
        return answer.status, parsed(text), answer.headers

    def get(self, path):
        status, body, _ = self.request("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body}")
        return body

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)[:2]

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace") if text else None


# --- configurations; JSON is YAML ---------------------------------------------------------------


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def gateway_config(data, carriers, **more):
    """`carriers`: name -> "host:port" of the simulator, or a dict with more for the carrier's `smpp`."""
    entries = []
    for name, at in carriers.items():
        extra = dict(at) if isinstance(at, dict) else {"address": at}
        host, _, port = extra.pop("address").rpartition(":")
        smpp = {"host": host, "port": int(port), "system_id": "tl", "password": "secret", "binds": 2, "window": 50}
        entry = {"name": name, "region": extra.pop("region", "eu")}
        if "rate" in extra:
            entry["rate"] = extra.pop("rate")
        entries.append({**entry, "smpp": {**smpp, **extra}})
    config = {
        "demo": True,
        "node": {"name": "test", "region": "eu"},
        "listen": {"http": {"address": "127.0.0.1:0"}, "admin": {"address": "127.0.0.1:0"}},
        "admin": {"metrics_open": True, "tokens": [{"id": "t", "role": "operator", "hash": sha256(ADMIN_TOKEN)}]},
        "store": {"rocksdb": {"path": str(data)}},
        # Tests run at any time of the day.
        "countries": {"default": {"quiet_hours": "none"}},
        "carriers": entries,
        "routes": [{"name": "default", "via": [{"carrier": name} for name in carriers]}],
        "tenants": [{"name": "test", "default_class": "transactional",
                     "classes": ["otp", "transactional", "support", "marketing"],
                     "keys": [{"id": "k", "hash": sha256(KEY)}], "senders": ["Acme", "+15005550006"],
                     "limits": {"classes": {"otp": {}}}}],  # as fast as they like
    }
    config.update(more)
    return config


def carrier_spec(name, faults=(), **more):
    return {"name": name, "region": "eu", "address": "127.0.0.1:0", "system_id": "tl", "password": "secret",
            "faults": list(faults), **more}


class World:
    """Simulated carriers and a gateway in front of them, in one directory."""

    def __init__(self, directory, carriers=None, **config):
        self.directory = Path(directory)
        self.ledger = self.directory / "carriers.ndjson"
        self.config_path = self.directory / "gateway.yaml"
        self.config_more = config
        self.simulator = None
        self.gateway = None
        self.specs = carriers or [carrier_spec("alpha")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.gateway, self.simulator):
            if process:
                process.abandon()

    def start_simulator(self, seed=1):
        path = self.directory / "simulator.yaml"
        path.write_text(json.dumps({"admin": "127.0.0.1:0", "carriers": self.specs}))
        self.simulator = Process("simulator", "simulate", "--config", path, "--ledger", self.ledger, "--seed", seed,
                                 directory=self.directory).start()
        return self

    def write_config(self, smpp=None, **more):
        carriers = {name: {"address": address, **(smpp or {})}
                    for name, address in self.simulator.ready["carriers"].items()}
        config = gateway_config(self.directory / "data", carriers, **{**self.config_more, **more})
        self.config_path.write_text(json.dumps(config, indent=1))

    def spawn_gateway(self, env=None, arguments=()):
        """Not yet ready."""
        self.gateway = Process("gateway", "serve", "--config", self.config_path, *arguments,
                               directory=self.directory, env=env)
        return self.gateway

    def start_gateway(self, env=None, arguments=()):
        return self.spawn_gateway(env, arguments).start()

    def start(self, smpp=None, **more):
        self.start_simulator()
        self.write_config(smpp, **more)
        self.start_gateway()
        return self

    def api(self):
        return Http(self.gateway.ready["http"], KEY)

    def admin(self):
        return Http(self.gateway.ready["admin"], ADMIN_TOKEN)

    def control(self):
        return Http(self.simulator.ready["admin"])

    def faults(self, carrier, faults):
        status, body = self.control().post(f"/v1/carriers/{carrier}/faults", faults)
        if status != 200:
            raise AssertionError(f"faults: {status} {body}")

    def carrier_lines(self):
        return read_lines(self.ledger)

    def load_arguments(self, **options):
        """For `load`; underscores stand for dashes, True for a flag."""
        arguments = ["load", "--url", f"http://{self.gateway.ready['http']}", "--key", KEY, "--json"]
        for name, value in options.items():
            if value is True:
                arguments.append(f"--{name.replace('_', '-')}")
            elif value is not None and value is not False:
                arguments += [f"--{name.replace('_', '-')}", str(value)]
        return arguments

    def load(self, timeout=300, **options):
        """Runs `load` to its end and returns its report."""
        done = run(*self.load_arguments(**options), timeout=timeout)
        if done.returncode not in (0, 1):
            raise AssertionError(f"load ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def load_smpp(self, timeout=300, **options):
        """As load, over SMPP; `system_id` and `password` among the options."""
        arguments = self.load_arguments(**options)
        at = arguments.index("--url")
        arguments[at:at + 4] = ["--smpp", self.gateway.ready["smpp"]]
        done = run(*arguments, timeout=timeout)
        if done.returncode not in (0, 1):
            raise AssertionError(f"load ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def bound(self):
        """Every carrier has a link that takes submits."""
        return all(c["bound"] > 0 for c in self.control().get("/v1/carriers")["data"])


def read_lines(path):
    """NDJSON; a last line without its end is left out."""
    if not Path(path).exists():
        return []
    with open(path, "rb") as file:
        return [json.loads(line) for line in file if line.endswith(b"\n")]


def all_messages(api, query=""):
    """Every message the API knows, newest first; `query` as in "&status=queued". A page may be empty and not the
    last one."""
    cursor = ""
    while True:
        page = api.get(f"/v1/messages?limit=500{query}{cursor}")
        yield from page["data"]
        if not page["next_cursor"]:
            return
        cursor = f"&cursor={page['next_cursor']}"


def verify(accepted, carriers, attempted=None, messages=None):
    """(exit code, verdict or None, stderr)."""
    arguments = ["verify", "--json", "--accepted", accepted, "--carrier", carriers]
    if attempted:
        arguments += ["--attempted", attempted]
    if messages:
        arguments += ["--messages", messages]
    done = run(*arguments, timeout=600)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def write_messages(path, messages):
    with open(path, "w", encoding="utf-8") as file:
        for message in messages:
            file.write(json.dumps(message) + "\n")


def metrics(admin):
    """{(name, (label, value)...): number} of the Prometheus text."""
    out = {}
    for line in admin.get("/metrics").splitlines():
        if not line or line.startswith("#"):
            continue
        series, _, value = line.rpartition(" ")
        name, _, labels = series.partition("{")
        pairs = []
        for label in labels.rstrip("}").split(","):
            if label:
                key, _, text = label.partition("=")
                pairs.append((key, text.strip('"')))
        out[(name, *sorted(pairs))] = float(value)
    return out


def total(samples, name, **labels):
    """Sum of a metric's series that have these labels."""
    wanted = set(labels.items())
    return sum(v for key, v in samples.items() if key[0] == name and wanted <= set(key[1:]))


UNSETTLED = ("accepted", "scheduled", "queued", "submitting", "submitted")


def unsettled(api):
    """Messages in a state that something must still follow; `uncertain` may be an end."""
    for status in UNSETTLED:
        yield from all_messages(api, f"&status={status}")


def free_port():
    """A port nobody has right now. For what must come back on the same one after a restart."""
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def failpoint_names():
    """Every named failpoint of the binary."""
    import re
    names = set()
    for path in (ROOT / "src").rglob("*.cc"):
        if not path.name.endswith("_test.cc"):
            names.update(re.findall(r'FAILPOINT\("([a-z_.]+)"\)', path.read_text()))
    return sorted(names)
