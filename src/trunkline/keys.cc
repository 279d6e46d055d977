// trunkline keys: credentials of the REST and operator API. They live in the configuration as
// hashes; the key itself is shown once, by `new`, and kept nowhere.
#include <sodium.h>

#include <cstdio>
#include <iostream>

#include "base/json_writer.h"
#include "config/edit.h"
#include "esme/password.h"
#include "smpp/pdu.h"
#include "trunkline/commands.h"
#include "trunkline/config_files.h"

namespace trunkline::cli {
namespace {

constexpr std::size_t kKeyBytes = 32;

struct Arguments {
  std::string config_path;
  std::string id;
  std::string tenant;
  std::string role;
  bool admin = false;
  bool dry_run = false;
  bool json = false;
};

int fail(const std::string& sentence) {
  std::fprintf(stderr, "keys: %s\n", sentence.c_str());
  return kUsage;
}

std::string owner_name(const std::string& owner) {
  return owner.empty() ? "the operator API" : "tenant " + owner;
}

// --- new ----------------------------------------------------------------------------------------

struct NewKey {
  std::string text;  // tl_ and 256 random bits
  std::string hash;  // as the configuration has it
};

NewKey make_key() {
  unsigned char random[kKeyBytes];
  randombytes_buf(random, sizeof random);
  char encoded[sodium_base64_ENCODED_LEN(kKeyBytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
  sodium_bin2base64(encoded, sizeof encoded, random, sizeof random,
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  NewKey key{.text = fmt::format("tl_{}", encoded)};
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(digest, reinterpret_cast<const unsigned char*>(key.text.data()),
                     key.text.size());
  key.hash = "sha256:";
  for (const unsigned char byte : digest) key.hash += fmt::format("{:02x}", byte);
  sodium_memzero(random, sizeof random);
  sodium_memzero(encoded, sizeof encoded);
  return key;
}

// --- password -----------------------------------------------------------------------------------

// Eight characters are the most that SMPP allows: 47 bits of chance, held against Argon2id.
std::string make_password() {
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  for (std::size_t i = 0; i < smpp::kPasswordMax; ++i) {
    out.push_back(kCharacters[randombytes_uniform(kCharacters.size())]);
  }
  return out;
}

// Of one read from standard input, or of a random one, which is then printed.
int new_password(bool from_input, bool json) {
  std::string password;
  if (from_input) {
    std::getline(std::cin, password);
    if (password.empty() || password.size() > smpp::kPasswordMaxEver) {
      return fail(fmt::format("standard input holds no password of 1 to {} characters",
                              smpp::kPasswordMaxEver));
    }
  } else {
    password = make_password();
  }
  const std::string hash = esme::hash_password(password);
  if (hash.empty()) return fail("there is not enough memory to hash it; 19 MiB are needed");
  if (json) {
    std::string out;
    base::JsonWriter writer(out);
    writer.begin_object();
    if (!from_input) writer.key("password").string(password);
    writer.key("password_hash").string(hash).end_object();
    std::printf("%s\n", out.c_str());
    return kOk;
  }
  if (!from_input) std::printf("password: %s\n\n", password.c_str());
  std::printf(
      "The configuration holds only its hash, under tenants[].smpp:\n"
      "  { system_id: NAME, password_hash: \"%s\" }\n",
      hash.c_str());
  if (!from_input) std::printf("The password is shown once and kept nowhere.\n");
  return kOk;
}

// Ids of the configuration's kind `name`; a random one if none is given.
std::string random_id() { return fmt::format("key-{:08x}", randombytes_random()); }

bool is_id(const std::string& id) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !id.empty() && id.size() <= 64 && good(id[0]) && std::ranges::all_of(id, [&](char c) {
    return good(c) || c == '.' || c == '_' || c == '-';
  });
}

int new_key(const Arguments& arguments) {
  if (sodium_init() < 0) return fail("the system gives no random numbers");
  const std::string id = arguments.id.empty() ? random_id() : arguments.id;
  if (!is_id(id)) {
    return fail("--id takes letters, digits, dot, dash and underscore, at most 64");
  }
  if (!arguments.role.empty() && !arguments.tenant.empty()) {
    return fail("--role makes a token of the operator API, which belongs to no tenant");
  }
  const NewKey key = make_key();
  const std::string role = arguments.role.empty() ? "" : fmt::format(", role: {}", arguments.role);
  const std::string yaml = fmt::format("- {{ id: {}, hash: \"{}\"{} }}", id, key.hash, role);
  if (arguments.json) {
    std::string out;
    base::JsonWriter json(out);
    json.begin_object().key("id").string(id).key("key").string(key.text);
    json.key("hash").string(key.hash).key("yaml").string(yaml).end_object();
    std::printf("%s\n", out.c_str());
    return kOk;
  }
  const std::string where = !arguments.role.empty() ? "admin.tokens"
                            : arguments.tenant.empty()
                                ? "the tenant's keys"
                                : fmt::format("the keys of tenant {}", arguments.tenant);
  std::printf(
      "%s\n\nThis key is shown once. Give it to its user, and put its hash under %s:\n\n"
      "      %s\n\nThen reload: kill -HUP the gateway.\n",
      key.text.c_str(), where.c_str(), yaml.c_str());
  return kOk;
}

// --- list and revoke ----------------------------------------------------------------------------

struct Located {
  config::SourceFile file;
  std::vector<config::KeyPlace> keys;
};

std::expected<std::vector<Located>, std::string> locate(const std::string& path) {
  auto files = read_config_files(path);
  if (!files) return std::unexpected(files.error());
  std::vector<Located> out;
  for (config::SourceFile& file : *files) {
    auto keys = config::find_keys(file);
    if (!keys) return std::unexpected(keys.error());
    out.push_back({std::move(file), std::move(*keys)});
  }
  return out;
}

int list(const Arguments& arguments) {
  const auto located = locate(arguments.config_path);
  if (!located) return fail(located.error());
  std::string out;
  base::JsonWriter json(out);
  json.begin_array();
  std::string text;
  for (const Located& one : *located) {
    for (const config::KeyPlace& key : one.keys) {
      json.begin_object().key("tenant").string_or_null(key.owner).key("id").string(key.id);
      json.key("file").string(one.file.name).key("line").integer(key.line).end_object();
      text += fmt::format("{:<24} {:<24} {}:{}\n", key.owner.empty() ? "(admin)" : key.owner,
                          key.id, one.file.name, key.line);
    }
  }
  json.end_array();
  std::printf("%s%s", arguments.json ? out.c_str() : text.c_str(), arguments.json ? "\n" : "");
  return kOk;
}

// The one key that is meant, or why there is none.
std::expected<std::pair<const Located*, const config::KeyPlace*>, std::string> pick(
    const std::vector<Located>& located, const Arguments& arguments) {
  std::vector<std::pair<const Located*, const config::KeyPlace*>> found;
  for (const Located& one : located) {
    for (const config::KeyPlace& key : one.keys) {
      const bool owned = arguments.admin            ? key.owner.empty()
                         : arguments.tenant.empty() ? true
                                                    : key.owner == arguments.tenant;
      if (owned && key.id == arguments.id) found.emplace_back(&one, &key);
    }
  }
  if (found.empty()) {
    return std::unexpected(
        fmt::format("no key {} there; trunkline keys list shows them", arguments.id));
  }
  if (found.size() == 1) return found[0];
  std::string owners;
  for (const auto& [one, key] : found) {
    owners += fmt::format("{}{} ({}:{})", owners.empty() ? "" : ", ", owner_name(key->owner),
                          one->file.name, key->line);
  }
  return std::unexpected(
      fmt::format("several keys are named {}: {}; name one with --tenant or "
                  "--admin",
                  arguments.id, owners));
}

int revoke(const Arguments& arguments) {
  if (arguments.admin && !arguments.tenant.empty()) {
    return fail("--admin and --tenant exclude each other");
  }
  const auto located = locate(arguments.config_path);
  if (!located) return fail(located.error());
  const auto picked = pick(*located, arguments);
  if (!picked) {
    std::fprintf(stderr, "keys: %s\n", picked.error().c_str());
    return kNegative;
  }
  const auto& [file, key] = *picked;
  const std::string what = fmt::format("key {} of {} ({}:{})", key->id, owner_name(key->owner),
                                       file->file.name, key->line);
  const auto text = config::remove_key(file->file, *key);
  if (!text || arguments.config_path == "-") {
    std::fprintf(stderr,
                 "keys: NOT revoked: %s; remove %s by hand, then reload: kill -HUP the gateway\n",
                 text ? "standard input cannot be changed" : text.error().c_str(), what.c_str());
    return kNegative;
  }
  if (arguments.dry_run) {
    std::printf("would remove %s\n", what.c_str());
    return kOk;
  }
  if (const auto written = replace_file(file->file.name, *text); !written) {
    std::fprintf(stderr, "keys: NOT revoked: %s\n", written.error().c_str());
    return kUsage;
  }
  std::printf("removed %s\nIt works until the gateway reloads: kill -HUP the gateway.\n",
              what.c_str());
  return kOk;
}

}  // namespace

void add_keys(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("keys", "Make, list and revoke API keys");
  command->require_subcommand(1);
  auto arguments = std::make_shared<Arguments>();

  CLI::App* make = command->add_subcommand("new", "Print a random key and the line with its hash");
  make->add_option("--id", arguments->id, "Its name in logs; random if none is given");
  make->add_option("--tenant", arguments->tenant, "Whom it is for; only words the advice");
  make->add_option("--role", arguments->role, "Make a token for the operator API instead")
      ->check(CLI::IsMember({"operator", "viewer"}));
  make->add_flag("--json", arguments->json, "Print JSON");
  make->callback([arguments, &exit_code] { exit_code = new_key(*arguments); });

  CLI::App* password = command->add_subcommand(
      "password", "Print a random SMPP password and the line with its hash");
  auto from_input = std::make_shared<bool>(false);
  password->add_flag("--stdin", *from_input, "Hash the password on standard input instead");
  password->add_flag("--json", arguments->json, "Print JSON");
  password->callback([arguments, from_input, &exit_code] {
    exit_code = new_password(*from_input, arguments->json);
  });

  const auto add_config = [&](CLI::App* sub) {
    sub->add_option("--config", arguments->config_path, "Configuration file or directory")
        ->required();
  };
  CLI::App* show = command->add_subcommand("list", "Show the ids of all keys");
  add_config(show);
  show->add_flag("--json", arguments->json, "Print JSON");
  show->callback([arguments, &exit_code] { exit_code = list(*arguments); });

  CLI::App* remove = command->add_subcommand("revoke", "Remove a key from the configuration file");
  add_config(remove);
  remove->add_option("ID", arguments->id, "The key's id")->required();
  remove->add_option("--tenant", arguments->tenant, "Whose, if several have that id");
  remove->add_flag("--admin", arguments->admin, "A token of the operator API");
  remove->add_flag("--dry-run", arguments->dry_run, "Only say what would be removed");
  remove->callback([arguments, &exit_code] { exit_code = revoke(*arguments); });
}

}  // namespace trunkline::cli
