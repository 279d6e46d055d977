"""What a configuration or a price list would make of traffic: check --report, diff, cost."""
import json
import os
import subprocess
import tempfile
import unittest

BINARY = os.environ["TRUNKLINE_BINARY"]
ROOT = os.environ["TRUNKLINE_ROOT"]
DEMO = os.path.join(ROOT, "config/demo.yaml")


def run(*arguments, **more):
    return subprocess.run([BINARY, *arguments], text=True, capture_output=True, timeout=60, **more)


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def demo(self, name, routes):
        with open(DEMO, encoding="utf-8") as file:
            text = file.read()
        head, rest = text.split("\nroutes:\n")
        return self.write(name, head + "\nroutes:\n" + routes + "\ntenants:" + rest.split("\ntenants:")[1])


class Coverage(Case):
    def test_warnings_have_lines_and_are_few(self):
        path = self.demo("x.yaml", """
  - { name: gb, match: { country: GB }, via: [ { carrier: alpha } ] }
  - { name: fr, match: { country: FR }, via: [ { carrier: alpha } ] }
  - { name: us, match: { country: [ US, CA ] }, via: [ { carrier: alpha }, { carrier: gamma } ] }
""")
        with open(path, encoding="utf-8") as file:
            line = file.read().split("\n").index("  - { name: gb, match: { country: GB }, via: [ { carrier: alpha } ] }") + 1
        result = run("check", path)
        self.assertEqual(result.returncode, 0, result.stdout)
        said = [text for text in result.stdout.split("\n") if "warning: " in text]
        self.assertEqual(len(said), 4, result.stdout)  # with the carrier that no route names
        self.assertTrue(any(s.startswith(f"{path}:{line}:") and 'routes "gb", "fr" have one carrier only' in s for s in said), said)
        self.assertTrue(any(s.startswith(f"{path}:{line + 2}:") and "all in one region" in s for s in said), said)
        self.assertTrue(any("no route takes marketing, otp, support, transactional to 241 countries: AC, " in s for s in said), said)
        findings = json.loads(run("check", "--json", path).stdout)
        self.assertEqual((findings["ok"], findings["warnings"]), (True, 4))

    def test_the_demo_has_no_gap(self):
        self.assertIn("ok, 0 warnings", run("check", DEMO).stdout)

    def test_the_report(self):
        report = json.loads(run("check", "--report", "--json", DEMO).stdout)
        self.assertTrue(report["complete"])
        self.assertEqual(report["tenants"], [["demo"]])
        by = {(c["class"], tuple(c["countries"])): c for c in report["coverage"]}
        self.assertEqual(by["otp", ("CA", "US")]["route"], "north-america")
        self.assertEqual({c["reach"] for c in report["coverage"]}, {"full"})
        self.assertEqual([r["name"] for r in report["routes"] if r["reached"]], ["north-america", "campaigns", "default"])
        self.assertEqual({c["name"]: c["alone_for"] for c in report["carriers"]}, {"alpha": [], "beta": [], "gamma": []})
        text = run("check", "--report", DEMO).stdout
        self.assertIn("class otp\n    full     north-america        beta, alpha", text)


    def test_volume_and_peak(self):
        traffic = self.write("t.csv", "to,segments,at\n" + "+447400123456,2,2026-11-23T08:00:10Z\n" * 3
                             + "+447400123456,1,2026-11-23T08:01:10Z\n+33612345678,1,\n")
        report = json.loads(run("check", "--report", "--json", "--traffic", traffic, DEMO).stdout)
        self.assertEqual(report["traffic"], [{"country": "FR", "messages": 1, "segments": 1, "minute_peak": None},
                                             {"country": "GB", "messages": 4, "segments": 7, "minute_peak": 6}])
        self.assertRegex(run("check", "--report", "--traffic", traffic, DEMO).stdout, r"  GB +4 +7 +6\n")
        # The registrations of these countries only; of all that are reached without traffic.
        traffic = self.write("t.csv", "to\n+971501234567\n+447400123456\n")
        report = json.loads(run("check", "--report", "--json", "--traffic", traffic, DEMO).stdout)
        self.assertEqual([(r["country"], r["tenant"], r["senders"], r["asked_by"], r["state"], r["days"])
                          for r in report["registrations"] if r["asked_by"] == "country"],
                         [("AE", "demo", ["Acme"], "country", "missing", 25)])
        self.assertIn("\n  AE alphanumeric demo             missing: Acme; takes up to 25 days\n",
                      run("check", "--report", "--traffic", traffic, DEMO).stdout)
        report = json.loads(run("check", "--report", "--json", DEMO).stdout)
        self.assertGreater(len({r["country"] for r in report["registrations"]}), 30)
        self.assertEqual(run("check", "--report", "--traffic", "/gone", DEMO).returncode, 2)


