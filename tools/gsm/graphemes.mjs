// Writes src/gsm/graphemes.inc: the code points that no segment should begin with, because they
// belong to the character before them, found by asking the runtime's own segmenter (UAX #29).
//
//   node tools/gsm/graphemes.mjs
import { writeFileSync } from 'node:fs';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const one_grapheme = (text) => [...segmenter.segment(text)].length === 1;

function ranges(test) {
  const out = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    if ((code >= 0xd800 && code <= 0xdfff) || !test(String.fromCodePoint(code))) continue;
    if (out.length > 0 && out.at(-1)[1] === code - 1) out.at(-1)[1] = code;
    else out.push([code, code]);
  }
  return out;
}

// Rules that need more than a code point's neighbours are widened to what the neighbours tell: after a
// zero width joiner, a virama or a leading consonant of Hangul nothing is cut, whatever follows.
// Regional indicators are counted by the code instead.
const joins_previous = ranges((c) => one_grapheme(`a${c}`) || one_grapheme(`\u1161${c}`));
const joins_next = ranges((c) => c === '\u200d' || one_grapheme(`${c}a`) || one_grapheme(`${c}\uac00`) || one_grapheme(`\u0915${c}\u0915`));

function table(name, list) {
  const rows = [];
  let line = '   ';
  for (const [first, last] of list) {
    const item = ` {0x${first.toString(16)}, 0x${last.toString(16)}},`;
    if (line.length + item.length > 100) {
      rows.push(line);
      line = '   ';
    }
    line += item;
  }
  return `inline constexpr CodeRange ${name}[] = {\n${[...rows, line].join('\n')}\n};`;
}

writeFileSync(
  new URL('../../src/gsm/graphemes.inc', import.meta.url),
  `// Made by tools/gsm/graphemes.mjs from Unicode ${process.versions.unicode}: do not edit.

// Combining marks, variation selectors, emoji modifiers, tags, Hangul vowels and final consonants: part
// of the character before.
${table('kJoinsPrevious', joins_previous)}

// Joiners, viramas, leading consonants of Hangul, signs written before their character: what follows
// is part of the same character.
${table('kJoinsNext', joins_next)}
`,
);
console.log(`${joins_previous.length} and ${joins_next.length} ranges, Unicode ${process.versions.unicode}`);
