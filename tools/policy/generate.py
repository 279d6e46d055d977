#!/usr/bin/env python3
"""Writes src/policy/countries.inc, holidays.inc and registration_times.inc, and src/numbering/zones.inc. The same input gives the same bytes.

usage: generate.py [--check]      --check: writes nothing; exit code 1 if a file is not what it would write

countries.csv   what each country allows, with sources and the day it was last verified. Facts, no advice; empty cells
                mean: no such rule is known. To verify a row: read its sources, correct the cells, set `verified`.
holidays.csv    days on which countries that forbid it have no marketing.
registration_times.csv
                how long a registration of a sender takes, in days of the calendar: the longest that the source tells, five
                working days as a week.
zones.inc       is made from the time zone database of this machine (Python's zoneinfo) for the zones of
                tools/numbering/timezones.tsv, and is left alone by --check: another machine may have newer rules.
"""

import csv
import datetime as dt
import re
import sys
import zoneinfo
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE.parent.parent / "src" / "policy"
ZONES = OUT.parent / "numbering"
FIRST_YEAR, LAST_YEAR = 2025, 2040
KINDS = ("alphanumeric", "long_number", "short_code", "toll_free")
RULES = {"unknown", "allowed", "registered", "some_networks", "route", "replaced", "refused"}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CHOICES = {
    "marketing": {"allowed", "registered", "route", "refused", "unknown"},
    "sender_kept": {"yes", "if_registered", "route", "no", "unknown"},
    "two_way": {"yes", "no", "unknown"},
    "concatenation": {"yes", "assumed", "route", "no"},
    "unicode": {"yes", "assumed", "route", "no"},
    "links": {"", "registered", "no_shorteners", "refused"},
    "phone_numbers": {"", "refused"},
    "opt_out": {"", "yes"},
    "consent": {"", "yes"},
    "quiet_holidays": {"", "yes"},
    "quiet_basis": {"", "law", "operator", "supplier", "practice"},
    "confidence": {"high", "medium", "low"},
}


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def days_since_1970(day):
    return (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days


def minutes(clock):
    hour, minute = map(int, clock.split(":"))
    if not (0 <= hour < 24 and 0 <= minute < 60):
        raise ValueError(clock)
    return hour * 60 + minute


def quiet(row):
    begin = end = 0
    if row["quiet"]:
        begin, end = map(minutes, row["quiet"].split("-"))
        if begin == end:
            raise ValueError("an empty window")
    days = sum(1 << DAYS.index(day) for day in row["quiet_days"].split())
    return f"{{{begin},{end},{days},{'true' if row['quiet_holidays'] else 'false'}}}"


def country(row):
    for key, values in CHOICES.items():
        if row[key] not in values:
            raise ValueError(f"{key}: {row[key]!r} is none of {sorted(values)}")
    for kind in KINDS:
        if row[kind] not in RULES:
            raise ValueError(f"{kind}: {row[kind]!r} is none of {sorted(RULES)}")
    if not re.fullmatch("[A-Z]{2}", row["country"]) or not row["name"]:
        raise ValueError("country and name must be given")
    if not row["sources"].startswith("https://"):
        raise ValueError("sources: a URL is missing")
    flag = lambda key: "true" if row[key] else "false"
    rules = ",".join(f"SenderRule::{row[kind]}" for kind in KINDS)
    basis = (row["quiet_basis"] or "none").replace("operator", "operator_")
    links = row["links"] or "allowed"
    return (f'{{"{row["country"]}",{text(row["name"])},{{{rules}}},{text(row["registry"])},Kept::{row["sender_kept"]},\n'
            f' Known::{row["two_way"]},Text::{row["concatenation"]},Text::{row["unicode"]},'
            f'Marketing::{row["marketing"]},{quiet(row)},Basis::{basis},Links::{links},'
            f'{flag("phone_numbers")},{flag("opt_out")},{flag("consent")},\n'
            f' {text(row["sender_prefix"])},{text(row["sender_suffix"])},{text(row["body_prefix"])},'
            f'Confidence::{row["confidence"]},{text(row["conflicts"])},\n'
            f' {text(row["sources"])},Day{{{days_since_1970(row["verified"])}}}}},')


def countries():
    rows = list(csv.DictReader((HERE / "countries.csv").open(encoding="utf-8")))
    out = []
    for row in rows:
        try:
            out.append(country(row))
        except ValueError as error:
            sys.exit(f"countries.csv: {row['country']}: {error}")
    codes = [row["country"] for row in rows]
    if codes != sorted(set(codes)):
        sys.exit("countries.csv: rows must be in the order of their codes, each once")
    latest = max(row["verified"] for row in rows)
    return ("// Made by tools/policy/generate.py from countries.csv: do not edit.\n"
            f'inline constexpr std::string_view kCountriesVersion = "countries-{latest}";\n'
            "inline constexpr CountryFacts kCountries[] = {\n" + "\n".join(out) + "\n};\n")


def holidays():
    rows = list(csv.DictReader((HERE / "holidays.csv").open(encoding="utf-8")))
    rows.sort(key=lambda row: (row["country"], row["date"]))
    lines = [f'{{"{row["country"]}",Day{{{days_since_1970(row["date"])}}},{text(row["name"])}}},' for row in rows]
    return ("// Made by tools/policy/generate.py from holidays.csv: do not edit.\n"
            "inline constexpr Holiday kHolidays[] = {\n" + "\n".join(lines) + "\n};\n")


def registration_times():
    rows = list(csv.DictReader((HERE / "registration_times.csv").open(encoding="utf-8")))
    keys = [(row["country"], KINDS.index(row["sender"])) for row in rows]
    if keys != sorted(set(keys)):
        sys.exit("registration_times.csv: rows must be in the order of countries and kinds of senders, each once")
    lines = [f'{{"{row["country"]}",SenderKind::{row["sender"]},{int(row["days"])},{text(row["source"])},'
             f'Day{{{days_since_1970(row["verified"])}}}}},' for row in rows]
    return ("// Made by tools/policy/generate.py from registration_times.csv: do not edit.\n"
            "inline constexpr RegistrationTime kRegistrationTimes[] = {\n" + "\n".join(lines) + "\n};\n")


def zone_names():
    names = set()
    for line in (HERE.parent / "numbering" / "timezones.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            names.update(line.split("\t")[1].split("&"))
    return sorted(names)


def offset(zone, second):
    return int(dt.datetime.fromtimestamp(second, zone).utcoffset().total_seconds() // 60)


def transitions(zone):
    """(second since 1970, minutes east of Greenwich from then on), the first from the beginning."""
    at = int(dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.timezone.utc).timestamp())
    end = int(dt.datetime(LAST_YEAR + 1, 1, 1, tzinfo=dt.timezone.utc).timestamp())
    out = [(at, offset(zone, at))]
    while at < end:
        after = min(at + 86400, end)
        if offset(zone, after) != out[-1][1]:
            low, high = at, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(zone, middle) == out[-1][1] else (low, middle)
            out.append((high, offset(zone, high)))
        at = after
    return tuple(out)


def zones():
    # Source: the version line of tzdata.
    version = "unknown"
    for folder in zoneinfo.TZPATH:
        listing = Path(folder) / "tzdata.zi"
        if listing.exists():
            version = listing.read_text().split("\n", 1)[0].split()[-1]
            break
    names = zone_names()
    lists = {name: transitions(zoneinfo.ZoneInfo(name)) for name in names}
    distinct = sorted(set(lists.values()))
    begin, begins = 0, []
    for changes in distinct:
        begins.append(begin)
        begin += len(changes)
    rows = ",\n".join(",".join(f"{{{second},{east}}}" for second, east in changes) for changes in distinct)
    return ("// Made by tools/policy/generate.py: do not edit.\n"
            f"// Source: the IANA time zone database {version}, {FIRST_YEAR} to {LAST_YEAR}.\n"
            f'inline constexpr std::string_view kZoneSource = "tzdata {version}";\n\n'
            "// Lists of changes one behind the other; list n goes from kZoneBegins[n] to kZoneBegins[n + 1].\n"
            f"inline constexpr Change kChanges[] = {{\n{rows}\n}};\n"
            f"inline constexpr std::uint16_t kZoneBegins[] = {{{','.join(map(str, begins + [begin]))}}};\n"
            "inline constexpr ZoneRow kZoneRows[] = {\n"
            + ",\n".join(f'{{"{name}",{distinct.index(lists[name])}}}' for name in names) + "\n};\n")


def zones_golden():
    """Of each zone a hash over its offset at the beginning of each hour of three years."""
    out = ["# Made by tools/policy/generate.py: zone, FNV-1a over its minutes east of Greenwich, each hour 2026 to 2028."]
    first = int(dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc).timestamp())
    last = int(dt.datetime(2029, 1, 1, tzinfo=dt.timezone.utc).timestamp())
    for name in zone_names():
        zone, digest = zoneinfo.ZoneInfo(name), 0xcbf29ce484222325
        for second in range(first, last, 3600):
            digest = ((digest ^ (offset(zone, second) + 1440)) * 0x100000001b3) % (1 << 64)
        out.append(f"{name}\t{digest:016x}")
    return "\n".join(out) + "\n"


def main():
    made = {OUT / "countries.inc": countries, OUT / "holidays.inc": holidays,
            OUT / "registration_times.inc": registration_times}
    check = "--check" in sys.argv[1:]
    if not check:
        made |= {ZONES / "zones.inc": zones, ZONES / "testdata" / "zones.tsv": zones_golden}
    stale = []
    for path, make in made.items():
        content = make()
        if check and path.read_text(encoding="utf-8") != content:
            stale.append(path.name)
        elif not check:
            path.write_text(content, encoding="utf-8")
    if stale:
        sys.exit(f"{', '.join(stale)}: not what tools/policy/generate.py makes; run it")


if __name__ == "__main__":
    main()
