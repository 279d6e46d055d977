// Engine scenarios as text: a script of what happens to an engine, with what it did about it
// between the lines. The driver below follows the protocol of engine.h with a disk of its own, so
// that nothing of store/ is needed.
//
// A line that starts in the first column is an instruction, an indented one what came of it; times
// are seconds since the start. Before the first instruction of the second kind:
//   class NAME [priority= weight= max_wait= tenant_rate= ttl= reserve= in_doubt= on_undelivered=
//   no_receipt=DURATION attempts=
//     first= max= doubt_first= tries= timeout= opt_outs=operator_only]
//   carrier NAME [rate= burst= region= receipts=DURATION text=N cell= and see
//     carrier_rules()]
//   tenant NAME [rate= segments_rate= burst= class_rates=CLASS:MESSAGES:SEGMENTS,... classes=
//   senders=]   route CLASS,CLASS|* CARRIER...
//     [canary=CARRIER share=PERCENT for=]
//   options [trim=BYTES messages=N retention=DURATION]
//   cap tenant|carrier|country NAME messages=N|segments=N [per=minute|hour by=recipient,...
//   rolling]
//   quiet COUNTRY HH:MM-HH:MM (of classes with quiet_hours)
// and any time, to be followed by `reload`: carrier, tenant, class, remove carrier|tenant|class
// NAME, remove routes, route. Then:
//   up|down CARRIER LINK [window=]
//   submit NAME [to= class= tenant= key= fp= ttl= at= segments= from= region= account= notify=
//     window=DURATION (of the key) part=INDEX of=GROUP total=N alias=NUMBER unicode=yes
//     plans=OPTIONS:SEGMENTS[:gsm7],...]
//   batch [key= fp=] ; NAME ... ; NAME ...
//   answer NAME OUTCOME [segment= attempt= id= cause= raw= late]   without segment: all of the set
//   receipt STATE [id= to=NAME|+NUMBER carrier= raw=]
//     replaces=KEY
//   replace NAME [as submit]           its new text is called NAME+
//   explain NAME [as submit]
//   cancel NAME [key= fp= tenant=]             query NAME [tenant=]
//   redact NAME [tenant=]
//   inbound ACCOUNT [tenant=]                  told ACCOUNT   all that it has not confirmed
//   list [tenant= limit= before=NAME status= class= to=]
//   advance DURATION   wall DURATION|-DURATION (a step of the wall clock)   tick
//   begin ... end      one commit for all between, durable and performed at `end`
//   opt-out NUMBER [tenant=NAME|all from= back key= fp= cell= at=DURATION since the start]
//     with cell: as that cell tells it
//   crash              what is between `begin` and here is lost, the engine stands up from the disk
//   disk FREE TOTAL    megabytes
//   order suspend|drain|resume [CARRIER [LENGTH [COUNTRY]]] [class= tenant=]
//   operate count|purge|bounce|move [carrier= country= class= tenant= older_than= to=] [by=WORDS]
//   show NAME          stats          journal          drain          reload
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/engine.h"

namespace trunkline::engine {

class Scenario {
 public:
  // The script with the outcome between its lines; indented lines of `text` are ignored.
  std::string run(std::string_view text);

 private:
  struct Words {
    std::vector<std::string> plain;
    std::map<std::string, std::string> named;
    std::string get(const std::string& key, std::string otherwise = "") const;
    long number(const std::string& key, long otherwise) const;
    bool has(const std::string& key) const { return named.contains(key); }
  };
  static Words split(std::string_view line);

  // What is durable.
  struct Disk {
    std::deque<std::pair<std::uint64_t, std::string>> journal;
    std::map<base::MessageId, std::string> archive;
    std::map<std::string, std::map<message::NoticeAt, std::string>> notices;  // by account
    std::map<base::MessageId, message::ColdPut> cold;
    std::map<std::pair<std::uint64_t, std::uint64_t>, message::KeyRecord> keys;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<message::ReceiptOwner>> owners;
    std::map<std::uint64_t, std::string> opt_outs;  // by change
    std::uint64_t next_seq = 1;
    std::uint64_t epoch = 0;

    // As find_receipt_owners() asks a store.
    template <typename T>
    using Found = std::expected<T, std::string>;
    Found<std::optional<message::ColdPut>> find_cold_by_receipt(const base::Hash128& key) const;
    Found<std::optional<message::ColdPut>> find_cold(const base::MessageId& id) const;
    Found<std::vector<message::ReceiptOwner>> find_owners(const base::Hash128& key,
                                                          base::Wall now) const;
    Found<std::optional<std::string>> find_message(std::string_view tenant,
                                                   const base::MessageId& id) const;
  };

  void instruction(std::string_view line);
  void order(const Words& w);
  void opt_out(const Words& w);
  void restore_opt_outs();
  void told(const ChangeOptOutsAnswer& answer);
  void operate(const Words& w);
  void told(const SurgeryAnswer& answer);
  message::TrafficFilter traffic(const Words& w) const;
  bool configure(const Words& w);
  std::optional<routing::Canary> canary(const Words& w) const;
  void told(const message::CanaryRecord& canary);
  void carrier_rules(const Words& w);
  bool configure_policy(const Words& w);
  void cap(const Words& w);
  void quiet(const Words& w);
  void prepare();
  std::shared_ptr<const Tables> tables() const;
  void stand_up();

  void submit(const std::vector<Words>& items, bool is_batch);
  void explain(const Words& w);
  void answer(const Words& w);
  void receipt(const Words& w);
  void cancel(const Words& w);
  void redact(const Words& w);
  void told(const RedactAnswer& answer);
  void replace(const Words& w);
  void list(const Words& w);
  void show(const std::string& name);
  void stats();
  void advance(base::Mono until);
  void thaw_due();

  void step(Event event);
  void commit();
  void make_durable(const message::Commit& commit);
  void tell_events(const base::MessageId& id, std::string_view record);
  void perform(Effect& effect);
  void say(std::string line);

  message::Submission submission(const Words& w);
  std::optional<message::KeyRecord> look_up(const base::Hash128& key) const;
  void look_up_parts(Accept& accept, std::size_t at) const;
  void look_up_earlier(Accept& accept, std::size_t at) const;
  std::string cold_record(const base::MessageId& id) const;
  std::string name_of(const base::MessageId& id) const;
  std::string record_of(const base::MessageId& id) const;
  message::TenantIndex tenant_of(const Words& w) const;
  message::ClassIndex class_named(const std::string& name) const;
  message::CarrierIndex carrier_named(const std::string& name) const;
  std::uint64_t hash_of(const std::string& name_or_number) const;

  Tables config_;
  Options options_;
  bool configured_ = false;
  std::unique_ptr<Engine> engine_;
  Disk disk_;
  base::Now now_{};
  base::Mono start_{};
  Output out_;
  bool grouped_ = false;
  Token next_token_ = 1;
  std::map<Token, std::vector<std::string>> asked_;
  std::map<std::string, base::MessageId> ids_;
  std::map<std::string, std::string> numbers_;   // name -> its recipient
  std::map<base::MessageId, std::size_t> told_;  // events of the record already printed
  std::map<std::pair<std::string, int>, Submit> submits_;
  std::map<std::pair<std::string, int>, base::Mono> written_;
  std::set<std::tuple<std::string, int, int>> answered_;  // name, attempt, segment
  base::Mono told_at_{};
  std::string result_;
};

}  // namespace trunkline::engine
