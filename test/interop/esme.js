// An application on npm's smpp, driven line by line: a JSON object on standard input is a command, one on standard
// output an answer ({"id":…}) or an event ({"event":…}).
//   {"id":1,"op":"connect","name":"a","url":"smpp://127.0.0.1:2775"}
//   {"id":2,"op":"call","name":"a","command":"bind_transceiver","pdu":{…}}   answers with the response PDU
//   {"id":3,"op":"answer","name":"a","status":0}      how deliver_sm are answered from now on; null: not at all
//   {"id":4,"op":"close","name":"a"}
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const sessions = {};
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

const ops = {
  connect({id, name, url, options}) {
    const session = smpp.connect({url, ...options});
    sessions[name] = {session, status: 0};
    let told = false;
    session.on('connect', () => { if (!told) { told = true; say({id, ok: true}); } });
    session.on('secureConnect', () => { if (!told) { told = true; say({id, ok: true}); } });
    session.on('error', (error) => {
      if (!told) { told = true; say({id, error: String(error)}); } else say({event: 'error', name, text: String(error)});
    });
    session.on('close', () => say({event: 'close', name}));
    session.on('pdu', (pdu) => {
      if (pdu.command === 'enquire_link' || pdu.command === 'unbind') {
        session.send(pdu.response());
        if (pdu.command === 'unbind') session.close();
      }
      if (pdu.isResponse()) return;
      say({event: pdu.command, name, pdu: plain(pdu)});
      const {status} = sessions[name];
      if (pdu.command === 'deliver_sm' && status !== null) session.send(pdu.response({command_status: status}));
    });
  },
  call({id, name, command, pdu}) {
    const sent = sessions[name].session[command](revive(pdu || {}), (response) => say({id, pdu: plain(response)}));
    if (sent === false) say({id, error: 'not sent'});
  },
  answer({id, name, status}) {
    sessions[name].status = status;
    say({id, ok: true});
  },
  close({id, name}) {
    sessions[name].session.destroy();
    say({id, ok: true});
  },
};

readline.createInterface({input: process.stdin}).on('line', (line) => {
  const command = JSON.parse(line);
  try {
    ops[command.op](command);
  } catch (error) {
    say({id: command.id, error: String(error)});
  }
}).on('close', () => process.exit(0));
