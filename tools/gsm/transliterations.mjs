// Writes src/gsm/transliterations.inc: look-alikes from lookalikes.tsv and full width forms; letters
// without their diacritics, and letters put together with them, from the runtime's Unicode data.
//
//   node tools/gsm/transliterations.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const cp = (text) => text.codePointAt(0);
const utf8_bytes = (text) => Buffer.byteLength(text);

// --- look-alikes
const lookalikes = new Map();
const unescape = (text) => text.replaceAll('\\s', ' ').replaceAll('\\n', '\n').replaceAll('\\\\', '\\');
for (const line of read('lookalikes.tsv').split('\n')) {
  if (line === '' || line.startsWith('#')) continue;
  const [range, to] = line.split('\t');
  const [first, last] = range.slice(2).split('-').map((n) => parseInt(n, 16));
  for (let code = first; code <= (last ?? first); code++) lookalikes.set(code, unescape(to));
}
for (let code = 0xff01; code <= 0xff5e; code++) lookalikes.set(code, String.fromCodePoint(code - 0xfee0));

// --- diacritics: what is left of a letter without its marks, if that is ASCII
const STROKES = {
  Ł: 'L', ł: 'l', Đ: 'D', đ: 'd', Ħ: 'H', ħ: 'h', ı: 'i', Ŧ: 'T', ŧ: 't', Ŀ: 'L', ŀ: 'l', ĸ: 'k', ŉ: 'n', Ŋ: 'N', ŋ: 'n',
  Œ: 'OE', œ: 'oe', Þ: 'Th', þ: 'th', Ð: 'D', ð: 'd', ſ: 's', ƒ: 'f', Ø: 'O', ø: 'o', Æ: 'AE', æ: 'ae', ß: 'ss', ẞ: 'SS',
  Ƶ: 'Z', ƶ: 'z', Ɓ: 'B', ɓ: 'b', Ɗ: 'D', ɗ: 'd', Ƙ: 'K', ƙ: 'k', Ƴ: 'Y', ƴ: 'y', ª: 'a', º: 'o',
};
const diacritics = new Map(Object.entries(STROKES).map(([from, to]) => [cp(from), to]));
const MARKS = /[\u0300-\u036f]/g;
function strip(first, last) {
  for (let code = first; code <= last; code++) {
    const character = String.fromCodePoint(code);
    let bare = character.normalize('NFD').replace(MARKS, '');
    if (bare === character || bare === '') continue;
    bare = [...bare].map((c) => STROKES[c] ?? lookalikes.get(cp(c)) ?? c).join('');
    if (/^[A-Za-z]+$/.test(bare) || /^[ΓΔΘΛΞΠΣΦΨΩ]$/.test(bare)) diacritics.set(code, bare);
  }
}
strip(0xc0, 0x24f);
strip(0x386, 0x3ab);
strip(0x1e00, 0x1eff);
for (let code = 0x300; code <= 0x36f; code++) diacritics.set(code, '');

// --- letters of the alphabets written as letter and mark: the same character to Unicode
const compositions = new Map();
const alphabets = new Set();
for (const line of read('../../src/gsm/testdata/shift_tables.tsv').split('\n')) {
  if (line !== '' && !line.startsWith('#')) alphabets.add(parseInt(line.split('\t')[4].slice(2), 16));
}
for (let code = 0xa1; code <= 0xff; code++) alphabets.add(code); // Latin-1
for (const code of alphabets) {
  const parts = [...String.fromCodePoint(code).normalize('NFD')].map(cp);
  if (parts.length === 2 && String.fromCodePoint(...parts).normalize('NFC') === String.fromCodePoint(code)) {
    compositions.set(parts[0] * 0x10000 + parts[1], { parts, code });
  }
}

// --- out
const hex = (code) => `0x${code.toString(16)}`;
const quoted = (text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
function rows(items) {
  const out = [];
  let line = '   ';
  for (const item of items) {
    if (line.length + item.length + 2 > 100) {
      out.push(line);
      line = '   ';
    }
    line += ` ${item},`;
  }
  return [...out, line].join('\n');
}
function table(name, map) {
  const sorted = [...map].sort(([a], [b]) => a - b);
  for (const [code, to] of sorted) {
    if (utf8_bytes(to) > 2 * utf8_bytes(String.fromCodePoint(code))) throw new Error(`${hex(code)} becomes too long`);
  }
  return `inline constexpr Replacement ${name}[] = {\n${rows(sorted.map(([code, to]) => `{${hex(code)}, ${quoted(to)}}`))}\n};`;
}
const composed = [...compositions].sort(([a], [b]) => a - b).map(([, { parts, code }]) => `{${parts.map(hex).join(', ')}, ${hex(code)}}`);
writeFileSync(
  new URL('../../src/gsm/transliterations.inc', import.meta.url),
  `// Made by tools/gsm/transliterations.mjs from tools/gsm/lookalikes.tsv and Unicode ${process.versions.unicode}: do not edit.

// By code point.
${table('kLookalikes', lookalikes)}

${table('kDiacritics', diacritics)}

// By letter, then mark.
inline constexpr Composition kCompositions[] = {
${rows(composed)}
};
`,
);
console.log(`${lookalikes.size} look-alikes, ${diacritics.size} diacritics, ${composed.length} compositions`);
