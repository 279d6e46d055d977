#include "smpp/framer.h"

#include <gtest/gtest.h>

#include <vector>

#include "smpp/pdu.h"

namespace trunkline::smpp {
namespace {

// A frame of that size whose octets tell where they belong.
std::string frame(std::size_t size, char fill, std::uint32_t sequence = 7) {
  std::string out(size, fill);
  const auto put = [&](std::size_t at, std::size_t v) {
    for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(v >> (24 - 8 * i));
  };
  put(0, size);
  put(12, sequence);
  return out;
}

struct Outcome {
  std::vector<std::string> frames;
  std::optional<FramingError> error;
};

// Feeds `stream` in pieces of `piece` bytes, each in memory of its own, so that ASan sees a view
// that outlives its input.
Outcome cut(Framer& framer, std::string_view stream, std::size_t piece) {
  Outcome out;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const std::string chunk(stream.substr(at, piece));
    std::string_view input = chunk;
    for (;;) {
      const auto frame = framer.next(input);
      if (!frame) {
        out.error = frame.error();
        return out;
      }
      if (!*frame) break;
      out.frames.emplace_back(**frame);
    }
    EXPECT_TRUE(input.empty());
  }
  return out;
}

TEST(Framer, CutsTheSameFramesHoweverTheBytesArrive) {
  const std::vector<std::string> frames = {frame(16, 'a'), frame(17, 'b'), frame(300, 'c'),
                                           frame(16, 'd')};
  std::string stream;
  for (const auto& f : frames) stream += f;
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    Framer framer;
    const Outcome out = cut(framer, stream, piece);
    EXPECT_EQ(out.frames, frames) << piece;
    EXPECT_EQ(out.error, std::nullopt) << piece;
  }
}

TEST(Framer, AWholeFrameIsNotCopied) {
  const std::string stream = frame(16, 'a') + frame(20, 'b');
  std::string_view input = stream;
  Framer framer;
  EXPECT_EQ((**framer.next(input)).data(), stream.data());
  EXPECT_EQ((**framer.next(input)).data(), stream.data() + 16);
  EXPECT_EQ(*framer.next(input), std::nullopt);
  EXPECT_EQ(framer.buffered_bytes(), 0u);
}

TEST(Framer, RefusesLengthsBeforeAnythingElse) {
  struct Row {
    std::uint32_t length;
    std::optional<FramingError::Kind> kind;
  };
  constexpr std::size_t kLimit = 100;
  for (const Row& row :
       {Row{0, FramingError::Kind::too_short}, Row{15, FramingError::Kind::too_short},
        Row{16, std::nullopt}, Row{100, std::nullopt}, Row{101, FramingError::Kind::too_long},
        Row{0x7fffffff, FramingError::Kind::too_long},
        Row{0xffffffff, FramingError::Kind::too_long}}) {
    std::string stream =
        frame(std::max<std::size_t>(16, std::min<std::size_t>(row.length, 200)), 'x');
    for (std::size_t i = 0; i < 4; ++i) stream[i] = static_cast<char>(row.length >> (24 - 8 * i));
    for (const std::size_t piece : {1uz, 5uz, 16uz, stream.size()}) {
      Framer framer(kLimit);
      const Outcome out = cut(framer, stream, piece);
      ASSERT_EQ(out.error.has_value(), row.kind.has_value()) << row.length;
      EXPECT_LE(framer.buffered_bytes(), kLimit);
      if (!row.kind) continue;
      const std::uint32_t sequence = *row.kind == FramingError::Kind::too_long ? 7 : 0;
      EXPECT_EQ(*out.error, (FramingError{*row.kind, row.length, sequence}));
      EXPECT_TRUE(out.frames.empty());
      std::string_view more = stream;  // and for good
      EXPECT_EQ(framer.next(more).error(), *out.error);
    }
  }
}

TEST(Framer, TheLimitCanBeRaisedBetweenFrames) {
  Framer framer(20);
  const std::string stream = frame(16, 'a') + frame(50, 'b');
  std::string_view input = stream;
  ASSERT_TRUE(framer.next(input));
  framer.set_limit(50);
  EXPECT_EQ(**framer.next(input), frame(50, 'b'));
}

TEST(Framer, HoldsNoMoreThanOneFrame) {
  Framer framer;
  const std::string stream = frame(1000, 'a') + std::string(100'000, '\0');
  EXPECT_EQ(cut(framer, std::string_view(stream).substr(0, 999), 100).frames.size(), 0u);
  EXPECT_EQ(framer.buffered_bytes(), 999u);
}

}  // namespace
}  // namespace trunkline::smpp
