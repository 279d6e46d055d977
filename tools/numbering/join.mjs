// Carrier names of libphonenumber joined with the mobile network codes of their country, by name.
// What cannot be joined keeps its name and has no code: better none than a wrong one.
import { readFileSync } from 'node:fs';

const here = (path) => new URL(path, import.meta.url);

// Codes in use; those that are not, or were given back, name nobody a message could go to.
const DEAD = new Set(['Not operational', 'Returned spare', 'Upcoming', 'Planned']);
// The list has some countries under one heading, and a few codes of others.
const countries_of = (code) => (code ?? '').split('/').map((c) => c.slice(0, 2));

const letters = (text) =>
  text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
    .replace(/&/g, ' and ').replace(/\+/g, ' plus ').replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

// Words that tell one company from another as little as "Ltd".
const NOISE = new Set(
  ('ltd limited llc llp inc corp corporation company co plc gmbh kg ohg ag sa s a sas sarl spa srl sl ab as asa oy oyj bv nv ' +
    'sp z o ooo zao oao pjsc jsc ojsc cjsc pty pte bhd sdn berhad tbk pt kft zrt nyrt doo dd ad ead eood sae sal saog wll bsc kk the and ' +
    'group holding holdings international telecommunications telecommunication telecoms telecom telecomunicaciones telecomunicacoes ' +
    'telekom telekomunikasi communications communication comunicaciones communicaciones mobile mobiles mobil movil moviles movel mobilfunk ' +
    'cellular celular wireless network networks gsm pcs services service de del la le les of for und et y e uk')
    .split(' '),
);

function words(text, country_words) {
  const all = letters(text).split(' ').filter(Boolean);
  const telling = all.filter((word) => !NOISE.has(word) && !country_words.has(word));
  return telling.length > 0 ? telling : all;
}

// One network a brand in a country, with all its codes, the most used first.
export function read_networks() {
  const rows = JSON.parse(readFileSync(here('node_modules/mcc-mnc-list/mcc-mnc-list.json'), 'utf8'));
  const groups = new Map();
  for (const row of rows) {
    const name = row.brand || row.operator;
    if (!name || DEAD.has(row.status) || !/^[2-9]\d\d$/.test(row.mcc) || !/^\d{2,3}$/.test(row.mnc ?? '')) continue;
    const countries = countries_of(row.countryCode);
    const key = `${countries[0]} ${letters(name)}`;
    if (!groups.has(key)) groups.set(key, { name, countries, operators: new Set(), codes: [], place: row.countryName });
    const group = groups.get(key);
    if (row.operator) group.operators.add(row.operator);
    const bands = row.bands ?? '';
    const rank = (row.status === 'Operational' ? 0 : 2) + (/GSM \d|UMTS|LTE|CDMA|5G/.test(bands) ? 0 : 1);
    const code = row.mcc + row.mnc;
    if (!group.codes.some((c) => c.code === code)) group.codes.push({ code, rank });
  }
  const owner = new Map(); // a code that two brands use belongs to the one that uses it more
  for (const group of groups.values()) {
    group.codes.sort((a, b) => a.rank - b.rank || (a.code < b.code ? -1 : 1));
    for (const { code, rank } of group.codes) {
      const first = owner.get(code);
      if (!first || rank < first.rank) owner.set(code, { group, rank });
    }
  }
  const out = [];
  for (const group of groups.values()) {
    const codes = group.codes.map((c) => c.code).filter((code) => owner.get(code).group === group);
    if (codes.length > 0) out.push({ ...group, codes, operators: [...group.operators] });
  }
  return out;
}

// Hand-made, for what names do not tell: country, carrier's name, one of its codes ("-": none).
function read_hints() {
  const hints = new Map();
  for (const line of readFileSync(here('carrier_names.tsv'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [country, name, code] = line.split('\t');
    if (!/^[A-Z]{2}$/.test(country) || !/^(-|\d{5,6})$/.test(code)) throw new Error(`carrier_names.tsv: ${line}`);
    hints.set(`${country} ${name}`, code);
  }
  return hints;
}

export function make_join(networks, country_names) {
  const hints = read_hints();
  const unused = new Set(hints.keys());
  const by_code = new Map(networks.flatMap((n) => n.codes.map((code) => [code, n])));
  return {
    unused,
    join(country, name) {
      const hint = hints.get(`${country} ${name}`);
      if (hint !== undefined) {
        unused.delete(`${country} ${name}`);
        if (hint === '-') return null;
        if (!by_code.has(hint)) throw new Error(`carrier_names.tsv: nobody has code ${hint}`);
        return by_code.get(hint);
      }
      const country_words = new Set(letters(country_names.get(country) ?? '').split(' '));
      const here_ones = networks.filter((n) => n.countries.includes(country));
      const spoken = (n) => [n.name, ...n.operators].flatMap((t) => [t, ...t.split(/[/()]/)]).map((t) => t.trim()).filter(Boolean);
      const only = (list) => (list.length === 1 ? list[0] : null);
      const first_found = [
        (n) => letters(n.name) === letters(name),
        (n) => spoken(n).some((t) => letters(t) === letters(name)),
        (n) => spoken(n).some((t) => words(t, country_words).join(' ') === words(name, country_words).join(' ')),
        (n) => spoken(n).some((t) => words(t, country_words).join('') === words(name, country_words).join('')),
        (n) => {
          const mine = words(name, country_words);
          return spoken(n).some((t) => {
            const theirs = words(t, country_words);
            const [few, many] = mine.length < theirs.length ? [mine, theirs] : [theirs, mine];
            return few.length > 0 && few.every((w) => w.length > 2 && many.includes(w));
          });
        },
      ];
      for (const test of first_found) {
        const found = here_ones.filter(test);
        if (found.length > 0) return only(found);
      }
      return null;
    },
  };
}
