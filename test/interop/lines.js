// What esme.js and smsc.js share: commands and answers, a JSON object a line.
'use strict';
const readline = require('readline');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

// Buffers as hexadecimal digits, the rest as it is.
function plain(value) {
  if (Buffer.isBuffer(value)) return {hex: value.toString('hex')};
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).filter(([, v]) => typeof v !== 'function')
      .map(([k, v]) => [k, plain(v)]));
  }
  return value;
}

function revive(value) {
  if (value && typeof value === 'object' && !Array.isArray(value)) {
    if (typeof value.hex === 'string') return Buffer.from(value.hex, 'hex');
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
  }
  return value;
}

// Runs ops[command.op](command) for each line of standard input; ends with it.
function serve(ops) {
  readline.createInterface({input: process.stdin}).on('line', (line) => {
    const command = JSON.parse(line);
    try {
      ops[command.op](command);
    } catch (error) {
      say({id: command.id, error: String(error)});
    }
  }).on('close', () => process.exit(0));
}

module.exports = {say, plain, revive, serve};
