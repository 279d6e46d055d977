// Every fixed bound of the process, in one place, with its unit and what happens when it is
// reached. What an operator may want to change is in the configuration instead; these protect the
// process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace trunkline::base::limits {

using namespace std::chrono_literals;

// --- text -------------------------------------------------------------------------------------
// A longer text is refused with 400 `text_too_long`. Twilio's limit of 1,600 characters is 23
// UCS-2 segments; 32 lets segment sets be 32-bit masks.
inline constexpr std::size_t kSegmentsMax = 32;
inline constexpr std::size_t kBodyBytesMax = 16 * 1024;     // UTF-8; checked before segmentation
inline constexpr std::size_t kSenderBytesMax = 20;          // SMPP source_addr holds 20 + NUL
inline constexpr std::size_t kMetadataBytesMax = 2 * 1024;  // compact JSON
inline constexpr std::size_t kCallbackUrlBytesMax = 2 * 1024;
inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;

// --- incoming messages of several parts ---------------------------------------------------------
// When one is reached, the oldest incomplete message (of the peer, of all) is given up and
// delivered with its gaps marked.
inline constexpr auto kReassemblyWait = 30min;  // from the first part; then delivered as it is
inline constexpr std::size_t kReassemblyMessagesMax = 100'000;
inline constexpr std::size_t kReassemblyPeerMessagesMax = 20'000;     // so that one floods itself
inline constexpr std::size_t kReassemblyBytesMax = 64 * 1024 * 1024;  // texts and what holds them
inline constexpr auto kReassemblyRepeatKeep = 1h;  // how long a repetition is told as such
inline constexpr std::size_t kReassemblyRepeatsMax = 50'000;  // beyond: the oldest is forgotten

// --- a client's own parts -----------------------------------------------------------------------
// The parts of one message are decided about together, for this long from the first.
inline constexpr auto kPartsWindow = 10min;
// Of them, in memory; beyond: the oldest is looked up in the store again when a part of it comes.
inline constexpr std::size_t kPartPlansMax = 100'000;
// The short ids of SMPP 3.3 are found again this long after a message's last end.
inline constexpr auto kAliasKept = 4 * 24h;

// --- time -------------------------------------------------------------------------------------
inline constexpr auto kTtlMin = 1s;
inline constexpr auto kTtlMax = 7 * 24h;
inline constexpr auto kScheduleMax = 35 * 24h;
inline constexpr auto kIdempotencyRetention = 24h;
inline constexpr auto kInDoubtHold = 300s;    // class rule `hold`: wait this long for a receipt
inline constexpr auto kReceiptWaitMax = 72h;  // then the message ends `uncertain` and is archived
// Receipts find a message that has ended this long after its end.
inline constexpr auto kReceiptOwnersKept = 72h;
inline constexpr auto kColdAfter = 10min;         // waiting longer than this leaves engine memory
inline constexpr auto kEarlyReceiptKeep = 10min;  // a receipt before its submit response
inline constexpr auto kHourKeysKept = 25h;        // texts sealed under hour keys live a day at most
inline constexpr auto kArchiveKept = 90 * 24h;    // finished messages, then they are swept
// What an application never fetched: counted as lost to it, and dropped. Accounts may say less.
inline constexpr auto kNoticeKeptMax = 7 * 24h;
inline constexpr auto kRecentFinalKeep = 10min;  // in memory, without asking the store

// --- HTTP -------------------------------------------------------------------------------------
inline constexpr std::size_t kHttpHeaderBytesMax = 16 * 1024;           // 431, connection closed
inline constexpr std::size_t kHttpBodyBytesMax = 1024 * 1024;           // 413, connection closed
inline constexpr std::size_t kHttpBatchBodyBytesMax = 4 * 1024 * 1024;  // 413, connection closed
inline constexpr std::size_t kHttpConnectionsMax = 10'000;  // accepted and closed at once
inline constexpr std::size_t kHttpPipelineMax =
    64;                                          // requests in flight a connection; then no reads
inline constexpr auto kHttpHeaderTimeout = 10s;  // from first byte to end of headers
inline constexpr auto kHttpBodyTimeout = 30s;    // from end of headers to end of body
inline constexpr auto kHttpIdleTimeout = 75s;    // keep-alive without a request
inline constexpr auto kHttpWriteTimeout = 30s;   // a client that does not read
inline constexpr auto kHttpLingerTimeout = 2s;   // after an error: reads on, so the answer arrives
// Of an answer that goes on, waiting for its client; beyond, its maker has to keep or drop what it
// has.
inline constexpr std::size_t kHttpStreamUnsentMax = 256 * 1024;
inline constexpr auto kHttpAnswerTimeout = 30s;     // the engine's silence becomes 503
inline constexpr std::size_t kHttpFieldsMax = 100;  // header lines; more: 431
inline constexpr std::size_t kHttpUnsentBytesMax = 2 * 1024 * 1024;  // a connection; then no reads
inline constexpr std::size_t kBatchItemsMax = 1'000;
inline constexpr std::size_t kListLimitMax = 500;
inline constexpr std::size_t kListLimitDefault = 50;

