#include "smpp/session.h"

namespace trunkline::smpp {

std::string_view to_string(SessionState s) {
  switch (s) {
    case SessionState::open:
      return "open";
    case SessionState::binding:
      return "binding";
    case SessionState::bound:
      return "bound";
    case SessionState::unbinding:
      return "unbinding";
    case SessionState::closing:
      return "closing";
    case SessionState::closed:
      break;
  }
  return "closed";
}

std::string_view to_string(CloseReason r) {
  switch (r) {
    case CloseReason::none:
      return "none";
    case CloseReason::bind_refused:
      return "bind_refused";
    case CloseReason::bind_timeout:
      return "bind_timeout";
    case CloseReason::framing_error:
      return "framing_error";
    case CloseReason::too_much_before_bind:
      return "too_much_before_bind";
    case CloseReason::enquire_link_timeout:
      return "enquire_link_timeout";
    case CloseReason::inactivity:
      return "inactivity";
    case CloseReason::unbound:
      return "unbound";
    case CloseReason::unbind_timeout:
      return "unbind_timeout";
    case CloseReason::peer_unbound:
      return "peer_unbound";
    case CloseReason::connection_lost:
      return "connection_lost";
    case CloseReason::requested:
      break;
  }
  return "requested";
}

std::string_view to_string(SendError::Kind k) {
  switch (k) {
    case SendError::Kind::not_bound:
      return "not_bound";
    case SendError::Kind::wrong_direction:
      return "wrong_direction";
    case SendError::Kind::window_full:
      return "window_full";
    case SendError::Kind::output_full:
      return "output_full";
    case SendError::Kind::bad_pdu:
      break;
  }
  return "bad_pdu";
}

}  // namespace trunkline::smpp
