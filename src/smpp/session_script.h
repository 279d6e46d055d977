// Sessions as text: a script of what happens to a session, with what the session did about it
// between the lines. For tests.
//
// A line that starts in the first column is an instruction, an indented one what came of it:
//   session esme|smsc [window= inbound= response= idle= idle_timeout= bind= inactivity= grace=
//           first= last= password= serves=all]   times in milliseconds
//   at MS                               the clock says so; no timer fires
//   until MS                            the clock runs there, every timer fires when it should
//   bind KIND [system_id= password= version=]    unbind
//   outbind                             alert
//   accept SYSTEM_ID                    refuse STATUS
//   send TOKEN [pdu= text= size= tlv= not_after= timeout=]
//   respond SEQUENCE [pdu= status= id=]
//   recv PDU [seq= status= id= system_id= password= version= text= esm=] [+ PDU …]
//   recv_bytewise …                     the same, one octet at a time
//   recv_hex HEX                        recv_bytewise_hex HEX
//   write                               hand out and take everything
//   chunk BYTES                         hand out at most so many
//   wrote BYTES                         so many of them were taken
//   close REASON                        show
//   counters
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smpp/framer.h"
#include "smpp/session.h"

namespace trunkline::smpp {

class SessionScript {
 public:
  // The script with the outcome between its lines; indented lines of `text` are ignored.
  std::string run(std::string_view text);

 private:
  struct Words {
    std::vector<std::string> plain;
    std::map<std::string, std::string> named;
    std::string get(const std::string& key, const std::string& otherwise = "") const;
    long number(const std::string& key, long otherwise) const;
  };
  static Words split(std::string_view line);
  static std::uint8_t version(const Words& w);

  void step(std::string_view line);
  void start(const Words& w);
  void send(const Words& w);
  void respond(const Words& w);
  void receive(std::string_view line, bool bytewise);
  void feed(std::string_view bytes, bool bytewise);
  void run_until(base::Mono end);
  void write_all();
  void on_wire(std::string_view bytes);
  void show();
  void counters();
  void events();
  void say(std::string line);

  std::optional<SmppSession> session_;
  base::Mono now_{};
  std::string chunk_;
  Framer wire_;  // reads what the session wrote
  std::string out_;
};

}  // namespace trunkline::smpp
