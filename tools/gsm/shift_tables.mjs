// Writes src/gsm/shift_tables.inc from the facts in src/gsm/testdata/shift_tables.tsv. The same input
// gives the same bytes.
//
//   node tools/gsm/shift_tables.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const here = (path) => new URL(`../../src/gsm/${path}`, import.meta.url);
const names = [];
const tables = { locking: [], single: [] };
for (const line of readFileSync(here('testdata/shift_tables.tsv'), 'utf8').split('\n')) {
  if (line === '' || line.startsWith('#')) continue;
  const [language, id, kind, septet, character] = line.split('\t');
  names[id] = language;
  (tables[kind][id] ??= new Array(128).fill(0))[parseInt(septet, 16)] = parseInt(character.slice(2), 16);
}

const hex = (c) => (c === 0 ? '0' : `0x${c.toString(16)}`);
function rows(table) {
  const out = [];
  let line = '   ';
  for (const c of table) {
    const item = ` ${hex(c)},`;
    if (line.length + item.length > 100) {
      out.push(line);
      line = '   ';
    }
    line += item;
  }
  return [...out, line].join('\n');
}
function array(name, list) {
  const all = names.map((language, id) => {
    const table = list[id];
    return table ? `    // ${id} ${language}\n    {{\n${rows(table)}\n    }},` : `    // ${id} ${language}: none\n    {{}},`;
  });
  return `inline constexpr std::array<SeptetTable, ${names.length}> ${name} = {{\n${all.join('\n')}\n}};`;
}

writeFileSync(
  here('shift_tables.inc'),
  `// Made by tools/gsm/shift_tables.mjs from testdata/shift_tables.tsv (TS 23.038 annex A): do not edit.
// Septet to character, 0 = nothing, by national language identifier.

${array('kLocking', tables.locking)}

${array('kSingle', tables.single)}
`,
);
