// Writes src/gsm/testdata/graphemes.tsv: random texts full of what must not be cut, each with the byte
// offsets where the runtime's segmenter (UAX #29) sees boundaries.
//
//   node tools/gsm/cuts.mjs
import { writeFileSync } from 'node:fs';

const TEXTS = 120;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

let seed = 20261123;
function random(n) {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % n;
}
const pick = (list) => list[random(list.length)];
const many = (n, make) => Array.from({ length: n }, make).join('');

const pieces = [
  () => pick([...'abc XYZ 0123 .,!']),
  () => pick([...'дождь 雨 ☂ العربية']),
  () => `${pick([...'aeiou'])}${many(1 + random(3), () => pick([...'\u0300\u0301\u0308\u0327']))}`,
  () => pick(['👨‍👩‍👧‍👦', '👩🏽‍🚀', '🏳️‍🌈', '❤️', '👍🏿', '🧑‍🤝‍🧑', '🏴󠁧󠁢󠁷󠁬󠁳󠁿', '1️⃣', '🙂']),
  () => many(1 + random(4), () => pick(['🇬🇧', '🇩🇪', '🇯🇵', '🇧🇷'])),
  () => pick(['한', '각', '한국', '가']).normalize(pick(['NFC', 'NFD'])),
  () => pick(['क्षत्रिय', 'हिन्दी', 'বাংলা', 'தமிழ்', 'ไทยน้ำ']),
  () => pick(['ﷺ', 'שָׁלוֹם', 'عَرَبِيّ']),
];

const rows = [];
for (let i = 0; i < TEXTS; i++) {
  const favourite = pick(pieces);
  let text = '';
  while (text.length < 75 + random(200)) text += random(2) ? favourite() : pick(pieces)();
  const ends = [];
  let bytes = 0;
  for (const { segment } of segmenter.segment(text)) ends.push((bytes += Buffer.byteLength(segment)));
  rows.push(`${text}\t${ends.join(',')}`);
}
writeFileSync(
  new URL('../../src/gsm/testdata/graphemes.tsv', import.meta.url),
  `# Made by tools/gsm/cuts.mjs, Unicode ${process.versions.unicode}. Text, byte offsets where its graphemes end.\n${rows.join('\n')}\n`,
);
