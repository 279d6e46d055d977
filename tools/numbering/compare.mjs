// Holds the committed table against libphonenumber-js on random numbers, and writes the test data
// that the C++ look-up is held against.
//
// Two comparisons: with the rules the table is made from (must agree everywhere), and with the
// public parser, which also repairs numbers (drops a trunk 0 after the country code, for example)
// where we take E.164 as it stands.
import { readFileSync, writeFileSync } from 'node:fs';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import core_metadata from 'libphonenumber-js/max/metadata';
import country_of from './node_modules/libphonenumber-js/es6/helpers/getCountryByNationalNumber.js';
import type_of from './node_modules/libphonenumber-js/es6/helpers/getNumberType.js';
import { look_up, TYPES } from './automaton.mjs';
import { examples, plans, plans_by_code } from './metadata.mjs';
import { parse } from './regex.mjs';

const RANDOM_NUMBERS = 100_000;
const SAMPLE_LINES = 4_000;

const text = readFileSync(new URL('../../src/numbering/plans.inc', import.meta.url), 'utf8');
const words = /kWords\[\] = \{([^}]*)\}/.exec(text)[1].split(',').filter((w) => w.trim()).map(Number);

// xorshift32: the same numbers each run.
let seed = 0x2026_1123;
function random(n) {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % n;
}
const pick = (list) => list[random(list.length)];
const digits = (n) => Array.from({ length: n }, () => random(10)).join('');

// A random string that the pattern matches.
function sample(tree) {
  if (tree.kind === 'digits') return pick([...'0123456789'].filter((d) => (tree.mask >> Number(d)) & 1));
  if (tree.kind === 'sequence') return tree.items.map(sample).join('');
  if (tree.kind === 'either') return sample(pick(tree.options));
  const times = tree.min + random(tree.max - tree.min + 1);
  return Array.from({ length: times }, () => sample(tree.item)).join('');
}

// A third assigned numbers, a third of those with one digit changed, a third free digits.
function random_number() {
  const plan = pick(plans);
  const kind = random(3);
  let national;
  if (kind === 2) {
    national = digits(3 + random(11));
  } else {
    national = sample(parse(pick([...Object.values(plan.types).map((t) => t.pattern), plan.general])));
    if (kind === 1) {
      const at = random(national.length);
      national = national.slice(0, at) + random(10) + national.slice(at + 1);
    }
  }
  const number = plan.code + national;
  return number.length >= 7 && number.length <= 15 ? number : random_number();
}

function ours(number) {
  const answer = look_up(words, number);
  const plan = plans[(answer >> 4) - 1];
  return { country: plan?.country ?? '', type: TYPES[answer & 15], plan };
}

function core(number) {
  const code = [1, 2, 3].map((n) => number.slice(0, n)).find((c) => plans_by_code.has(c));
  if (!code) return undefined;
  const national = number.slice(code.length);
  const candidates = plans_by_code.get(code).map((p) => p.country);
  if (candidates[0] === '') {
    return { country: '', type: type_of({ phone: national, countryCallingCode: code }, undefined, core_metadata) };
  }
  const country = candidates.length === 1 ? candidates[0] : country_of(national, candidates, core_metadata);
  return country && { country, type: type_of({ phone: national, country }, undefined, core_metadata) };
}

const counts = { numbers: 0, core_silent: 0, core_mismatches: 0, parser_silent: 0, repaired: 0, parser_mismatches: 0 };
const lines = [];
for (let i = 0; i < RANDOM_NUMBERS; i++) {
  const number = random_number();
  const mine = ours(number);
  counts.numbers++;

  const rules = core(number);
  if (!rules) {
    counts.core_silent++;
  } else if (rules.country !== mine.country || (rules.type ?? 'UNKNOWN') !== mine.type) {
    if (counts.core_mismatches++ < 10) console.log('rules differ', number, mine, rules);
  }
  const parsed = parsePhoneNumberFromString(`+${number}`);
  if (!parsed || (!parsed.country && mine.country !== '')) {
    counts.parser_silent++;
  } else if (parsed.number !== `+${number}`) {
    counts.repaired++;
  } else if ((parsed.country ?? '') !== mine.country || (parsed.getType() ?? 'UNKNOWN') !== mine.type) {
    if (counts.parser_mismatches++ < 10) console.log('parser differs', number, mine, parsed.country, parsed.getType());
  }
  if (rules && lines.length < SAMPLE_LINES) {
    lines.push(`+${number}\t${rules.country || '-'}\t${(rules.type ?? 'UNKNOWN').toLowerCase()}`);
  }
}
console.log(counts);

function write_golden(name, comment, content) {
  const path = new URL(`../../src/numbering/testdata/${name}`, import.meta.url);
  writeFileSync(path, `# ${comment}\n# Made by tools/numbering/compare.mjs. Number, country (- = none), type.\n${content.join('\n')}\n`);
}
write_golden('random.tsv', 'Random numbers with the answers of libphonenumber-js.', lines);

const example_lines = Object.entries(examples).map(([country, national]) => {
  const number = `${plans.find((p) => p.country === country).code}${national}`;
  const { country: expected, type } = core(number);
  return `+${number}\t${expected}\t${type.toLowerCase()}`;
});
write_golden('examples.tsv', "Each country's example of a mobile number.", example_lines);

if (counts.core_mismatches > 0) process.exit(1);
