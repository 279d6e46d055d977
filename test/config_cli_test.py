"""trunkline check, keys, encode and version as an operator meets them: output, exit codes, files left behind."""
import hashlib
import json
import os
import re
import stat
import subprocess
import tempfile
import unittest

BINARY = os.environ["TRUNKLINE_BINARY"]
ROOT = os.environ["TRUNKLINE_ROOT"]
DEMO = os.path.join(ROOT, "config/demo.yaml")

GOOD = """\
node: { name: n, region: eu }
listen: { http: { address: "127.0.0.1:0" } }
carriers: [ { name: a, region: eu, smpp: { host: h, port: 1, system_id: a, password: "PASSWORD" } } ]
routes: [ { name: r, via: [ { carrier: a } ] } ]
tenants:
  - name: t
    default_class: otp
    keys:
      # of the web shop
      - { id: web, hash: "sha256:WEB" }  # 2026-11
      - { id: app, hash: "sha256:APP" }
""".replace("WEB", "1" * 64).replace("APP", "2" * 64)


def run(*arguments, stdin="", env=None):
    return subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})})


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def write(self, name, text):
        path = os.path.join(self.directory.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Check(Case):
    def test_the_demo_has_nothing_to_say(self):
        result = run("check", DEMO)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 1)
        self.assertIn("ok, 0 warnings", result.stdout)

    def test_errors_have_file_line_and_column(self):
        path = self.write("x.yaml", GOOD.replace("routes:", "routs:").replace("port: 1,", "port: x,"))
        result = run("check", path)
        self.assertEqual(result.returncode, 2)
        lines = result.stdout.splitlines()
        self.assertTrue(lines[0].startswith(f"{path}:3:59: error: \"x\" is not a whole number"), lines)
        self.assertTrue(lines[1].startswith(f"{path}:4:1: error: unknown key \"routs\""), lines)
        self.assertIn("did you mean \"routes\"?", lines[1])
        self.assertTrue(lines[-1].endswith(": 2 errors, 0 warnings"), lines)

    def test_warnings_are_no_errors(self):
        result = run("check", self.write("x.yaml", GOOD + "classes: { x: {} }\n"))
        self.assertEqual(result.returncode, 0)
        self.assertIn(": warning: no tenant may send class \"x\"", result.stdout)
        self.assertIn(": warning: route \"r\" has one carrier only", result.stdout)
        self.assertIn("ok, 4 warnings;", result.stdout)

    def test_json(self):
        answer = json.loads(run("check", "--json", self.write("x.yaml", GOOD + "x: 1\n")).stdout)
        self.assertFalse(answer["ok"])
        self.assertEqual((answer["errors"], answer["warnings"], answer["version"]), (1, 0, None))
        finding = answer["findings"][0]
        self.assertEqual((finding["severity"], finding["line"], finding["column"]), ("error", 12, 1))
        answer = json.loads(run("check", "--json", DEMO).stdout)
        self.assertTrue(answer["ok"])
        self.assertRegex(answer["version"], "^[0-9a-f]{12}$")

    def test_secrets(self):
        path = self.write("x.yaml", GOOD.replace("PASSWORD", "${TRUNKLINE_TEST_PASSWORD}"))
        missing = run("check", path)
        self.assertEqual(missing.returncode, 2)
        self.assertIn(":3:86: error: environment variable TRUNKLINE_TEST_PASSWORD is not set", missing.stdout)
        self.assertEqual(run("check", path, env={"TRUNKLINE_TEST_PASSWORD": "x"}).returncode, 0)
        too_long = run("check", path, env={"TRUNKLINE_TEST_PASSWORD": "hunter2" * 10})
        self.assertEqual(too_long.returncode, 2)
        self.assertNotIn("hunter2", too_long.stdout + too_long.stderr)
        secret = self.write("secret", "eight888\n")
        path = self.write("y.yaml", GOOD.replace("PASSWORD", "file:" + secret))
        self.assertEqual(run("check", path).returncode, 0)
        os.remove(secret)
        self.assertIn("cannot be read: No such file", run("check", path).stdout)

    def test_directory_and_stdin(self):
        self.write("20.yml", "classes: { x: {} }\n")
        self.write("10.yaml", GOOD)
        self.write("notes.txt", "not yaml: [")
        result = run("check", self.directory.name)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("20.yml:1:12: warning", result.stdout)
        self.assertEqual(run("check", "-", stdin=GOOD).returncode, 0)

    def test_what_cannot_be_read(self):
        for path in ["/does/not/exist", self.directory.name]:
            result = run("check", path)
            self.assertEqual(result.returncode, 2, path)
            self.assertIn("error: " + path, result.stdout)
        # As much as config/ accepts is read, not all there is.
        self.assertEqual(run("check", "/dev/zero").returncode, 2)

    def test_usage(self):
        for arguments in [["check"], ["check", "--no-such-flag"], ["check", "a", "b"], [], ["no-such-command"],
                          ["keys"], ["keys", "list"], ["keys", "revoke", "--config", DEMO]]:
            self.assertEqual(run(*arguments).returncode, 2, arguments)
        self.assertEqual(run("check", "--help").returncode, 0)

    def test_schema_and_reference(self):
        schema = json.loads(run("check", "--schema").stdout)
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        self.assertFalse(schema["additionalProperties"])
        with open(os.path.join(ROOT, "docs/configuration.md"), encoding="utf-8") as file:
            self.assertIn("begin -->\n" + run("check", "--reference").stdout + "<!--", file.read())


