// libphonenumber's metadata as the numbering plans we compile, from the pinned package.
import { readFileSync } from 'node:fs';

const here = (path) => new URL(path, import.meta.url);
const read_json = (path) => JSON.parse(readFileSync(here(path), 'utf8'));

export const own = read_json('package.json');
const metadata = read_json('node_modules/libphonenumber-js/metadata.max.json');
export const examples = read_json('node_modules/libphonenumber-js/examples.mobile.json');

const installed = read_json('node_modules/libphonenumber-js/package.json').version;
if (installed !== own.dependencies['libphonenumber-js']) {
  throw new Error(`libphonenumber-js ${installed} is installed, package.json pins another: run npm ci`);
}
export const source = `libphonenumber-js ${installed}, released ${own.metadata_released}`;

// Positions in the package's packed arrays.
const GENERAL = 2;
const LENGTHS = 3;
const LEADING_DIGITS = 10;
const TYPE_PATTERNS = 11;
const TYPE_ORDER = ['FIXED_LINE', 'MOBILE', 'TOLL_FREE', 'PREMIUM_RATE', 'PERSONAL_NUMBER', 'VOICEMAIL', 'UAN', 'PAGER', 'VOIP', 'SHARED_COST'];

function plan(code, country, packed, main) {
  const types = {};
  (packed[TYPE_PATTERNS] || []).forEach((entry, i) => {
    if (entry && entry[0]) types[TYPE_ORDER[i]] = { pattern: entry[0], lengths: entry[1] };
  });
  return {
    code,
    country,
    general: packed[GENERAL],
    lead: packed[LEADING_DIGITS] || undefined,
    types,
    // A shared calling code has the main country's lengths: which country a number of an odd
    // length belongs to is a guess.
    lengths: main[LENGTHS],
  };
}

// [{code, country, ...}], numbered from 1; `country` is '' for the codes of no country. Zero is
// "no such calling code".
export const plans = [];
for (const [code, countries] of Object.entries(metadata.country_calling_codes)) {
  const main = metadata.countries[countries[0]];
  for (const country of countries) plans.push(plan(code, country, metadata.countries[country], main));
}
for (const [code, packed] of Object.entries(metadata.nonGeographic)) plans.push(plan(code, '', packed, packed));
plans.forEach((p, i) => (p.index = i + 1));

export const plans_by_code = Map.groupBy ? Map.groupBy(plans, (p) => p.code) : group(plans);
function group(list) {
  const out = new Map();
  for (const p of list) out.set(p.code, [...(out.get(p.code) ?? []), p]);
  return out;
}
