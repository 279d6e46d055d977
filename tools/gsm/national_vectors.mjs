// Writes src/gsm/testdata/national_vectors.tsv: random texts in the tables of Turkish, Spanish and
// Portuguese with the septets that npm's smpp makes of them. It is needed for nothing else:
//
//   cd tools/gsm && npm install --no-save smpp@0.5.1 && node national_vectors.mjs
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const { gsmCoder } = require('smpp/lib/defs.js');
const { version } = require('smpp/package.json');

let seed = 7;
function random(n) {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  return (seed >> 8) % n;
}
const pick = (list) => list[random(list.length)];

const out = [
  `# Made by tools/gsm/national_vectors.mjs with npm's smpp ${version}, which encodes no others (and of Turkish and`,
  '# Portuguese not all single shift characters). Language, text, septets.',
];
for (const [id, name] of [[1, 'turkish'], [2, 'spanish'], [3, 'portuguese']]) {
  const coder = gsmCoder.getCoder(id);
  // Not the line ends, which separate the lines of the file, nor what is in both tables: smpp writes it
  // with an escape that it does not need.
  const single = coder.extCharsEnc || coder.extChars;
  const plain = [...coder.chars].filter((c) => !`\x1b\n\r${single}`.includes(c));
  const extended = [...single].filter((c) => !`\f${coder.chars}`.includes(c));
  for (let i = 0; i < 50; i++) {
    const text = Array.from({ length: 1 + random(30) }, () => pick(random(4) ? plain : extended)).join('');
    out.push([name, text, gsmCoder.encode(text, id).toString('hex')].join('\t'));
  }
}
writeFileSync(new URL('../../src/gsm/testdata/national_vectors.tsv', import.meta.url), `${out.join('\n')}\n`);