class Explain(Case):
    def test_a_message_that_may_go(self):
        result = run("explain", "--config", DEMO, "--to", "+447700900123", "--class", "otp", "--from", "Acme")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertTrue(result.stdout.startswith("allow\nnumber: GB, mobile\n"), result.stdout)
        self.assertIn("rule tenant.sender: sender Acme is registered for tenant demo\n", result.stdout)
        self.assertIn("\n1. alpha (eu, preferred region)\n", result.stdout)
        told = json.loads(run("explain", "--config", DEMO, "--to", "+447700900123", "--json", "--region", "us",
                              "--text", "żółw " * 40).stdout)
        self.assertEqual((told["verdict"], told["segments"]), ("allow", 3))
        self.assertEqual(told["plan"][0], "beta")

    def test_it_is_counted_as_the_carriers_take_it(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "gateway.yaml")
            with open(DEMO, encoding="utf-8") as file:
                config = file.read()
            asked = ["explain", "--config", path, "--to", "+447700900123", "--from", "Acme", "--text", "aşk " * 50]

            def told(change=lambda text: text):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(change(config))
                out = json.loads(run(*asked, "--json").stdout)
                return out["encoding"], out["segments"]
            self.assertEqual(told(), ("ucs2", 3))
            all_turkish = lambda text: text.replace("smpp: { host", "smpp: { text: { single_shift: [ turkish ] }, host")
            self.assertNotEqual(all_turkish(config), config)
            self.assertEqual(told(all_turkish), ("gsm7", 2))
            self.assertIn("\ntext: 2 segments of gsm7\n", run(*asked).stdout)
            # Where they differ, by the default.
            self.assertEqual(told(lambda text: text.replace("smpp: { host", "smpp: { text: { single_shift: [ turkish ] }, host", 1)),
                             ("ucs2", 3))

    def test_networks_ranges_and_hours(self):
        with tempfile.TemporaryDirectory() as directory:
            ranges = os.path.join(directory, "ranges.csv")
            with open(ranges, "w", encoding="utf-8") as file:
                file.write("prefix,country,mccmnc,name\n4917112,,26202,\n49171123,DE,,Acme Mobile\n")
            with open(DEMO, encoding="utf-8") as file:
                text = file.read()
            text = text.replace("\nroutes:\n", f"""
numbering: {{ ranges: {ranges} }}
routes:
  - {{ name: vodafone, match: {{ mccmnc: 26209, country: DE }}, via: [ {{ carrier: gamma }} ] }}
  - {{ name: acme, match: {{ network: acme mobile, when: {{ days: sat, from: "22:00", to: "06:00" }} }}, via: [ {{ carrier: beta }} ] }}
  - {{ name: office, match: {{ country: DE, class: support, when: {{ from: "09:00", to: "17:00", zone: Europe/Berlin }} }}, via: [ {{ carrier: beta }} ] }}
""")
            path = os.path.join(directory, "x.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

            def told(to, *more):
                result = run("explain", "--config", path, "--to", to, "--json", *more)
                self.assertEqual(result.stderr, "")
                return json.loads(result.stdout)

            table = told("+491721234567")
            self.assertEqual(table["network"],
                             {"code": "26202", "name": "Vodafone", "portable": True, "ported": None, "source": "prefix"})
            self.assertEqual(table["plan"][0], "gamma")
            own = told("+491711200000")
            self.assertEqual((own["network"]["name"], own["network"]["source"]), ("Vodafone", "ranges"))
            self.assertEqual(own["plan"][0], "gamma")
            other = told("+491711300000")
            self.assertEqual(other["network"]["name"], "Telekom")
            self.assertEqual([r["mismatch"] for r in other["routes"]][:2], ["network", "network"])
            self.assertEqual(told("+491711230000", "--at", "2026-11-29T05:00:00Z")["plan"][0], "beta")
            self.assertEqual(told("+491711230000", "--at", "2026-11-29T06:00:00Z")["routes"][1]["mismatch"], "when")
            # By the clocks of Berlin: an hour behind in November, two in July.
            for at, inside in (("2026-11-30T07:59:00Z", False), ("2026-11-30T08:00:00Z", True),
                               ("2026-07-30T06:59:00Z", False), ("2026-07-30T07:00:00Z", True)):
                routes = told("+491711300000", "--class", "support", "--at", at)["routes"]
                self.assertEqual([r["route"] for r in routes if r["route"] == "office" and r["mismatch"] is None],
                                 ["office"] if inside else [], at)

            version = told("+491711230000")["config_version"]
            with open(ranges, "a", encoding="utf-8") as file:
                file.write("4917,,,\n")
            result = run("check", path)
            self.assertEqual(result.returncode, 2)
            self.assertIn(f"{ranges}:4:1: error: the row says nothing of its numbers; fill in", result.stdout)
            with open(ranges, "w", encoding="utf-8") as file:
                file.write("prefix,name\n49171123,Acme Mobile\n")
            self.assertNotEqual(told("+491711230000")["config_version"], version)

    def test_prices(self):
        with tempfile.TemporaryDirectory() as directory:
            def write(name, text):
                path = os.path.join(directory, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                return path

            a = write("a.csv", "country,mccmnc,price,currency,effective_from\nGB,,0.03,EUR,\nGB,,0.01,EUR,2027-01-01\n"
                               "GB,23430,0.05,EUR,\n*,,0.1,EUR,\n")
            b = write("b.csv", "country,price\n*,0.04\n")
            with open(DEMO, encoding="utf-8") as file:
                text = file.read()
            text = text.replace("{ name: alpha, ", f"{{ name: alpha, prices: {a}, ")
            text = text.replace("{ name: gamma, ", f"{{ name: gamma, prices: {b}, ")
            text = text.replace("\nroutes:\n", """
routes:
  - { name: cheap, match: { country: [ GB, FR ] }, strategy: cheapest, via: [ { carrier: beta }, { carrier: gamma }, { carrier: alpha } ] }
""")
            path = write("x.yaml", text)

            def prices(to, *more):
                result = run("explain", "--config", path, "--to", to, "--json", *more)
                self.assertEqual(result.stderr, "")
                return [(c["carrier"], c["price"]) for c in json.loads(result.stdout)["candidates"]]

            now = ["--at", "2026-11-23T00:00:00Z"]
            self.assertEqual(prices("+447400123456", *now), [("alpha", 0.03), ("gamma", 0.04), ("beta", None)])
            self.assertEqual(prices("+447973000000", *now), [("gamma", 0.04), ("alpha", 0.05), ("beta", None)])
            self.assertEqual(prices("+33612345678", *now)[0], ("gamma", 0.04))
            self.assertEqual(prices("+447400123456", "--at", "2027-01-01T00:00:00Z")[0], ("alpha", 0.01))
            told = run("explain", "--config", path, "--to", "+447400123456", *now).stdout
            self.assertIn("1. alpha (eu, preferred region; price 0.03)\n", told)
            write("b.csv", "country,price,currency\n*,0.04,USD\nXX,1,\n")
            result = run("check", path)
            self.assertEqual(result.returncode, 2)
            self.assertIn(f"{b}:2:1: error: a price in USD, where others are in EUR; convert it", result.stdout)
            self.assertIn(f"{b}:3:1: error: \"XX\" is no country with numbers; use a code", result.stdout)

    def test_a_message_that_may_not(self):
        result = run("explain", "--config", DEMO, "--to", "+447700900123", "--from", "Nobody", "--json")
        self.assertEqual(result.returncode, 1)
        told = json.loads(result.stdout)
        self.assertEqual((told["verdict"], told["code"]), ("refuse", "policy_refused"))

    def test_usage(self):
        for wrong in [["--to", "447700900123"], ["--to", "+447700900123", "--class", "x"],
                      ["--to", "+447700900123", "--tenant", "x"], ["--to", "+447700900123", "--at", "noon"]]:
            result = run("explain", "--config", DEMO, *wrong)
            self.assertEqual(result.returncode, 2, wrong)
            self.assertIn("trunkline explain: " + wrong[-2], result.stderr)


class Plan(Case):
    MODEL = """\
start: 2026-11-27
length: 10m
uses:
  - { name: codes, tenant: demo, class: otp, to: "+447700900", from: Acme, rate: 20/s, within: 2s }
  - { name: news, tenant: demo, class: marketing, to: "+447700900", from: Acme, messages: 20000, at: 1m, over: 1m, within: WITHIN }
"""

    def plan(self, within, *arguments):
        model = self.write("model.yaml", self.MODEL.replace("WITHIN", within))
        config = self.write("config.yaml", open(DEMO, encoding="utf-8").read() +
                            "\ncountries: { GB: { quiet_hours: none } }\n")
        return run("plan", config, "--model", model, *arguments)

    def test_enough_and_not_enough(self):
        enough = self.plan("5m", "--json")
        self.assertEqual(enough.returncode, 0, enough.stdout + enough.stderr)
        told = json.loads(enough.stdout)
        self.assertTrue(told["ok"])
        self.assertEqual([(u["name"], u["ok"]) for u in told["uses"]], [("codes", True), ("news", True)])
        missing = self.plan("30s", "--json")
        self.assertEqual(missing.returncode, 1)
        told = json.loads(missing.stdout)
        self.assertEqual([u["ok"] for u in told["uses"]], [True, False])
        gamma = [c for c in told["carriers"] if c["name"] == "gamma"][0]
        self.assertAlmostEqual(gamma["needs_per_s"], 20_000 / 90, delta=10)
        self.assertEqual(told["queues"][0]["carrier"], "gamma")
        self.assertIn("bottleneck: gamma", self.plan("30s").stdout)

    def test_mistakes_have_their_place(self):
        broken = self.write("model.yaml", "start: 2026-11-27\nuses: [ { name: a, tenant: nobody, to: x, rate: 1/s } ]\n")
        done = run("plan", DEMO, "--model", broken)
        self.assertEqual(done.returncode, 2)
        self.assertIn(':2:28: error: there is no tenant "nobody" (uses[0].tenant)', done.stderr)
        self.assertEqual(run("plan", DEMO, "--model", broken + ".not").returncode, 2)
        self.assertEqual(run("plan", DEMO).returncode, 2)


class Keys(Case):
    def test_new(self):
        first, second = (json.loads(run("keys", "new", "--id", "web", "--json").stdout) for _ in range(2))
        self.assertNotEqual(first["key"], second["key"])
        self.assertRegex(first["key"], "^tl_[A-Za-z0-9_-]{43}$")
        self.assertEqual(first["hash"], "sha256:" + hashlib.sha256(first["key"].encode()).hexdigest())
        config = GOOD + "      " + first["yaml"].replace("web", "new") + "\n"
        self.assertEqual(run("check", self.write("x.yaml", config)).returncode, 0)
        text = run("keys", "new", "--tenant", "acme")
        self.assertIn("under the keys of tenant acme", text.stdout)
        self.assertEqual(len(re.findall(r"tl_[\w-]{43}", text.stdout)), 1)
        token = run("keys", "new", "--role", "viewer")
        self.assertIn("role: viewer }", token.stdout)
        for wrong in [["--id", "a b"], ["--role", "king"], ["--role", "viewer", "--tenant", "t"]]:
            self.assertEqual(run("keys", "new", *wrong).returncode, 2, wrong)

    def test_list(self):
        path = self.write("x.yaml", GOOD)
        self.assertEqual(json.loads(run("keys", "list", "--config", path, "--json").stdout),
                         [{"tenant": "t", "id": "web", "file": path, "line": 10},
                          {"tenant": "t", "id": "app", "file": path, "line": 11}])
        self.assertEqual(run("keys", "list", "--config", "/does/not/exist").returncode, 2)

    def test_revoke_keeps_everything_else(self):
        path = self.write("x.yaml", GOOD)
        os.chmod(path, 0o640)
        link = os.path.join(self.directory.name, "link.yaml")
        os.symlink(path, link)
        dry = run("keys", "revoke", "web", "--config", link, "--dry-run")
        self.assertEqual(dry.returncode, 0)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), GOOD)
        result = run("keys", "revoke", "web", "--config", link)
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = GOOD.splitlines(keepends=True)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "".join(lines[:9] + lines[10:]))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(sorted(os.listdir(self.directory.name)), ["link.yaml", "x.yaml"])
        self.assertEqual(run("keys", "revoke", "web", "--config", path).returncode, 1)

    def test_revoke_asks_when_it_is_not_clear(self):
        path = self.write("x.yaml", GOOD + GOOD[GOOD.index("  - name: t"):].replace("name: t", "name: u"))
        result = run("keys", "revoke", "web", "--config", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("tenant t", result.stderr)
        self.assertIn("tenant u", result.stderr)
        self.assertEqual(run("keys", "revoke", "web", "--tenant", "u", "--config", path).returncode, 0)
        self.assertEqual(run("keys", "revoke", "web", "--config", path).returncode, 0)
        self.assertEqual(run("keys", "revoke", "web", "--config", path).returncode, 1)

    def test_revoke_does_not_guess(self):
        text = "tenants:\n  - { name: t, keys: &k [ { id: a } ] }\n  - { name: u, keys: *k }\n"
        path = self.write("x.yaml", text)
        result = run("keys", "revoke", "a", "--tenant", "t", "--config", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("NOT revoked", result.stderr)
        self.assertIn("x.yaml:2", result.stderr)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), text)

    def test_password(self):
        result = run("keys", "password", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        made = json.loads(result.stdout)
        self.assertRegex(made["password"], "^[A-Za-z0-9]{8}$")
        self.assertRegex(made["password_hash"], r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$")
        result = run("keys", "password", "--stdin", "--json", stdin="demopass\n")
        self.assertEqual(list(json.loads(result.stdout)), ["password_hash"])
        result = run("keys", "password", "--stdin", stdin="")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no password", result.stderr)


class Encode(unittest.TestCase):
    def encode(self, text, *arguments):
        result = run("encode", "--json", "--text", text, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_the_alphabet_chosen(self):
        for arguments, alphabet, octets in (
                ([], "ucs2", "015f"),
                (["--languages", "tr"], "single_shift", "032401011b73"),
                (["--languages", "turkish", "--shifts", "locking"], "locking_shift", "032501011d"),
                (["--languages", "all", "--alphabets", "ucs2"], "ucs2", "015f"),
                (["--transliterate", "diacritics"], "default", "73")):
            answer = self.encode("ş", *arguments)
            self.assertEqual((answer["alphabet"], answer["segments"][0]["octets"]), (alphabet, octets), arguments)

    def test_facts(self):
        answer = self.encode("It’s " + "नमस्ते " * 30, "--languages", "hindi", "--wide-reference", "--reference", "4660",
                             "--transliterate", "lookalikes")
        self.assertEqual((answer["locking_shift"], answer["single_shift"]), ("hindi", "hindi"))
        self.assertEqual((answer["data_coding"], answer["esm_class"], answer["transliterated"]), (0, 64, 1))
        self.assertEqual((answer["units_single"], answer["units_multipart"]), (152, 145))
        self.assertEqual([s["header"] for s in answer["segments"]],
                         ["0c080412340201250106240106", "0c080412340202250106240106"])
        self.assertEqual("".join(s["text"] for s in answer["segments"]), answer["text"])
        self.assertTrue(answer["text"].startswith("It's "))

    def test_as_a_carrier_takes_it(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "gateway.yaml")
            with open(DEMO, encoding="utf-8") as file:
                config = file.read()
            for carrier, text in (("alpha", "single_shift: [ turkish ], parts: sar"), ("beta", "parts: payload"),
                                  ("gamma", "alphabets: [ gsm7, latin1, ucs2 ], parts: udh16")):
                at = config.index("smpp: { host", config.index(f"{{ name: {carrier}"))
                config = config[:at] + f"smpp: {{ text: {{ {text} }}, host" + config[at + len("smpp: { host"):]
            with open(path, "w", encoding="utf-8") as file:
                file.write(config)

            def encode(carrier, text, *more):
                answer = self.encode(text, "--config", path, "--carrier", carrier, *more)
                return answer["alphabet"], answer["parts"], [s["header"] for s in answer["segments"]]
            self.assertEqual(encode("alpha", "aşk " * 50), ("single_shift", "sar", ["03240101"] * 2))
            self.assertEqual(encode("beta", "aşk " * 50)[:2], ("ucs2", "payload"))
            self.assertEqual(encode("gamma", "Ð"), ("latin1", "udh16", [""]))
            self.assertEqual(encode("gamma", "long " * 40, "--reference", "4660")[2], ["06080412340201", "06080412340202"])
            result = run("encode", "--text", "long " * 40, "--config", path, "--carrier", "beta")
            self.assertIn("the whole text in message_payload", result.stdout)
            for arguments, why in ((["--carrier", "alpha"], "--config"), (["--carrier", "x", "--config", path], "alpha, beta, gamma"),
                                   (["--carrier", "alpha", "--config", path, "--packed"], "excludes")):
                result = run("encode", "--text", "a", *arguments)
                self.assertEqual((result.returncode, why in result.stderr), (2, True), result.stderr)

    def test_what_is_refused(self):
        for arguments, code, why in ((["--text", "ж", "--alphabets", "gsm7"], 1, "character at byte 0"),
                                     (["--text", "a" * 161, "--segments-max", "1"], 1, "more than 1 segment;"),
                                     (["--text", "a", "--languages", "xx"], 2, "no tables for 'xx'"),
                                     (["--text", "a", "--reference", "256"], 2, "--wide-reference")):
            result = run("encode", *arguments)
            self.assertEqual(result.returncode, code, arguments)
            self.assertIn(why, result.stderr)


class Version(unittest.TestCase):
    def test_version(self):
        answer = json.loads(run("version", "--json").stdout)
        self.assertRegex(answer["version"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(answer["commit"], r"^([0-9a-f]{12}(-dirty)?|unknown)$")
        self.assertIn("Clang", answer["compiler"])
        self.assertLessEqual({"boost", "fmt", "openssl", "rocksdb", "sodium", "yaml-cpp"},
                             set(answer["dependencies"]))
        self.assertIn(answer["commit"], run("version").stdout)


if __name__ == "__main__":
    unittest.main()
