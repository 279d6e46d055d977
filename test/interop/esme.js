// An application on npm's smpp, driven line by line: a JSON object on standard input is a command, one on standard
// output an answer ({"id":…}) or an event ({"event":…}).
//   {"id":1,"op":"connect","name":"a","url":"smpp://127.0.0.1:2775"}   ssmpp:// with "options" of tls.connect()
//   {"id":2,"op":"call","name":"a","command":"bind_transceiver","pdu":{…}}   answers with the response PDU
//   {"id":3,"op":"answer","name":"a","status":0}      how deliver_sm and data_sm are answered from now on; null: not at all
//   {"id":4,"op":"close","name":"a"}
//   {"id":6,"op":"listen","name":"a","bind":{…}}      for connections on which an outbind is answered with a bind
//   {"id":5,"op":"tlv","tag":5123,"name":"vendor"}    a text parameter that PDUs may have from now on
'use strict';
const smpp = require('smpp');
const {say, plain, revive, serve} = require('./lines.js');

const sessions = {};

const ops = {
  connect({id, name, url, options}) {
    const session = smpp.connect({url, ...options});
    sessions[name] = {session, status: 0};
    let told = false;
    if (!url.startsWith('ssmpp:')) session.on('connect', () => { if (!told) { told = true; say({id, ok: true}); } });
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
      if ((pdu.command === 'deliver_sm' || pdu.command === 'data_sm') && status !== null) session.send(pdu.response({command_status: status}));
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
  listen({id, name, bind}) {
    const server = smpp.createServer((session) => {
      session.on('error', () => {});
      session.on('pdu', (pdu) => {
        if (pdu.isResponse()) return;
        say({event: pdu.command, name, pdu: plain(pdu)});
        if (pdu.command === 'outbind') session.bind_receiver(bind, () => {});
        else session.send(pdu.response());
      });
    });
    server.listen(0, '127.0.0.1', () => say({id, pdu: {port: server.address().port}}));
  },
  tlv({id, tag, name}) {
    smpp.addTLV(name, {id: tag, type: smpp.types.tlv.cstring});
    say({id, ok: true});
  },
  close({id, name}) {
    sessions[name].session.destroy();
    say({id, ok: true});
  },
};

serve(ops);
