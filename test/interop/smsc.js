// A carrier on npm's smpp, driven line by line like esme.js. Answers each submit_sm with an id and, if asked for, a
// receipt; prints {"ready":PORT} and every PDU it gets as {"event":…}.
//   {"id":1,"op":"deliver","pdu":{…}}        on every connection that receives; answers with the response
//   {"id":2,"op":"refuse","status":88}       submit_sm are answered so from now on; 0: accepted
//   {"id":3,"op":"receipts","style":{…}}     what differs in receipts from now on: `decimal` (the id, which is hex in the
//                                            answer), `data_sm`, `esm_class`, `stat`, `none`
// With an argument, a JSON object of tls.createServer()'s options, it speaks TLS; each handshake that fails is an event.
'use strict';
const smpp = require('smpp');
const {say, plain, revive, serve} = require('./lines.js');

const sessions = new Set();
let refuse = 0;
let style = {};
let count = 0;
const pad = (n) => String(n).padStart(2, '0');
const date = (d) => pad(d.getUTCFullYear() % 100) + pad(d.getUTCMonth() + 1) + pad(d.getUTCDate()) +
  pad(d.getUTCHours()) + pad(d.getUTCMinutes());

const server = smpp.createServer(JSON.parse(process.argv[2] || '{}'), (session) => {
  session.on('error', () => {});
  session.on('close', () => sessions.delete(session));
  session.on('pdu', (pdu) => {
    if (pdu.isResponse()) return;
    say({event: pdu.command, pdu: plain(pdu)});
    if (pdu.command.startsWith('bind_')) {
      sessions.add(session);
      session.receives = pdu.command !== 'bind_transmitter';
      session.send(pdu.response({system_id: 'npm'}));
    } else if (pdu.command === 'submit_sm') {
      if (refuse !== 0) return session.send(pdu.response({command_status: refuse}));
      const id = (++count).toString(16).padStart(8, '0');
      session.send(pdu.response({message_id: id}));
      if (!pdu.registered_delivery || style.none) return;
      const now = date(new Date());
      const told = style.decimal ? String(parseInt(id, 16)).padStart(10, '0') : id;
      const text = `id:${told} sub:001 dlvrd:001 submit date:${now} done date:${now} stat:${style.stat || 'DELIVRD'} err:000 text:`;
      const fields = {
        source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
        destination_addr: pdu.source_addr, esm_class: style.esm_class === undefined ? 4 : style.esm_class,
      };
      if (style.data_sm) {
        session.data_sm({...fields, message_payload: text}, (answer) => say({event: 'answered', pdu: plain(answer)}));
      } else {
        session.deliver_sm({...fields, short_message: text}, (answer) => say({event: 'answered', pdu: plain(answer)}));
      }
    } else {
      session.send(pdu.response());
      if (pdu.command === 'unbind') session.close();
    }
  });
});
server.on('tlsClientError', (error) => say({event: 'tls_error', text: String(error)}));
server.listen(0, '127.0.0.1', () => say({ready: server.address().port}));

const ops = {
  deliver({id, pdu}) {
    const session = [...sessions].find((s) => s.receives);
    session.deliver_sm(revive(pdu), (response) => say({id, pdu: plain(response)}));
  },
  receipts({id, style: next}) {
    style = next;
    say({id, ok: true});
  },
  refuse({id, status}) {
    refuse = status;
    say({id, ok: true});
  },
};

serve(ops);
