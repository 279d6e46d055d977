#include "seal/vault.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "seal/key_file.h"
#include "seal/nonce.h"

namespace trunkline::seal {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr base::Wall kNow = base::wall_from_us(1'800'000'000'000'000);  // 2027-01-15T08:00Z
constexpr base::Duration kHour = 1h;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, std::string_view bytes, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary) << bytes;
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

class VaultTest : public ::testing::Test {
 protected:
  VaultTest() {
    std::string pattern = fs::temp_directory_path() / "vault_test.XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
    path_ = dir_ + "/keys";
  }
  ~VaultTest() override { fs::remove_all(dir_); }

  std::unique_ptr<Vault> open(base::Wall now = kNow) {
    auto vault = Vault::open(path_, now, MissingKeys::create);
    EXPECT_TRUE(vault.has_value()) << vault.error();
    return vault ? std::move(*vault) : nullptr;
  }
  std::string open_error(MissingKeys missing = MissingKeys::create) {
    auto vault = Vault::open(path_, kNow, missing);
    return vault ? "" : vault.error();
  }

  std::string dir_;
  std::string path_;
};

TEST_F(VaultTest, OpensWhatItSealedAlsoAfterARestart) {
  std::map<std::string, std::string> blobs;
  {
    const auto vault = open();
    for (const std::string& plain :
         {std::string(), std::string("hello"), std::string(5'000, 'x')}) {
      const std::string blob = vault->seal(KeyKind::month, "demo", 7, kNow, plain, "context");
      EXPECT_EQ(blob.size(), plain.size() + kBlobOverhead);
      EXPECT_EQ(blob.find("hello"), std::string::npos);
      EXPECT_EQ(vault->open_blob(blob, "context"), plain);
      blobs[plain] = blob;
    }
  }
  const auto vault = open(kNow + 2400h);
  for (const auto& [plain, blob] : blobs) EXPECT_EQ(vault->open_blob(blob, "context"), plain);
}

TEST_F(VaultTest, NoticesEveryChangedOctetAndTheWrongContext) {
  const auto vault = open();
  const std::string blob = vault->seal(KeyKind::hour, "demo", 7, kNow, "one-time 123456", "m1");
  EXPECT_EQ(vault->open_blob(blob, "m2"), std::unexpected(OpenError::tampered));
  EXPECT_EQ(vault->open_blob(blob, ""), std::unexpected(OpenError::tampered));
  for (std::size_t i = 0; i < blob.size(); ++i) {
    for (const int bit : {0, 7}) {
      std::string changed = blob;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(vault->open_blob(changed, "m1").has_value()) << i;
    }
    EXPECT_FALSE(vault->open_blob(blob.substr(0, i), "m1").has_value()) << i;
  }
  EXPECT_EQ(vault->open_blob("", ""), std::unexpected(OpenError::malformed));
  EXPECT_EQ(vault->open_blob(blob.substr(0, kBlobOverhead - 1), "m1"),
            std::unexpected(OpenError::malformed));
  std::string newer = blob;
  newer[0] = 2;
  EXPECT_EQ(vault->open_blob(newer, "m1"), std::unexpected(OpenError::malformed));
}

// What the context covers must not slide into the header or the other way round.
TEST_F(VaultTest, LongContextsCountInFull) {
  const auto vault = open();
  const std::string context(300, 'c');
  const std::string blob =
      vault->seal(KeyKind::month, std::string(200, 't'), 7, kNow, "x", context);
  EXPECT_EQ(vault->open_blob(blob, context), "x");
  EXPECT_FALSE(vault->open_blob(blob, context + "c").has_value());
  EXPECT_FALSE(vault->open_blob(blob, context.substr(1)).has_value());
}

TEST_F(VaultTest, AnotherInstallationCannotOpenIt) {
  const auto vault = open();
  const std::string blob = vault->seal(KeyKind::month, "demo", 7, kNow, "hello", "");
  const std::string fingerprint = vault->fingerprint();
  const std::uint64_t number = vault->number_hash(447700900123);
  path_ += "2";
  const auto other = open();
  EXPECT_FALSE(other->open_blob(blob, "").has_value());
  EXPECT_NE(other->fingerprint(), fingerprint);
  EXPECT_NE(other->number_hash(447700900123), number);
}

TEST_F(VaultTest, KeysDifferByTenantNumberAndPeriod) {
  const auto vault = open();
  const auto key_id = [&](KeyKind kind, const char* tenant, std::uint64_t number, base::Wall now) {
    EXPECT_TRUE(vault->ensure_roots(now).has_value());
    return vault->seal(kind, tenant, number, now, "x", "").substr(1, 16);
  };
  const std::string one = key_id(KeyKind::month, "demo", 1, kNow);
  EXPECT_EQ(key_id(KeyKind::month, "demo", 1, kNow + 24h), one);
  EXPECT_NE(key_id(KeyKind::month, "demo", 1, kNow + 31 * 24h), one);
  EXPECT_NE(key_id(KeyKind::month, "demo", 2, kNow), one);
  EXPECT_NE(key_id(KeyKind::month, "dem", 1, kNow), one);
  const std::string hour = key_id(KeyKind::hour, "demo", 1, kNow);
  EXPECT_NE(hour, one);
  EXPECT_NE(key_id(KeyKind::hour, "demo", 1, kNow + 1h), hour);
  EXPECT_EQ(one.substr(0, 4), std::string("\x01\x00\x02\xac", 4));   // 57 years
  EXPECT_EQ(hour.substr(0, 4), std::string("\x02\x07\xa1\x20", 4));  // 500,000 hours
}

TEST_F(VaultTest, DestroyedHoursAreGoneForEverAndOnlyThey) {
  auto vault = open();
  std::vector<std::string> hours;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(vault->ensure_roots(kNow + i * kHour).has_value());
    hours.push_back(vault->seal(KeyKind::hour, "demo", 1, kNow + i * kHour, "code", ""));
  }
  const std::string month = vault->seal(KeyKind::month, "demo", 1, kNow, "text", "");
  const std::string before = read_file(path_);
  EXPECT_EQ(vault->destroy_hours_before(kNow), 0u);
  EXPECT_EQ(vault->destroy_hours_before(kNow + 3 * kHour - 1us), 2u);
  EXPECT_EQ(vault->destroy_hours_before(kNow + 3 * kHour), 1u);
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < 5; ++i) {
      const auto opened = vault->open_blob(hours[i], "");
      if (i < 3) {
        EXPECT_EQ(opened, std::unexpected(OpenError::no_key)) << i;
      } else {
        EXPECT_EQ(opened, "code") << i;
      }
    }
    EXPECT_EQ(vault->open_blob(month, ""), "text");
    vault.reset();
    vault = open(kNow + 4 * kHour);
  }
  // The destroyed secrets are in neither file any more.
  const auto old_ring = decode_key_file(before);
  ASSERT_TRUE(old_ring.has_value());
  const std::string after = read_file(path_);
  for (const Root& root : old_ring->roots()) {
    const std::string secret(root.key.begin(), root.key.end());
    const bool gone = root.kind == KeyKind::hour && root.period < 500'003;
    EXPECT_EQ(after.find(secret) == std::string::npos, gone);
  }
  EXPECT_FALSE(fs::exists(path_ + ".new"));
}

