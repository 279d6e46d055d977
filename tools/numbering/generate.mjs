// Writes src/numbering/plans.inc from the pinned metadata. The same input gives the same bytes.
//
//   cd tools/numbering && npm ci && npm run generate && npm run compare
//
// To take newer metadata: raise the version and `metadata_released` in package.json, `npm install`,
// run both scripts, read the difference of the test data, commit everything.
import { writeFileSync } from 'node:fs';
import { compile, pack, TYPES } from './automaton.mjs';
import { plans, plans_by_code, source } from './metadata.mjs';
import { rows } from './rows.mjs';

const words = pack(compile(plans_by_code, 0));

const length_bits = (lengths) => lengths.reduce((mask, n) => (n <= 15 ? mask | (1 << n) : mask), 0);
const plan_rows = plans.map((p) => `{${p.country ? `"${p.country}"` : '""'},${p.code},${length_bits(p.lengths)}}`);

writeFileSync(
  new URL('../../src/numbering/plans.inc', import.meta.url),
  `// Made by tools/numbering/generate.mjs: do not edit.
// Source: ${source} (Google's libphonenumber, Apache-2.0).
inline constexpr std::string_view kMetadataSource = "${source}";

// Country ("" = none), calling code, bit n set = national numbers may have n digits. Number 0: unknown.
inline constexpr Plan kPlans[] = {
{"",0,0},
${rows(plan_rows)}
};

// The automaton, answers being plan * 16 + type (${TYPES.length} types); layout: see pack() in
// tools/numbering/automaton.mjs.
inline constexpr std::uint16_t kWords[] = {
${rows(words.map(String))}
};
`,
);
console.log(`${plans.length} plans, ${words.length} words (${(words.length * 2) >> 10} KiB), from ${source}`);
