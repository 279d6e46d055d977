#include "wire/peer_trace.h"

#include "base/time.h"
#include "io/clock.h"

namespace trunkline::wire {

PeerTap::PeerTap(std::shared_ptr<const PeerTrace> trace, std::string link)
    : trace_(std::move(trace)), link_(std::move(link)) {}

template <class Fill>
void PeerTap::line(Fill fill) {
  if (!trace_->lines->has_room()) return trace_->lines->drop();
  buffer_.clear();
  base::JsonWriter json(buffer_);
  json.begin_object().key("time").string(base::format_rfc3339(io::wall_now()));
  json.key("peer").string(trace_->peer).key("link").string(link_);
  fill(json);
  json.end_object();
  trace_->lines->put(buffer_);
}

void PeerTap::event(std::string_view name, std::string_view text) {
  line([&](base::JsonWriter& json) {
    json.key("event").string(name);
    if (!text.empty()) json.key("text").string(text);
  });
}

void PeerTap::withdrawn(std::uint32_t sequence) {
  line([&](base::JsonWriter& json) {
    json.key("direction").string("out").key("event").string("withdrawn");
    json.key("sequence").integer(sequence);
  });
}

void PeerTap::pdu_line(std::string_view direction, std::string_view pdu) {
  line([&](base::JsonWriter& json) {
    json.key("direction").string(direction);
    smpp::describe_pdu(pdu, trace_->reveal,
                       {.version = 0x34, .password_max = smpp::kPasswordMaxEver}, json);
  });
}

}  // namespace trunkline::wire