TEST_F(VaultTest, AlwaysHasARootToSealUnder) {
  const auto vault = open();
  // Nobody called ensure_roots for days, and the clock may also have gone back.
  for (const base::Wall now : {kNow + 100h, kNow - 100h, base::Wall{} - 5h}) {
    for (const KeyKind kind : {KeyKind::month, KeyKind::hour}) {
      const std::string blob = vault->seal(kind, "demo", 1, now, "x", "");
      EXPECT_EQ(vault->open_blob(blob, ""), "x");
    }
  }
  EXPECT_EQ(vault->destroy_hours_before(kNow + 10'000h), 1u);
  const std::string blob = vault->seal(KeyKind::hour, "demo", 1, kNow, "x", "");
  EXPECT_EQ(vault->open_blob(blob, ""), "x");
}

TEST_F(VaultTest, TheKeyFileIsPrivate) {
  const mode_t old_mask = ::umask(0);
  open();
  ::umask(old_mask);
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600u);
  for (const mode_t mode : {0640u, 0604u, 0660u, 0644u}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    EXPECT_NE(open_error().find("chmod 600 " + path_), std::string::npos) << open_error();
  }
  ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
  EXPECT_EQ(open_error(), "");
}

TEST_F(VaultTest, NeverReplacesKeysThatAreMissingOrDamaged) {
  EXPECT_NE(open_error(MissingKeys::refuse).find("there is no key file"), std::string::npos);
  EXPECT_FALSE(fs::exists(path_));
  open();
  const std::string whole = read_file(path_);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    write_file(path_, damaged);
    EXPECT_NE(open_error(), "") << i;
    EXPECT_EQ(read_file(path_), damaged);
    if (i % 7 == 0) {
      write_file(path_, whole.substr(0, i));
      EXPECT_NE(open_error(), "") << i;
    }
  }
  write_file(path_, whole + "x");
  EXPECT_NE(open_error().find("damaged"), std::string::npos);
  write_file(path_, "");
  EXPECT_NE(open_error().find(path_), std::string::npos);
  std::string newer = whole;
  newer[7] = 2;
  write_file(path_, newer);
  EXPECT_NE(open_error().find("version 2"), std::string::npos);
  write_file(path_, whole);
  EXPECT_EQ(open_error(MissingKeys::refuse), "");
}

