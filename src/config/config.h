// The configuration: YAML text in, checked and compiled tables out. Reads no file and no
// environment itself: the caller hands in the texts and a resolver for secrets, so that every error
// can be tested.
//
// docs/configuration.md is generated from, or checked against, what this folder accepts.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/smpp_options.h"
#include "engine/tables.h"
#include "message/index.h"

namespace trunkline::config {

// One thing wrong, or worth a word. Line and column count from 1; 0 where no place applies.
struct Finding {
  enum class Severity : std::uint8_t { error, warning };
  Severity severity = Severity::error;
  std::string file;
  int line = 0;
  int column = 0;
  std::string path;    // routes[2].via[0].carrier
  std::string what;    // carrier "alhpa" is not defined
  std::string remedy;  // did you mean "alpha"? Carriers are: alpha, beta
};

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;  // 0 in a listener: the system picks one
};

// A setting that names a file, and where it stands: config/ reads none, and who does can say which
// line is to blame.
struct FileName {
  std::string name;  // empty: not given
  Finding place;     // without `what` and `remedy`

  friend bool operator==(const FileName& a, const FileName& b) { return a.name == b.name; }
};

// SMPP over TLS for applications.
struct TlsListener {
  Endpoint at;
  FileName certificate;
  FileName key;
  FileName client_ca;  // not empty: clients must show a certificate of it
};

// SMPP over TLS to a carrier.
struct CarrierTls {
  FileName ca;                    // empty: the system's authorities; with pins none
  std::vector<std::string> pins;  // SHA-256 of keys (SubjectPublicKeyInfo), 64 lower-case digits
  std::string server_name;        // never empty
  FileName certificate;           // ours; with `key` or empty like it
  FileName key;

  friend bool operator==(const CarrierTls&, const CarrierTls&) = default;
};

struct SmppCarrier {
  std::string host;
  std::uint16_t port = 0;
  std::string system_id;
  std::string password;
  std::string system_type;
  std::uint8_t interface_version = 0x34;
  enum class Bind : std::uint8_t { transceiver, transmitter_receiver } bind = Bind::transceiver;
  std::uint16_t binds = 1;    // links of each kind
  std::uint32_t window = 50;  // outstanding submits a link
  base::Duration enquire_link = std::chrono::seconds(30);
  base::Duration bind_timeout = std::chrono::seconds(10);
  base::Duration reconnect_first = std::chrono::milliseconds(200);
  base::Duration reconnect_max = std::chrono::seconds(10);  // doubles with full jitter up to this
  std::string default_sender;  // source_addr where the message has none
  SmppOptions options;
  std::optional<CarrierTls> tls;
  std::string own_cell;  // Config::cell, if the carrier is another cell; empty: it is none

  friend bool operator==(const SmppCarrier&, const SmppCarrier&) = default;
};

struct Carrier {
  std::string name;
  std::string region;
  SmppCarrier smpp;
};

// Who is asked to which network a number belongs now, and how.
struct Lookup {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string target;         // "/v1/numbers/{number}"
  std::string body;           // empty: GET
  std::string authorization;  // value of the header; empty: none
  FileName ca;                // empty: the system's authorities
  base::Duration timeout{};
  base::Duration cache{};
  std::size_t cache_size = 0;
  double rate_per_s = 0;
  unsigned concurrency = 0;
  std::vector<numbering::Country> countries;  // sorted; empty: those where numbers can be ported
  std::uint32_t classes = 0;                  // bit set of ClassIndex; 0: all
  // JSON pointers (RFC 6901) into the answer; empty: not there.
  struct Answer {
    std::string mccmnc;
    std::string mcc;
    std::string mnc;
    std::string ported;
    std::string status;
    std::vector<std::string> invalid;  // values of `status` that say that nobody has the number
    friend bool operator==(const Answer&, const Answer&) = default;
  } answer;

  friend bool operator==(const Lookup&, const Lookup&) = default;
};

// Another cell, with which this one keeps what is to be the same in both.
struct CellPeer {
  std::string name;  // its node.cell
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const CellPeer&, const CellPeer&) = default;
};

struct Cells {
  std::string secret;  // all of them have the same
  std::vector<CellPeer> peers;
  std::vector<std::string> shares;  // files that the others take from here
  std::string takes_from;           // the peer from which this cell takes its; empty: from none

  friend bool operator==(const Cells&, const Cells&) = default;
};

struct SourceFile {
  std::string name;
  std::string text;
  std::string from{};  // the cell that it was taken from; empty: it is our own
};

// The files that are the same in all cells: as they are written, references to secrets included.
struct SharedFiles {
  std::string version;            // of names and texts, 12 hexadecimal digits
  std::vector<SourceFile> files;  // by name: without a directory; `from` is empty
};

struct ApiKey {
  std::string id;
  std::string sha256_hex;  // of the key's text, lower case
  message::TenantIndex tenant;
};

