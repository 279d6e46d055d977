// From the metadata's patterns to one minimal deterministic automaton over all digits of a number,
// calling code included. Each state answers (plan, type) for a number that ends there.
import { Nfa } from './regex.mjs';

// Same order and meaning as enum class NumberType in src/numbering/country.h.
export const TYPES = [
  'UNKNOWN',
  'FIXED_LINE',
  'MOBILE',
  'FIXED_LINE_OR_MOBILE',
  'PREMIUM_RATE',
  'TOLL_FREE',
  'SHARED_COST',
  'VOIP',
  'PERSONAL_NUMBER',
  'PAGER',
  'UAN',
  'VOICEMAIL',
];
const type = (name) => TYPES.indexOf(name);
// In this order the first match wins, except that fixed line and mobile together are a type.
const AFTER_FIXED_LINE = ['MOBILE', 'PREMIUM_RATE', 'TOLL_FREE', 'SHARED_COST', 'VOIP', 'PERSONAL_NUMBER', 'PAGER', 'UAN', 'VOICEMAIL'];
const DIGITS_MAX = 15;
const NO_PLAN = Infinity;

// plans: the regions of one calling code, main one first, each {lead, general, types: {NAME: {pattern,
// lengths}}, index}. Returns states [{next: [10], answer}] with the first at 0; where no more
// digits can come, `next` is undefined.
function determinize(plans, national_digits_max) {
  const nfa = new Nfa();
  const starts = [];
  plans.forEach((plan, rank) => {
    if (plan.lead) starts.push(nfa.add(plan.lead, { rank, kind: 'lead' }, { prefix: true }));
    starts.push(nfa.add(plan.general, { rank, kind: 'general' }));
    for (const [name, { pattern, lengths }] of Object.entries(plan.types)) {
      starts.push(nfa.add(pattern, { rank, kind: name, lengths }));
    }
  });
  const rank_of = owners(nfa, starts);

  const states = [];
  const known = new Map();
  const queue = [];
  function intern(set, length, last_rank) {
    const { rank, type_index } = answer(nfa, set, length, plans, rank_of, last_rank);
    const key = `${length} ${set.length === 0 ? `dead ${rank}` : `${set.join()} ${rank}`}`;
    let id = known.get(key);
    if (id === undefined) {
      id = states.length;
      known.set(key, id);
      states.push({ next: new Array(10), answer: plans[rank].index * 16 + type_index });
      queue.push({ id, set, length, rank });
    }
    return id;
  }
  intern(nfa.closure(starts), 0, 0);
  while (queue.length > 0) {
    const { id, set, length, rank } = queue.pop();
    if (length === national_digits_max) continue;
    for (let digit = 0; digit < 10; digit++) {
      states[id].next[digit] = intern(nfa.step(set, digit), length + 1, rank);
    }
  }
  return states;
}

// Which plan's ranges each automaton state follows. The general pattern follows none: it is so wide
// that every number would be the main country's.
function owners(nfa, starts) {
  const owner = new Array(nfa.mask.length).fill(NO_PLAN);
  for (const start of starts) {
    const open = [start];
    const seen = [];
    let rank = NO_PLAN;
    const visited = new Set();
    while (open.length > 0) {
      const state = open.pop();
      if (visited.has(state)) continue;
      visited.add(state);
      seen.push(state);
      const label = nfa.label[state];
      if (label && label.kind !== 'general') rank = label.rank;
      if (nfa.next[state] >= 0) open.push(nfa.next[state]);
      open.push(...nfa.free[state]);
    }
    for (const state of seen) owner[state] = rank;
  }
  return owner;
}

function type_of(labels, length, plan) {
  if (!labels.some((l) => l.kind === 'general')) return type('UNKNOWN');
  const is = (name) => labels.some((l) => l.kind === name && (!l.lengths || l.lengths.includes(length)));
  if (is('FIXED_LINE')) {
    return !plan.types.MOBILE || is('MOBILE') ? type('FIXED_LINE_OR_MOBILE') : type('FIXED_LINE');
  }
  return type(AFTER_FIXED_LINE.find(is) ?? 'UNKNOWN');
}

// The plan is the first whose leading digits match or, if it has none, one of whose types does (this is
// libphonenumber's rule); else the first that could still match if more digits came; else the one
// that could before the last digit.
function answer(nfa, set, length, plans, rank_of, last_rank) {
  const labels = plans.map(() => []);
  for (const state of set) {
    if (nfa.label[state]) labels[nfa.label[state].rank].push(nfa.label[state]);
  }
  for (let rank = 0; rank < plans.length; rank++) {
    const type_index = type_of(labels[rank], length, plans[rank]);
    const matches = plans[rank].lead ? labels[rank].some((l) => l.kind === 'lead') : type_index !== 0;
    if (matches) return { rank, type_index };
  }
  const rank = set.reduce((first, state) => Math.min(first, rank_of[state]), NO_PLAN);
  return { rank: rank === NO_PLAN ? last_rank : rank, type_index: 0 };
}