TEST_F(VaultTest, SaysWhereItCannotWrite) {
  path_ = dir_ + "/no/such/directory/keys";
  EXPECT_NE(open_error().find(path_), std::string::npos);
}

// Every state a crash can leave behind while the file is rewritten.
TEST_F(VaultTest, FinishesAnInterruptedRewriting) {
  const std::string temp = path_ + ".new";
  auto vault = open();
  const std::string month = vault->seal(KeyKind::month, "demo", 1, kNow, "text", "");
  const std::string hour = vault->seal(KeyKind::hour, "demo", 1, kNow, "code", "");
  const std::string old_file = read_file(path_);
  ASSERT_EQ(vault->ensure_roots(kNow + 1h).has_value(), true);
  ASSERT_EQ(vault->destroy_hours_before(kNow + 1h), 1u);
  const std::string new_file = read_file(path_);
  vault.reset();

  std::string half = old_file;
  std::fill_n(half.begin(), half.size() / 2, '\0');
  struct Row {
    const char* what;
    std::optional<std::string> current;
    std::optional<std::string> next;
    bool is_new;
  };
  for (const Row& row :
       {Row{"begun to write", old_file, new_file.substr(0, 50), false},
        Row{"an empty file", old_file, "", false}, Row{"written", old_file, new_file, true},
        Row{"half overwritten", half, new_file, true},
        Row{"overwritten", std::string(old_file.size(), '\0'), new_file, true},
        Row{"renamed", new_file, {}, true}}) {
    fs::remove(temp);
    write_file(path_, *row.current);
    if (row.next) write_file(temp, *row.next);
    vault = open(kNow + 1h);
    ASSERT_TRUE(vault) << row.what;
    EXPECT_EQ(vault->open_blob(month, ""), "text") << row.what;
    EXPECT_EQ(vault->open_blob(hour, "").has_value(), !row.is_new) << row.what;
    EXPECT_FALSE(fs::exists(temp)) << row.what;
    vault.reset();
  }
  // The very first file, torn: nothing was sealed yet.
  fs::remove(path_);
  write_file(temp, old_file.substr(0, 40));
  EXPECT_NE(open_error(MissingKeys::refuse), "");
  EXPECT_EQ(open_error(MissingKeys::create), "");
  // Both damaged: keep both, and say so.
  write_file(path_, half);
  write_file(temp, new_file.substr(0, 50));
  EXPECT_NE(open_error(), "");
  EXPECT_EQ(read_file(path_), half);
  EXPECT_EQ(read_file(temp), new_file.substr(0, 50));
}

TEST_F(VaultTest, HashesAreKeyedAndSeparated) {
  const auto vault = open();
  EXPECT_EQ(vault->number_hash(1), vault->number_hash(1));
  EXPECT_NE(vault->number_hash(1), vault->number_hash(2));
  EXPECT_EQ(vault->hash("key", "a"), vault->hash("key", "a"));
  EXPECT_NE(vault->hash("key", "a"), vault->hash("key", "b"));
  EXPECT_NE(vault->hash("key", "a"), vault->hash("ke", "ya"));
  EXPECT_NE(vault->hash("key", "a"), vault->hash("fingerprint", "a"));
  EXPECT_EQ(vault->fingerprint().size(), 16u);
}