// An application that binds to us over SMPP.
struct SmppAccount {
  std::string system_id;
  std::string password_hash;  // libsodium's, of Argon2id
  message::TenantIndex tenant;
  message::ClassIndex traffic_class;
  struct ServiceType {
    std::string text;
    message::ClassIndex traffic_class;
    friend bool operator==(const ServiceType&, const ServiceType&) = default;
  };
  std::vector<ServiceType> service_types;
  // A vendor's parameter that names the class; goes before the service type.
  struct ClassTlv {
    struct Value {
      std::string octets;
      bool is_text = false;  // in either case, a closing NUL does not count
      message::ClassIndex traffic_class;
      friend bool operator==(const Value&, const Value&) = default;
    };
    std::uint16_t tag = 0;  // 0: none
    std::vector<Value> values;
    friend bool operator==(const ClassTlv&, const ClassTlv&) = default;
  } class_tlv;
  std::uint16_t consent_tlv = 0;       // a parameter that says where consent comes from; 0: none
  std::vector<std::string> addresses;  // networks it may come from, as written; empty: any
  std::vector<std::string> senders;    // of the tenant's; empty: all of them
  std::uint16_t binds = 10;            // connections at a time
  std::uint32_t window = 100;          // its requests we work on at a time, a connection
  double rate_per_s = 0;               // submits; 0: only the tenant's limit
  std::string cell{};                  // the other cell that it is; empty: none
  base::Duration dedup{0};             // the same submit again within this: the same message
  // What data_coding 0 means to it.
  gsm::DefaultAlphabet alphabet = gsm::DefaultAlphabet::gsm;
  // Where we connect and ask it to bind, when there is something to tell and nobody to be told.
  struct Outbind {
    std::string host;
    std::uint16_t port = 0;
    std::string system_id;
    std::string password;
    friend bool operator==(const Outbind&, const Outbind&) = default;
  };
  std::optional<Outbind> outbind;
  bool inbound_joined = false;  // messages from phones whole, not part by part
  base::Duration inbound_wait = std::chrono::minutes(10);  // for the parts
  struct Receipts {
    std::uint32_t window = 50;  // deliver_sm outstanding, a connection
    base::Duration keep = std::chrono::hours(72);
    bool seconds = false;        // dates of 12 digits instead of 10
    std::uint8_t text_size = 0;  // characters of the message that the receipt quotes, 0 to 20
    enum class Id : std::uint8_t { same, upper, decimal, decimal10 } id = Id::same;
    std::chrono::minutes utc_offset{0};  // of the dates
    bool tlvs = true;
    bool as_data_sm = false;
    friend bool operator==(const Receipts&, const Receipts&) = default;
  } receipts;

  friend bool operator==(const SmppAccount&, const SmppAccount&) = default;
};

// Where messages from phones to a number of ours go.
struct InboundNumber {
  std::string digits;  // without "+"
  message::TenantIndex tenant;
  std::string account;  // system_id
};

struct AdminToken {
  std::string id;
  std::string sha256_hex;
  std::string role;  // operator | viewer
};

struct Tenant {
  std::string name;
  message::ClassIndex default_class;
};

struct Config {
  bool demo = false;
  std::string node_name;
  std::string node_region;
  std::string cell;  // this gateway, all its nodes together, as other gateways know it
  Endpoint http;
  std::string public_url;        // empty: http://<address>
  std::optional<Endpoint> smpp;  // for applications
  std::optional<TlsListener> smpp_tls;
  std::optional<Endpoint> admin;
  std::vector<AdminToken> admin_tokens;
  bool metrics_open = false;
  std::string store_path;  // RocksDB directory; the key file lies beside it
  // By CarrierIndex; removed ones keep their place with an empty host.
  std::vector<Carrier> carriers;
  std::vector<Tenant> tenants;  // by TenantIndex
  std::vector<ApiKey> keys;
  std::vector<SmppAccount> accounts;   // by system_id
  std::vector<InboundNumber> numbers;  // by digits
  // What carriers take of texts, each once, the default options left out.
  std::vector<gsm::TextOptions> text_options;
  std::optional<Lookup> lookup;
  std::optional<Cells> cells;
  std::shared_ptr<const SharedFiles> shared;  // what the others take from here; null: nothing
  std::string taken_version;                  // of what was taken from another; empty: nothing
  engine::Tables tables;
  std::vector<Finding> route_places;  // where routes stand, in their order

  // Linear; none if unknown or removed.
  message::ClassIndex find_class(std::string_view name) const;
  // Null if unknown. O(log n).
  const SmppAccount* find_account(std::string_view system_id) const;
  const InboundNumber* find_number(std::string_view digits) const;
};

// Resolves one reference in a value that may hold a secret: "${NAME}" or "file:PATH", as written.
// The error is a sentence and holds nothing of the secret.
using SecretResolver =
    std::function<std::expected<std::string, std::string>(std::string_view reference)>;

// Reads a whole data file that the configuration names. The error is a sentence.
using FileReader = std::function<std::expected<std::string, std::string>(const std::string& path)>;

struct Loaded {
  std::optional<Config> config;   // absent if any finding is an error
  std::vector<Finding> findings;  // in order of file and line
};

// `files`: one file, or those of a directory in name order. Mappings merge, lists append, any other
// key given twice is an error. Those that were taken from another cell come among them by the name
// of the file (shared.h). `previous` keeps indexes stable over a reload: a name that is gone
// keeps its index and is marked removed. `read_file`: for number ranges and prices; without it they
// are errors. `now`: what is old, or over, by then is warned of; none: nothing is. Any text is safe
// to hand in, hostile ones included.
Loaded load(const std::vector<SourceFile>& files, const SecretResolver& secrets,
            const Config* previous = nullptr, const FileReader& read_file = {},
            std::optional<base::Wall> now = {});

// JSON Schema (2020-12) of what load() accepts, as far as that language goes: not bounds of
// durations and rates, nor what names refer to.
std::string json_schema();

// Every key, its values and its default, in Markdown: the middle of docs/configuration.md.
std::string reference_markdown();

// "FILE:LINE:COLUMN: error: WHAT (PATH); REMEDY"
std::string to_text(const Finding& finding);

}  // namespace trunkline::config
