#include "service/notes.h"

#include "base/assert.h"

namespace trunkline::service {

using engine::Note;
using telemetry::Metric;

namespace {

constexpr bool is_duration(Note::Metric metric) {
  return metric == Note::Metric::submit_duration || metric == Note::Metric::accept_to_submit ||
         metric == Note::Metric::submit_to_receipt;
}

}  // namespace

std::string_view NoteSink::carrier(const Note& note) const {
  return note.carrier.is_none()
             ? "none"
             : std::string_view(tables_->routing.carriers[note.carrier.at()].name);
}

std::string_view NoteSink::traffic_class(const Note& note) const {
  return note.traffic_class.is_none()
             ? "none"
             : std::string_view(tables_->classes[note.traffic_class.at()].name);
}

std::uint8_t NoteSink::word_number(std::string_view word) {
  if (word.data() == nullptr) return 0;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (words_[i] == word.data()) return static_cast<std::uint8_t>(i + 1);
  }
  ASSERT(words_.size() < 255);  // notes use a closed set of words
  words_.push_back(word.data());
  return static_cast<std::uint8_t>(words_.size());
}

std::uint64_t NoteSink::key(const Note& note) {
  std::uint64_t key = static_cast<std::uint64_t>(note.metric);
  key = key << 16 | note.carrier.value;
  key = key << 8 | note.traffic_class.value;
  key = key << 16 | note.country.packed();
  key = key << 8 | word_number(note.word);
  return key << 8 | word_number(note.word2);
}

telemetry::Counter* NoteSink::make_counter(const Note& note) {
  const std::string country = note.country.code();
  switch (note.metric) {
    case Note::Metric::accepted:
      return metrics_.counter(Metric::messages_accepted,
                              {note.word2, traffic_class(note), region_});
    case Note::Metric::submit_result:
      return metrics_.counter(Metric::submits,
                              {carrier(note), country, traffic_class(note), note.word});
    case Note::Metric::receipt:
      return metrics_.counter(Metric::receipts,
                              {carrier(note), country, traffic_class(note), note.word});
    case Note::Metric::retry:
      return metrics_.counter(Metric::retries, {note.word});
    case Note::Metric::in_doubt:
      return metrics_.counter(Metric::in_doubt);
    case Note::Metric::possible_duplicate:
      return metrics_.counter(Metric::possible_duplicates);
    case Note::Metric::throttled:
      return metrics_.counter(Metric::throttled, {carrier(note)});
    case Note::Metric::receipt_unmatched:
      return metrics_.counter(Metric::receipts_unmatched, {carrier(note)});
    case Note::Metric::policy_decision:
      return metrics_.counter(Metric::policy_decisions, {note.word, note.word2});
    case Note::Metric::ejection:
      return metrics_.counter(Metric::ejections, {carrier(note), note.word, note.word2});
    case Note::Metric::shed:
      return metrics_.counter(Metric::shed, {traffic_class(note)});
    case Note::Metric::cost:
      return metrics_.counter(Metric::carrier_cost,
                              {carrier(note), country, tables_->routing.currency});
    case Note::Metric::submit_duration:
    case Note::Metric::accept_to_submit:
    case Note::Metric::submit_to_receipt:
      break;
  }
  ASSERT(false);
  return nullptr;
}

telemetry::Histogram* NoteSink::make_histogram(const Note& note) {
  switch (note.metric) {
    case Note::Metric::submit_duration:
      return metrics_.histogram(Metric::submit_duration, {carrier(note)});
    case Note::Metric::accept_to_submit:
      return metrics_.histogram(Metric::accept_to_submit, {traffic_class(note), carrier(note)});
    case Note::Metric::submit_to_receipt:
      return metrics_.histogram(Metric::submit_to_receipt, {carrier(note), traffic_class(note)});
    default:
      break;
  }
  ASSERT(false);
  return nullptr;
}

void NoteSink::count(const Note& note) {
  if (is_duration(note.metric)) {
    telemetry::Histogram*& histogram = histograms_.slot(key(note));
    if (histogram == nullptr) histogram = make_histogram(note);
    histogram->observe_us(note.value);
  } else {
    telemetry::Counter*& counter = counters_.slot(key(note));
    if (counter == nullptr) counter = make_counter(note);
    counter->add(static_cast<std::uint64_t>(note.value));
  }
}

void NoteSink::count(const std::vector<Note>& notes) {
  ASSERT(tables_ != nullptr || notes.empty());
  for (const Note& note : notes) count(note);
}

}  // namespace trunkline::service
