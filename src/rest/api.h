// The REST API without sockets and threads: requests in, events to the engine, answers out. One
// thread; RestServer drives it, tests may too.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "bulk/desk.h"
#include "edge/backend.h"
#include "edge/intake.h"
#include "engine/event.h"
#include "io/http_server.h"
#include "io/problem.h"
#include "message/record.h"
#include "rest/keys.h"
#include "rest/parse.h"
#include "rest/routes.h"

namespace trunkline::rest {

class Api {
 public:
  struct Options {
    std::uint8_t token_tag = edge::kRestTag;
    base::Duration answer_timeout{};
    std::function<base::Now()> clock;
    // Runs on this thread, soon: from any other.
    std::function<void(std::function<void()>)> on_loop{};
  };
  // Answers one request, exactly once for each ticket handed in.
  using Respond = std::function<void(const io::HttpTicket&, io::HttpResponse&&)>;

  Api(edge::Backend& backend, Options options, Respond respond);

  void handle(const io::HttpRequest& request, const io::HttpTicket& ticket);
  void on_effects(std::vector<engine::Effect>& effects);
  // Gives up on what the engine has not answered in time.
  void check_timeouts(base::Mono now);

  static std::size_t body_limit(std::string_view path);
  static bool streams(std::string_view path);
  io::HttpUploadBegun begin_upload(const io::HttpRequest& head);
  // Where bulk uploads go; outlives this. Without one there are none.
  void use_bulk(bulk::Desk* desk) { bulk_ = desk; }

 private:
  // A request that waits for the engine.
  struct Pending {
    bool used = false;
    std::uint32_t generation = 0;
    Operation operation = Operation::get_message;
    io::HttpTicket ticket;
    message::TenantIndex tenant;
    base::MessageId id;                      // of the message asked about
    base::Mono since{};                      // when it was asked
    bool asked_again = false;                // neither engine nor store had it
    std::vector<message::Payload> payloads;  // of the items the engine has, in their order
    std::vector<std::optional<std::string>> item_problems;  // batch: by item; none: the engine's
    ListRequest list;
    std::optional<base::MessageId> before;
    std::size_t count = 0;           // of opt-outs
    bool even_if_uncertain = false;  // of what is sent once more
  };
  // What every handler needs.
  struct Context {
    const io::HttpRequest& request;
    const io::HttpTicket& ticket;
    const Route& route;
    std::string_view id_text;
    message::TenantIndex tenant;
    base::Now now;
  };

  void create_message(const Context& c);
  void create_batch(const Context& c);
  void list_messages(const Context& c);
  void get_message(const Context& c);
  void query(Pending&& pending);
  void cancel_message(const Context& c);
  void explain(const Context& c);
  std::optional<base::Hash128> upload_key(message::TenantIndex tenant, std::string_view key);
  void create_bulk(const Context& c);
  void get_bulk(const Context& c);
  void bulk_results(const Context& c);
  void order_bulk(const Context& c, bulk::Desk::Order order);

  // --- api_ended.cc
  void redact_message(const Context& c);
  void resend_message(const Context& c);
  void resend(Pending&& pending, std::string_view record);

  // --- api_opt_outs.cc
  void list_opt_outs(const Context& c);
  void put_opt_outs(const Context& c);
  void remove_opt_out(const Context& c);
  void change_opt_outs(const Context& c, engine::ChangeOptOuts&& change);

  void on(engine::AcceptAnswer&& answer);
  void on(engine::CancelAnswer&& answer);
  void on(engine::QueryAnswer&& answer);
  void on(engine::ListAnswer&& answer);
  void on(engine::ExplainAnswer&& answer);
  void on(engine::Submit&&) {}
  void on(engine::ReceiptAck&&) {}
  void on(engine::NoticeReady&&) {}
  void on(engine::ToldAnswer&&) {}
  void on(engine::OrderAnswer&&) {}
  void on(engine::ReplaceAnswer&&) {}
  void on(engine::CanaryTold&&) {}
  void on(engine::ChangeOptOutsAnswer&& answer);
  void on(engine::SurgeryAnswer&&) {}
  void on(engine::RedactAnswer&& answer);

  const config::Config& config();  // in force; refreshed once a request
  const std::string& tenant_name(message::TenantIndex tenant) const;
  std::optional<io::ProblemError> read_key(const io::HttpRequest& request, std::string_view& key);
  static io::Problem unauthorized();
  std::optional<io::Problem> check_post(const Context& c, bool needs_json);
  message::KeyRef key_ref(message::TenantIndex tenant, std::string_view path, std::string_view key,
                          std::string_view fingerprint);

  static io::Problem key_mismatch();
  engine::Token start(Pending&& pending, base::Mono now);
  bool is_waiting(engine::Token token) const;
  std::optional<Pending> finish(engine::Token token);
  // Sends to the engine; on a full mailbox answers 503 in its place.
  void post(engine::Event&& event, engine::Token token);

  void respond(const io::HttpTicket& ticket, const io::Problem& problem);
  void respond_json(const io::HttpTicket& ticket, int status, std::string body,
                    std::string headers = {});
  io::Problem render_item(engine::ItemAnswer& item, const message::Payload* payload,
                          message::TenantIndex tenant, std::string& out, base::MessageId& id);
  // The one place that may wait for a disk: what is not in the engine. nullopt: an answer was
  // impossible, `problem` says why.
  std::optional<std::string> look_up(message::TenantIndex tenant, const base::MessageId& id,
                                     io::Problem& problem);
  std::optional<message::Payload> open_payload(std::string_view tenant, std::string_view sealed);
  bool render_now(std::string_view record, std::string& out);

  edge::Backend& backend_;
  const Options options_;
  const Respond respond_;
  bulk::Desk* bulk_ = nullptr;
  std::shared_ptr<const config::Config> config_;
  std::optional<KeyIndex> keys_;
  std::vector<Pending> pending_;
  std::vector<std::uint32_t> free_;
  std::deque<std::pair<base::Mono, engine::Token>> deadlines_;  // in order
};

}  // namespace trunkline::rest