// --- engine -----------------------------------------------------------------------------------
// Above the soft limit the lowest class is refused with 429, and so on upwards; above the hard
// limit everything is.
inline constexpr std::size_t kHotMessagesSoft = 8'000'000;
inline constexpr std::size_t kHotMessagesHard = 10'000'000;
// Free disk below which the least urgent class is refused, unless limits.disk_free_mb says
// otherwise; a tenth of the disk if that is less.
inline constexpr std::uint64_t kDiskKeptFree = std::uint64_t{1} << 30;
// Links lost with a message as the oldest of all that was unanswered: then it is taken to be why.
inline constexpr std::size_t kPoisonSessions = 2;
inline constexpr std::size_t kAttemptsMax = 50;            // over all carriers, a backstop
inline constexpr std::size_t kEarlyReceiptsMax = 100'000;  // beyond: oldest counted unmatched
inline constexpr std::size_t kRecentFinalsMax = 200'000;
// Messages to one number, all of them ended with a receipt outstanding whose id nobody knows;
// beyond, such receipts are nobody's.
inline constexpr std::size_t kReceiptOwnersMax = 4;
inline constexpr std::size_t kMailboxEventsMax = 200'000;  // full: HTTP answers 503
inline constexpr std::size_t kListScanMax = 20'000;        // hot messages looked at for one page
// Beyond, queueing and attempts that cost nothing (throttled, not sent) are no longer kept.
inline constexpr std::size_t kEventsPerMessageMax = 100;

// --- store ------------------------------------------------------------------------------------
inline constexpr std::size_t kCommitBytesTarget = 1024 * 1024;    // a group commit is cut here
inline constexpr std::size_t kJournalRecordBytesMax = 64u << 20;  // larger is damage
inline constexpr std::size_t kJournalTrimBytes = 256u << 20;      // keep the journal below this
// Late events that would make an archived record larger are dropped: a carrier that repeats one
// receipt for ever must not grow it for ever.
inline constexpr std::size_t kArchiveRecordBytesMax = 256 * 1024;

// --- telemetry --------------------------------------------------------------------------------
inline constexpr std::size_t kMetricSeriesMax = 2'000;   // a metric; beyond: labels `other`
inline constexpr std::size_t kHistogramSeriesMax = 300;  // the same for histograms
inline constexpr auto kMetricIdleExport = 1h;            // untouched for longer: not exported

// --- opt-outs -----------------------------------------------------------------------------------
// Entries, those that were taken back included: 24 octets of memory each in tables at most 70 %
// full. Beyond, new ones are refused, those of other cells too.
inline constexpr std::size_t kOptOutsMax = 4'000'000;
inline constexpr std::size_t kOptOutScopesMax = 60'000;   // pairs of tenant and sender; the same
inline constexpr std::size_t kOptOutCellsMax = 2'000;     // cells that have written some; the same
inline constexpr std::size_t kOptOutsAtOnceMax = 10'000;  // of one request; more: 400

// --- SMPP -------------------------------------------------------------------------------------
inline constexpr std::size_t kPduBytesMax = 64 * 1024 + 1024;  // message_payload plus the rest
inline constexpr std::size_t kPduBytesBeforeBindMax = 1024;    // longer: framing error, closed
// PDUs of a client that is not bound; more: closed. With the size above it bounds what somebody
// unknown costs, and how many passwords he may try on one connection.
inline constexpr std::size_t kPdusBeforeBindMax = 16;
inline constexpr std::size_t kLinkUnsentBytesMax = 256 * 1024;  // then no new submits on the link
inline constexpr std::size_t kWindowMax = 10'000;
// Timed-out requests a session remembers, in windows; beyond: the oldest one's late answer is
// counted as unknown.
inline constexpr std::size_t kLateWindows = 4;
inline constexpr std::size_t kBindsMax = 64;

// --- SMPP for applications --------------------------------------------------------------------
inline constexpr std::size_t kEsmeConnectionsMax = 5'000;  // accepted and closed at once
inline constexpr std::size_t kEsmeUnboundMax = 1'000;      // of them not bound yet; the same
inline constexpr std::size_t kTlsHandshakesMax = 1'000;    // under way; the same

// --- looking on -------------------------------------------------------------------------------
// Orders of operators about traffic.
inline constexpr std::size_t kOrdersMax = 64;         // in force; another one is refused
inline constexpr std::size_t kSurgeriesMax = 8;       // at a time; another one is refused
inline constexpr std::size_t kQueueRowsMax = 10'000;  // of one listing; it says that there are more
inline constexpr std::size_t kAuditBytesMax = 16u << 20;  // a file; then the next, two are kept
inline constexpr std::size_t kAuditShownBytesMax = 512u << 10;  // of the latest lines
inline constexpr std::size_t kOrderReasonMax = 500;             // octets
inline constexpr std::chrono::minutes kOrderMin{1};
inline constexpr std::chrono::hours kOrderMax{24 * 30};
inline constexpr std::size_t kPeerTracesMax = 8;  // at a time; another one is refused
// Lines that wait for who looks on; beyond, they are dropped and counted.
inline constexpr std::size_t kPeerTraceBytesMax = 1024 * 1024;

// --- configuration ------------------------------------------------------------------------------
// Beyond either, `check` and a reload say so and the old configuration stays.
inline constexpr std::size_t kConfigBytesMax = 8 * 1024 * 1024;     // a file; about 40,000 tenants
inline constexpr std::size_t kConfigNodesMax = 2'000'000;           // values of all files together
inline constexpr std::size_t kDataFileBytesMax = 64 * 1024 * 1024;  // number ranges, prices
// What a cell gives the others of it (cells.shares); the same.
inline constexpr std::size_t kSharedFilesMax = 100;
inline constexpr std::size_t kSharedBytesMax = 8 * 1024 * 1024;  // of all of them together

static_assert(kHotMessagesSoft < kHotMessagesHard);
static_assert(kSegmentsMax <= 32, "segment sets are 32-bit masks");
static_assert(kHttpBodyBytesMax > 4 * kBodyBytesMax, "an escaped body still fits one request");

}  // namespace trunkline::base::limits