// codes: Map calling code -> plans. Returns states [{next, answer, skip, final}], the start first.
export function compile(codes, unknown_answer) {
  const states = [{ next: new Array(10), answer: unknown_answer }];
  for (const [code, plans] of codes) {
    let at = 0;
    for (const digit of code.slice(0, -1)) {
      if (states[at].next[digit] === undefined) {
        states[at].next[digit] = states.length;
        states.push({ next: new Array(10), answer: unknown_answer });
      }
      at = states[at].next[digit];
    }
    const base = states.length;
    states[at].next[code.at(-1)] = base;
    for (const { next, answer: value } of determinize(plans, DIGITS_MAX - code.length)) {
      states.push({ next: next.map((to) => (to === undefined ? undefined : to + base)), answer: value });
    }
  }
  return minimize(states);
}

// Numbers have at most 15 digits, so the automaton has no cycles: equal states are found in one pass
// from the ends. A state whose every way on keeps its own answer is final: the look-up stops there.
// A state that goes on alike for every digit, to one with the same answer, is left out; `skip` counts
// such digits.
function minimize(states) {
  const canonical = new Array(states.length);
  const known = new Map();
  const out = [];
  function intern(state) {
    const key = `${state.next.join()} ${state.answer} ${state.skip}`;
    if (!known.has(key)) known.set(key, out.push(state) - 1);
    return known.get(key);
  }
  for (const id of postorder(states)) {
    const answer = states[id].answer;
    const stop = { next: [], answer, skip: 0, final: true };
    const next = Array.from(states[id].next, (to) => (to === undefined ? intern(stop) : canonical[to]));
    const settled = next.every((to) => out[to].final && out[to].answer === answer);
    const only = new Set(next).size === 1 ? out[next[0]] : undefined;
    let state = { next, answer, skip: 0, final: false };
    if (settled) {
      state = stop;
    } else if (only && !only.final && only.answer === answer) {
      state = { ...only, skip: only.skip + 1 };
    }
    canonical[id] = intern(state);
  }
  return reachable(out, canonical[0]);
}

// The states that are still in use, renumbered from the start outwards.
function reachable(states, start) {
  const number = new Map([[start, 0]]);
  const order = [start];
  for (const id of order) {
    for (const to of states[id].next) {
      if (number.has(to)) continue;
      number.set(to, order.length);
      order.push(to);
    }
  }
  return order.map((id) => ({
    ...states[id],
    next: states[id].next.map((to) => number.get(to)),
  }));
}

const FINAL = 0x8000;

// The states as 16-bit words, a state's number being the index of its first word:
//   answer | 0x8000                          no digit changes the answer any more
//   answer, skip << 10 | runs, targets...    pass over `skip` digits, then move on the next one;
// bit d of `runs` is set where digit d goes elsewhere than digit d-1, so that the target of digit d
// is number popcount(runs & bits 0..d) - 1.
export function pack(states) {
  const runs = states.map(({ next }) => next.map((to, d) => (d === 0 || to !== next[d - 1] ? d : -1)).filter((d) => d >= 0));
  const offset = [];
  let size = 0;
  states.forEach((state, id) => {
    offset.push(size);
    size += state.final ? 1 : 2 + runs[id].length;
  });
  if (size > 0x10000) throw new Error(`${size} words: offsets no longer fit 16 bits, widen the table`);
  return states.flatMap((state, id) => {
    if (state.answer >= FINAL) throw new Error('too many plans');
    if (state.final) return [state.answer | FINAL];
    const bits = runs[id].reduce((mask, digit) => mask | (1 << digit), 0);
    return [state.answer, (state.skip << 10) | bits, ...runs[id].map((digit) => offset[state.next[digit]])];
  });
}

// What the C++ look-up does, for the comparison: the answer for a string of digits.
export function look_up(words, digits) {
  let at = 0;
  for (let i = 0; !(words[at] & FINAL); ) {
    i += words[at + 1] >> 10;
    if (i >= digits.length) break;
    const below = words[at + 1] & ((2 << Number(digits[i++])) - 1) & 0x3ff;
    at = words[at + 1 + below.toString(2).replaceAll('0', '').length];
  }
  return words[at] & ~FINAL;
}

function postorder(states) {
  const order = [];
  const done = new Uint8Array(states.length);
  const stack = [[0, 0]];
  done[0] = 1;
  while (stack.length > 0) {
    const top = stack.at(-1);
    const [id, digit] = top;
    if (digit === 10) {
      order.push(id);
      stack.pop();
      continue;
    }
    top[1]++;
    const to = states[id].next[digit];
    if (to !== undefined && !done[to]) {
      done[to] = 1;
      stack.push([to, 0]);
    }
  }
  return order;
}
