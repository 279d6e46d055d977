// Writes src/numbering/time_zones.inc from timezones.tsv, and golden answers for the test. The same
// input gives the same bytes.
//
//   node tools/numbering/timezones.mjs
//
// To take newer data: put libphonenumber's resources/timezones/map_data.txt, its | made tabs, behind a
// heading like the one that is there, commit and date in it, run this, commit everything.
import { readFileSync, writeFileSync } from 'node:fs';
import { rows } from './rows.mjs';

const here = (path) => new URL(path, import.meta.url);
const text = readFileSync(here('timezones.tsv'), 'utf8');
const commit = /commit\s+#\s+([0-9a-f]{40})/.exec(text)[1];
const date = /taken (\d{4}-\d\d-\d\d)/.exec(text)[1];
const source = `libphonenumber ${commit.slice(0, 12)}, taken ${date}`;

const DIGITS = 9; // of the longest prefix
const prefixes = [];
for (const line of text.split('\n')) {
  if (line === '' || line.startsWith('#')) continue;
  const [prefix, zones] = line.split('\t');
  if (!/^[1-9]\d*$/.test(prefix) || prefix.length > DIGITS) throw new Error(`prefix ${prefix}`);
  prefixes.push({ prefix, zones, aligned: Number(prefix.padEnd(DIGITS, '0')) });
}
// Outer prefixes before those inside them.
prefixes.sort((a, b) => a.aligned - b.aligned || a.prefix.length - b.prefix.length);

// The longest prefix that a prefix begins with: its number, counted from 1; 0 = none.
const known = new Map(prefixes.map(({ prefix }, i) => [prefix, i + 1]));
if (known.size !== prefixes.length) throw new Error('a prefix occurs twice');
function outer(prefix) {
  for (let length = prefix.length - 1; length > 0; length--) {
    const found = known.get(prefix.slice(0, length));
    if (found) return found;
  }
  return 0;
}

const lists = [...new Set(prefixes.map(({ zones }) => zones))].sort();
const list_number = new Map(lists.map((zones, i) => [zones, i]));
const names = lists.map((zones) => zones.split('&'));

let begin = 0;
const begins = names.map((list) => (begin += list.length) - list.length);
writeFileSync(
  here('../../src/numbering/time_zones.inc'),
  `// Made by tools/numbering/timezones.mjs: do not edit.
// Source: ${source} (Google, Apache-2.0).
inline constexpr std::string_view kTimeZoneSource = "${source}";

// Lists of zones one behind the other; list n goes from kListBegins[n] to kListBegins[n + 1].
inline constexpr std::string_view kZones[] = {
${rows(names.flat().map((name) => `"${name}"`))}
};
inline constexpr std::uint16_t kListBegins[] = {
${rows([...begins, begin].map(String))}
};

// Prefixes, filled up to ${DIGITS} digits with zeros, ascending; of equal ones the shorter first.
inline constexpr std::uint32_t kPrefixes[] = {
${rows(prefixes.map(({ aligned }) => String(aligned)))}
};
// Of each: digits, number of the prefix around it (from 1; 0 = none), list.
inline constexpr PrefixInfo kPrefixInfos[] = {
${rows(prefixes.map(({ prefix, zones }) => `{${prefix.length},${outer(prefix)},${list_number.get(zones)}}`))}
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
const by_prefix = new Map(prefixes.map(({ prefix, zones }) => [prefix, zones]));
const lines = [];
while (lines.length < 4000) {
  let number = random(20) === 0 ? String(1 + random(999)) : prefixes[random(prefixes.length)].prefix;
  if (random(3) === 0) number = number.slice(0, -1) + random(10);
  const length = Math.max(7, number.length + random(8));
  while (number.length < length) number += random(4) === 0 ? 0 : random(10);
  if (number.startsWith('0') || number.length > 15) continue;
  let zones = '';
  for (let n = number.length; n > 0 && zones === ''; n--) zones = by_prefix.get(number.slice(0, n)) ?? '';
  lines.push(`+${number}\t${zones || '-'}`);
}
writeFileSync(
  here('../../src/numbering/testdata/time_zones.tsv'),
  `# Made by tools/numbering/timezones.mjs: number, zones of its longest known prefix (- = none).\n${lines.join('\n')}\n`,
);
console.log(`${prefixes.length} prefixes, ${lists.length} lists of ${begin} zones, from ${source}`);