class Diff(Case):
    def setUp(self):
        super().setUp()
        self.old = self.demo("old.yaml", """
  - { name: gb, match: { country: GB }, via: [ { carrier: alpha, price: 0.03 }, { carrier: beta, price: 0.04 } ] }
  - { name: all, via: [ { carrier: beta, price: 0.07 }, { carrier: alpha, price: 0.05 } ] }
""")
        self.new = self.demo("new.yaml", """
  - { name: gb-otp, match: { country: GB, class: otp }, via: [ { carrier: gamma, price: 0.02 }, { carrier: beta } ] }
  - { name: gb, match: { country: GB }, via: [ { carrier: alpha, price: 0.03 }, { carrier: beta, price: 0.04 } ] }
  - { name: some, match: { country: FR }, via: [ { carrier: beta, price: 0.07 }, { carrier: alpha, price: 0.05 } ] }
""")
        self.csv = self.write("t.csv", 'to,class,from,text,at\n'
                              '+447400123456,otp,Acme,"Hello, world",2026-11-23T08:00:00Z\n'
                              '+447400123457,marketing,Acme,"two\nlines",\n'
                              '+33612345678,otp,,,\n+491711234567,otp,,,\n+447400123456,otp,Nobody,,\n')

    def test_what_changes(self):
        result = run("diff", self.old, self.new, "--traffic", self.csv, "--json")
        self.assertEqual(result.returncode, 1, result.stderr)
        d = json.loads(result.stdout)
        self.assertEqual([d[k] for k in ("messages", "changed", "verdict", "route", "carrier", "price")], [5, 3, 1, 3, 2, 2])
        self.assertEqual(d["cost_before"], {"amount": "0.1600", "unknown": 0})
        self.assertEqual(d["cost_after"], {"amount": "0.1000", "unknown": 0})
        self.assertEqual({(p["country"], p["class"]): p["changed"] for p in d["places"]},
                         {("DE", "otp"): 1, ("FR", "otp"): 1, ("GB", "marketing"): 0, ("GB", "otp"): 1})
        verdict = [e for e in d["examples"] if e["change"] == "verdict"]
        self.assertEqual(verdict, [{"change": "verdict", "line": 6, "to": "+491*******67", "before": "allow",
                                    "after": "refuse: routing.no_route"}])
        self.assertEqual({c["carrier"]: (c["before"], c["after"]) for c in d["carriers"]},
                         {"alpha": (4, 2), "gamma": (0, 1)})
        text = run("diff", self.old, self.new, "--traffic", self.csv).stdout
        self.assertIn("5 messages, 3 change: 1 verdict, 3 route, 2 first carrier, 2 price\ncost 0.1600 -> 0.1000\n", text)
        self.assertIn("line 6, +491*******67: verdict allow -> refuse: routing.no_route\n", text)
        self.assertNotIn("+491711234567", text)

    def test_nothing_changes(self):
        rows = [{"to": "+447400123456", "class": "otp", "tenant": "demo", "segments": 3, "unicode": True},
                {"to": "+33612345678", "text": "żółw", "from": None}]
        result = run("diff", self.old, self.old, "--traffic", "-", "--json",
                     input="\n".join(json.dumps(row) for row in rows) + "\n\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        d = json.loads(result.stdout)
        self.assertEqual((d["messages"], d["changed"], d["cost_before"]["amount"]), (2, 0, "0.1400"))

    def test_bad_traffic(self):
        for text, said in [('to\n447\n', 't.x:2: to: '), ('to,body\n', 't.x:1: there is no column "body"; fields are to,'),
                           ('{"to":"+447400123456"}\n{"to":1}\n', "t.x:2: to: "), ("{\n", "t.x:1: this is no JSON object"),
                           ('{"body":"x"}', 't.x:1: there is no field "body"'), ("to,at\n+447400123456,noon\n", "t.x:2: at: "),
                           ("to,segments\n+447400123456,0\n", "t.x:2: segments: write a number"),
                           ("to,seconds\n+447400123456,-1\n", "t.x:2: seconds: write a number"),
                           ("to,from\n+447400123456\n", "t.x:2: 1 fields under 2 headings"), ('to\n"', "t.x:2: a quote is not closed")]:
            result = run("diff", self.old, self.new, "--traffic", self.write("t.x", text))
            self.assertEqual(result.returncode, 2, text)
            self.assertIn(said, result.stderr)
        self.assertIn("cannot be read", run("diff", self.old, self.new, "--traffic", "/gone").stderr)


class Cost(Case):
    def test_lists_side_by_side(self):
        a = self.write("a.csv", "country,mccmnc,price,currency\nGB,,0.03,EUR\nGB,23415,0.06,EUR\n*,,0.1,EUR\n")
        b = self.write("b.csv", "country,price,currency,effective_from\nGB,0.04,EUR,\nGB,0.01,EUR,2027-01-01\n")
        traffic = self.write("t.csv", "to,segments,at\n+447400123456,2,2026-11-23T00:00:00Z\n"
                                      "+447400123456,1,2027-01-01T00:00:00Z\n+33612345678,1,\n")
        result = run("cost", "--traffic", traffic, "--prices", a, "--prices", b, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        c = json.loads(result.stdout)
        self.assertEqual((c["currency"], c["messages"], c["segments"]), ("EUR", 3, 4))
        self.assertEqual(c["costs"], [{"amount": "0.1900", "unpriced": 0}, {"amount": "0.0900", "unpriced": 1}])
        self.assertEqual(c["best"], {"amount": "0.1700", "unpriced": 0})
        self.assertEqual([(p["country"], p["cheapest"]) for p in c["countries"]], [("FR", a), ("GB", a)])
        text = run("cost", "--traffic", traffic, "--prices", a, "--prices", b).stdout
        self.assertRegex(text, r"all +3 +4 +0\.1900 +0\.0900 \+1\?  A\n")

    def test_what_became_of_it(self):
        a = self.write("a.csv", "country,price\n*,0.1\n")
        rows = ["GB,alpha,delivered,1.5", "GB,alpha,delivered,2.5", "FR,alpha,undelivered,4", "GB,alpha,submitted,",
                "GB,beta,uncertain,", "GB,,accepted,"]
        to = {"GB": "+447400123456", "FR": "+33612345678"}
        traffic = self.write("t.csv", "to,carrier,status,seconds\n" + "".join(to[r[:2]] + r[2:] + "\n" for r in rows))
        c = json.loads(run("cost", "--traffic", traffic, "--prices", a, "--json").stdout)["carriers"]
        self.assertEqual([x["carrier"] for x in c], ["alpha", "beta"])
        self.assertEqual((c[0]["messages"], c[0]["ended"], c[0]["delivered"]), (4, 3, 2))
        self.assertAlmostEqual(c[0]["delivery_ratio"], 2 / 3, places=3)
        self.assertEqual((c[0]["receipt_p50_seconds"], c[0]["receipt_p95_seconds"]), (1.5, 2.5))
        self.assertEqual([(p["country"], p["delivery_ratio"]) for p in c[0]["countries"]], [("FR", 0), ("GB", 1)])
        self.assertEqual((c[1]["delivery_ratio"], c[1]["receipt_p50_seconds"]), (0, None))
        text = run("cost", "--traffic", traffic, "--prices", a).stdout
        self.assertRegex(text, r"alpha +all +4 +66\.7 % +1\.5 / 2\.5 s\n +GB +3 +100\.0 % .*\n +FR +1 +0\.0 % +- / - s\n")
        self.assertRegex(text, r"beta +all +1 +0\.0 %")
        report = json.loads(run("check", "--report", "--json", "--traffic", traffic, DEMO).stdout)
        self.assertEqual(report["outcomes"], c)
        self.assertRegex(run("check", "--report", "--traffic", traffic, DEMO).stdout, r"\nalpha +all +4 +66\.7 %")

    def test_carriers_side_by_side(self):
        """What each costs, and what it allows, on the same traffic."""
        prices = self.write("p.csv", "country,price\nGB,0.03\nUS,0.01\n")
        cheap = self.write("c.csv", "country,price\nGB,0.02\n")
        config = self.write("x.yaml", f"""
node: {{ name: n, region: eu }}
listen: {{ http: {{ address: "127.0.0.1:0" }} }}
currency: EUR
carriers:
  - name: alpha
    region: eu
    rate: 200/s
    prices: {prices}
    policy: {{ senders: {{ alphanumeric: allowed, short_code: refused }}, max_segments: 2, unicode: false, two_way: false,
              caps: [ {{ segments: 1000, per: day }} ] }}
    smpp: {{ host: h, port: 1, system_id: a, binds: 3, window: 20, registered_delivery: none,
            text: {{ parts: sar }}, tls: {{ pin: "sha256:{'0' * 64}" }} }}
  - name: beta
    region: us
    prices: {cheap}
    smpp: {{ host: h, port: 2, system_id: b }}
routes:
  - {{ name: all, via: [ {{ carrier: alpha }}, {{ carrier: beta }} ] }}
tenants:
  - {{ name: one, default_class: transactional, senders: [ Acme, "+15005550006" ], registrations: [
      {{ kind: 10dlc, id: C1, country: US, senders: [ "+15005550006" ], state: pending }} ] }}
""")
        traffic = self.write("t.csv", "to,from,segments,unicode\n+447400123456,Acme,1,false\n+447400123457,Acme,3,false\n"
                                      "+447400123458,Acme,1,true\n+12125551234,+15005550006,1,false\n")
        done = run("cost", "--traffic", traffic, "--config", config, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        c = json.loads(done.stdout)
        self.assertEqual((c["lists"], c["currency"]), (["alpha", "beta"], "EUR"))
        self.assertEqual([x["amount"] for x in c["costs"]], ["0.1600", "0.1000"])
        alpha, beta = c["controls"]["carriers"]
        self.assertEqual((alpha["takes"], alpha["leaves"]), (2, [{"rule": "carrier.text", "messages": 2}]))
        self.assertEqual((beta["takes"], beta["leaves"], beta["rate"], beta["tls"]), (4, [], None, "no"))
        self.assertEqual({key: alpha[key] for key in ("region", "rate", "binds", "window", "tls", "receipts", "unicode",
                                                      "parts", "max_segments", "two_way", "caps")},
                         {"region": "eu", "rate": 200, "binds": 3, "window": 20, "tls": "pinned", "receipts": "none",
                          "unicode": False, "parts": "sar", "max_segments": 2, "two_way": False,
                          "caps": ["1000 segments a day"]})
        self.assertEqual((alpha["senders"]["alphanumeric"], alpha["senders"]["short code"]), ("allowed", "refused"))
        gb, us = c["controls"]["countries"]
        self.assertEqual((gb["country"], gb["messages"], us["country"]), ("GB", 3, "US"))
        self.assertEqual(gb["senders"], [{"kind": "alphanumeric", "messages": 3, "rule": gb["senders"][0]["rule"]}])
        (needed,) = [r for r in c["controls"]["registrations"] if r["registration"] == "10dlc C1"]
        self.assertEqual((needed["state"], needed["country"]), ("pending", "US"))

        text = run("cost", "--traffic", traffic, "--config", config).stdout
        self.assertRegex(text, r"controls +A = alpha +B = beta\ntakes of it +50\.0 % +100\.0 %\n  not: carrier\.text +2 +-\n")
        for line in (r"rate +200/s +any", r"binds x window +3 x 20 +1 x 50", r"caps +1000 segments a day +none",
                     r"TLS +pinned +no", r"receipts +none +final", r"parts +sar +udh",
                     r"segments +up to 2 +any", r"answers +no +yes", r"US +1 .*1 long number: ", r"  US .* pending \(10dlc C1\)"):
            self.assertRegex(text, rf"(?m)^{line}")
        both = json.loads(run("cost", "--traffic", traffic, "--config", config, "--carrier", "beta", "--prices", prices,
                              "--json").stdout)
        self.assertEqual(both["lists"], [prices, "beta"])
        self.assertEqual([x["name"] for x in both["controls"]["carriers"]], ["beta"])
        for wrong, said in [([], "name price lists with --prices, or carriers with --config"),
                            (["--carrier", "beta", "--prices", prices], "--carrier: name the configuration"),
                            (["--config", config, "--carrier", "gamma"], "has no carrier gamma"),
                            (["--config", config, "--ranges", prices], "--ranges: the configuration"),
                            (["--config", config] + ["--carrier", "beta"] * 9, "8 can be compared")]:
            done = run("cost", "--traffic", traffic, *wrong)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)

    def test_ranges_and_mistakes(self):
        a = self.write("a.csv", "country,mccmnc,price\nDE,26299,0.5\nDE,,0.1\n")
        ranges = self.write("r.csv", "prefix,country,mccmnc,name\n49171,DE,26299,Acme\n")
        traffic = self.write("t.csv", "to\n+491711234567\n")
        missing = run("cost", "--traffic", traffic, "--prices", a)
        self.assertEqual(missing.returncode, 2)
        self.assertIn(f"{a}:2: error: no network is known by the code 26299; ", missing.stderr)
        c = json.loads(run("cost", "--traffic", traffic, "--prices", a, "--ranges", ranges, "--json").stdout)
        self.assertEqual(c["costs"][0]["amount"], "0.5000")


if __name__ == "__main__":
    unittest.main()