TEST_F(VaultTest, InMemoryRepeatsItself) {
  const auto one = Vault::in_memory(5);
  const auto two = Vault::in_memory(5);
  const auto other = Vault::in_memory(6);
  const std::string blob = one->seal(KeyKind::hour, "demo", 1, kNow, "x", "c");
  EXPECT_EQ(two->seal(KeyKind::hour, "demo", 1, kNow, "x", "c"), blob);
  EXPECT_NE(two->seal(KeyKind::hour, "demo", 1, kNow, "x", "c"), blob);
  EXPECT_EQ(two->open_blob(blob, "c"), "x");
  EXPECT_FALSE(other->open_blob(blob, "c").has_value());
  EXPECT_EQ(one->number_hash(9), two->number_hash(9));
  EXPECT_TRUE(one->ensure_roots(kNow).has_value());
  EXPECT_TRUE(one->destroy_hours_before(kNow + 1h).has_value());
  EXPECT_EQ(one->open_blob(blob, "c"), std::unexpected(OpenError::no_key));
}

TEST(Nonces, NeverRepeatAlsoBetweenThreads) {
  std::vector<std::set<std::string>> taken(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : taken) {
      threads.emplace_back([&mine] {
        for (int i = 0; i < 5'000; ++i) {
          std::string nonce(kNonceBytes, '\0');
          fill_nonce(reinterpret_cast<unsigned char*>(nonce.data()));
          mine.insert(nonce);
        }
      });
    }
  }
  std::set<std::string> all;
  for (const auto& mine : taken) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 20'000u);
}

TEST_F(VaultTest, SealsWhileRootsComeAndGo) {
  const auto vault = open();
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const std::string blob = vault->seal(KeyKind::month, "demo", 1, kNow, "text", "");
        const std::string code = vault->seal(KeyKind::hour, "demo", 1, kNow + 900h, "code", "");
        if (vault->open_blob(blob, "") != "text") failed = true;
        static_cast<void>(vault->open_blob(code, ""));
        static_cast<void>(vault->number_hash(1));
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(vault->ensure_roots(kNow + i * kHour).has_value());
    EXPECT_TRUE(vault->destroy_hours_before(kNow + (i - 2) * kHour).has_value());
  }
  stop = true;
  threads.clear();
  EXPECT_FALSE(failed);
}

// Written by version 1: to be read by every version for ever.
TEST_F(VaultTest, ReadsVersionOne) {
  std::ifstream in(TRUNKLINE_TESTDATA "/version1.txt");
  std::map<std::string, std::string> golden;
  for (std::string name, hex; in >> name >> hex;) golden[name] = from_hex(hex);
  ASSERT_EQ(golden.size(), 6u);
  write_file(path_, golden["key_file"]);
  const auto vault = open(kNow);
  EXPECT_EQ(read_file(path_), golden["key_file"]) << "it has the roots of kNow already";
  EXPECT_EQ(vault->open_blob(golden["month_blob"], "msg-1"), "+447700900123|hello");
  EXPECT_EQ(vault->open_blob(golden["hour_blob"], "msg-2"), "Your code is 123456");
  const auto hash_text = [](std::uint64_t value) { return fmt::format("{:016x}", value); };
  EXPECT_EQ(hash_text(vault->number_hash(447'700'900'123)), golden["number_hash"]);
  const base::Hash128 hash = vault->hash("idempotency", "demo/abc");
  EXPECT_EQ(hash_text(hash.high) + hash_text(hash.low), golden["hash"]);
  EXPECT_EQ(vault->fingerprint(), golden["fingerprint"]);
  // The same number, sealed today, still falls under the same key.
  EXPECT_EQ(vault->seal(KeyKind::month, "demo", 42, kNow, "x", "").substr(0, 17),
            golden["month_blob"].substr(0, 17));
}

}  // namespace
}  // namespace trunkline::seal
