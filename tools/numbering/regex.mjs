// The small part of regular expressions that the metadata uses (literals, \d, classes, groups,
// alternatives, ?, {n}, {n,m}), compiled to a nondeterministic automaton over the ten digits.
//
// Anything else is an error: a pattern that this cannot read must stop the generator, not be guessed.

const ALL_DIGITS = 0x3ff;

export function parse(pattern) {
  let at = 0;
  const fail = (why) => {
    throw new Error(`pattern ${JSON.stringify(pattern)} at ${at}: ${why}`);
  };

  function alternatives() {
    const options = [sequence()];
    while (pattern[at] === '|') {
      at++;
      options.push(sequence());
    }
    return options.length === 1 ? options[0] : { kind: 'either', options };
  }

  function sequence() {
    const items = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') items.push(repeated());
    return { kind: 'sequence', items };
  }

  function repeated() {
    const item = single();
    if (pattern[at] === '?') {
      at++;
      return { kind: 'repeat', item, min: 0, max: 1 };
    }
    if (pattern[at] === '{') {
      const counts = /^\{(\d+)(?:,(\d+))?\}/.exec(pattern.slice(at));
      if (!counts) fail('unsupported repetition');
      at += counts[0].length;
      const min = Number(counts[1]);
      return { kind: 'repeat', item, min, max: counts[2] === undefined ? min : Number(counts[2]) };
    }
    return item;
  }

  function single() {
    const c = pattern[at];
    if (c >= '0' && c <= '9') {
      at++;
      return { kind: 'digits', mask: 1 << Number(c) };
    }
    if (pattern.startsWith('\\d', at)) {
      at += 2;
      return { kind: 'digits', mask: ALL_DIGITS };
    }
    if (c === '[') return digitClass();
    if (c === '(') {
      at += pattern.startsWith('(?:', at) ? 3 : 1;
      const inner = alternatives();
      if (pattern[at] !== ')') fail('missing )');
      at++;
      return inner;
    }
    return fail(`unsupported ${c}`);
  }

  function digitClass() {
    const body = /^\[((?:\d(?:-\d)?)+)\]/.exec(pattern.slice(at));
    if (!body) fail('unsupported class');
    at += body[0].length;
    let mask = 0;
    for (const [, from, to] of body[1].matchAll(/(\d)(?:-(\d))?/g)) {
      for (let digit = Number(from); digit <= Number(to ?? from); digit++) mask |= 1 << digit;
    }
    return { kind: 'digits', mask };
  }

  const tree = alternatives();
  if (at !== pattern.length) fail('trailing characters');
  return tree;
}

// States are numbers; a state either moves on a digit of its mask or freely (both may be empty).
export class Nfa {
  constructor() {
    this.mask = []; // digits that move on
    this.next = []; // where to
    this.free = []; // moves without a digit
    this.label = []; // what it means to end here, or undefined
  }

  state() {
    this.mask.push(0);
    this.next.push(-1);
    this.free.push([]);
    this.label.push(undefined);
    return this.mask.length - 1;
  }

  // Adds a pattern that matches a whole string (or, with `prefix`, the beginning of one) and ends
  // in a state with the label. Returns its first state.
  add(pattern, label, { prefix = false } = {}) {
    const end = this.state();
    this.label[end] = label;
    if (prefix) {
      this.mask[end] = ALL_DIGITS;
      this.next[end] = end;
    }
    return this.#build(parse(pattern), end);
  }

  // Returns the first state of the tree that goes on to `end`.
  #build(tree, end) {
    if (tree.kind === 'digits') {
      const from = this.state();
      this.mask[from] = tree.mask;
      this.next[from] = end;
      return from;
    }
    if (tree.kind === 'sequence') return tree.items.reduceRight((to, item) => this.#build(item, to), end);
    if (tree.kind === 'either') {
      const from = this.state();
      this.free[from] = tree.options.map((option) => this.#build(option, end));
      return from;
    }
    let to = end;
    for (let i = tree.min; i < tree.max; i++) {
      const from = this.state();
      this.free[from] = [this.#build(tree.item, to), end];
      to = from;
    }
    for (let i = 0; i < tree.min; i++) to = this.#build(tree.item, to);
    return to;
  }

  // All states reachable from these without a digit, sorted.
  closure(states) {
    const seen = new Set();
    const open = [...states];
    while (open.length > 0) {
      const state = open.pop();
      if (seen.has(state)) continue;
      seen.add(state);
      open.push(...this.free[state]);
    }
    return [...seen].sort((a, b) => a - b);
  }

  step(states, digit) {
    const moved = new Set();
    for (const state of states) {
      if ((this.mask[state] >> digit) & 1) moved.add(this.next[state]);
    }
    return this.closure(moved);
  }
}
