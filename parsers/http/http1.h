// HTTP/0.9 to HTTP/1.1 on a stream, both directions together (RFC 9110, RFC 9112, RFC 1945).
//
// From a request: the values of http_values.h; from a response: the status.
// Bodies are content: they go to whoever wants them, and are skipped if nobody does. Chunks are joined; a body that was
// announced may be absent (kBodyStart). The answer to an HTTP/0.9 request is always skipped. The parser never guesses
// where the two ends could disagree, or what was not seen: if there is no head where one should be, it looks for the
// next line that unmistakably is one. So a wrong
// length or a smuggled request costs a search, never the rest of the flow.
//
// A head that is longer than the part that is held is thinned out: its first line and the fields that are read stay,
// all others are dropped. So padding hides nothing; what is still lost is counted.
//
//   state          means                                  leaves it
//   kHead          the next byte begins a message         a head; a line that is none: kSearch
//   kBodyStart     … a body that may not be there         its first line, or the body's end
//   kChunkSize     … a chunk's size line                  a size; anything else: kSearch
//   kChunkEnd(Lf)  … the line ending after chunk data     it; anything else: kSearch
//   kTrailer       … a trailer line                       the empty line, or a head
//   kSearch        … a line, of anything                  a line that is unmistakably a head
//   kSearchInLine  the middle of a line, of anything      its end
//   kUntilClose    the body ends with the connection      never
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "parsers/base/observable.h"
#include "parsers/base/parser.h"
#include "parsers/http/http_head.h"
#include "parsers/http/http_request_queue.h"

namespace vedette {

// Of one flow; none of these indicates a fault of the sensor.
struct Http1Counters {
  uint32_t requests = 0;
  uint32_t responses = 0;
  uint32_t searches = 0;   // there was no head where one should be
  uint32_t heads_cut = 0;  // ended by a gap or the end of the stream: complete lines were used
};

class Http1Parser {
 public:
  // Servers refuse heads of more than 8 to 64 KiB (Apache 8 KiB a line and 100 lines, nginx 4 x 8 KiB, IIS 16 KiB,
  // HAProxy 16 KiB). What is held of a head; a longer one is thinned out.
  static constexpr size_t kMaxHeadBytes = size_t{64} << 10;
  // Of a longer one, each separately: its first line, the fields that are read, and its last, unfinished line. A
  // quarter of the room is then free, so a byte is moved at most four times.
  static constexpr size_t kMaxKeptBytes = kMaxHeadBytes / 4;
  // Dropped from one head. No server reads that much; the stream is then searched for the next head.
  static constexpr uint32_t kMaxDroppedBytes = uint32_t{1} << 20;
  static constexpr size_t kMaxChunkLineBytes = 4096;  // a size line with its extensions, a trailer line
  static constexpr size_t kLimitBytes = 2 * kMaxHeadBytes;
  static constexpr size_t kMaxStateBytes = 192;
  static constexpr bool kReadsEnds = true;  // a URL without a host has the server's address
  static constexpr bool kFollowsStartTls = false;
  static constexpr bool kStartCountsBehindAnswer = true;  // it tells who the client is
  static constexpr bool kEachMessageTells = true;

  static Probe Identify(Bytes first, Direction) { return IdentifyHttp1(AsText(first)); }
  static Sender SenderOf(Bytes first) {
    return AsText(first).substr(0, 5) == "HTTP/" ? Sender::kServer : Sender::kClient;
  }
  Outcome Feed(const Chunk& chunk, ParserOutput& out);
  // See ContentParserType.
  void PassContent(Direction direction, uint64_t gap_bytes, Bytes data, ParserOutput& out);
  size_t HeldBytes() const { return BytesOf(sides_[0]) + BytesOf(sides_[1]); }
  bool InMessage(Direction direction) const { return !sides_[static_cast<size_t>(direction)].held.empty(); }
  const Http1Counters& counters() const { return counters_; }

 private:
  enum class State : uint8_t {
    kHead,
    kBodyStart,
    kChunkSize,
    kChunkEnd,
    kChunkEndLf,
    kTrailer,
    kSearch,
    kSearchInLine,
    kUntilClose,
  };

  struct Side {
    std::vector<char> held;   // an unfinished head or line; uses no memory while nothing is unfinished
    uint64_t body_bytes = 0;  // kBodyStart: the body's length, if it is there; else of `content`, what was skipped
    ContentStream content;    // the current body; empty: nobody wants it
    uint32_t line_start = 0;  // in `held`: of its last, unfinished line
    uint32_t dropped = 0;     // bytes of this head that are no longer in `held`: it is a long one
    State state = State::kHead;
    bool in_long_line = false;   // of a long head: the bytes up to the next line end are dropped
    bool lost = false;           // of a long head: a field that is read was dropped too
    bool simple = false;         // `held` begins with a complete request line that has no version
    bool sent_requests = false;  // sent a request at all
    bool asked_tunnel = false;   // its last request was CONNECT
    bool spoke = false;          // sent anything at all
  };

  // One call's view of a direction.
  struct Turn {
    std::string_view data;
    size_t at;  // the next byte to look at
    Direction direction;
    Side& side;
    ParserOutput& out;
    const Endpoint* receiver;  // of `data`; null: not known
    Outcome outcome;           // the result of the call, if a step ends it
    std::string_view rest() const { return data.substr(at); }
  };

  // One step in the state of that name: consumes bytes or changes the state. True: `outcome` ends the call.
  [[nodiscard]] bool Step(Turn& turn);
  [[nodiscard]] bool StepHead(Turn& turn);
  [[nodiscard]] bool StepHeldHead(Turn& turn);
  void StepLongLine(Turn& turn);
  [[nodiscard]] bool StepBodyStart(Turn& turn);
  [[nodiscard]] bool StepChunkSize(Turn& turn);
  void StepChunkEnd(Turn& turn);
  void StepTrailer(Turn& turn);
  void StepSearch(Turn& turn);

  [[nodiscard]] bool TakeHead(Turn& turn, std::string_view head);
  [[nodiscard]] bool TakeResponse(Turn& turn, const StatusLine& line, std::string_view fields);
  // How much of a head `fields` is.
  enum class Extent : uint8_t {
    kCut,        // the complete lines of one
    kComplete,   // all of it, with the empty line
    kFirstLine,  // the request line was taken for the whole request: there are no fields
  };
  Framing TakeRequest(Turn& turn, const RequestLine& line, std::string_view fields, Extent extent);
  void TakeStatus(Turn& turn, const StatusLine& line);
  // The complete lines of a head whose end will not be seen.
  void TakeCutHead(Turn& turn, std::string_view text, Extent extent = Extent::kCut);
  // `held` is full: makes room in it, or gives up on the head.
  void ThinOutHead(Turn& turn);
  void GiveUpLongHead(Turn& turn);
  // The complete line of a long head that begins at `line_start` begins the next one.
  void CutLongHead(Turn& turn);
  static void LoseField(Turn& turn);
  // There is no head where one should be; the bytes up to `turn.at` are consumed.
  [[nodiscard]] bool RefuseHead(Turn& turn, State state);

  enum class LineResult : uint8_t { kComplete, kNeedMore, kTooLong };
  // The line at the cursor, with its LF; it is consumed. The view is valid until Release.
  LineResult TakeLine(Turn& turn, size_t limit, std::string_view& line);
  // `line`, just taken, begins a head: goes back to before it.
  void ReturnLineAsHead(Turn& turn, std::string_view line);

  // A body of that length. `doubtful`: the sender may have omitted it, or the receiver may not treat it as one.
  [[nodiscard]] static bool TakeBody(Turn& turn, uint64_t bytes, bool doubtful);
  [[nodiscard]] static bool SkipBody(Turn& turn, uint64_t bytes, State next);
  [[nodiscard]] static bool SkipUntilClose(Turn& turn);
  static void BeginContent(Turn& turn, ContentKind kind, std::string_view fields, std::optional<uint64_t> bytes);
  // Ends the content at hand where the body is over.
  static void SettleContent(Side& side, bool end, ObservableBatch& values);
  static void Hold(Side& side, std::string_view text, size_t limit);
  static void Release(Side& side);
  void Search(Side& side, State state);

  // Whether what looks like a request or a response in that direction may decide how the stream continues. If the
  // handshake was not seen, the flow's client is a guess and the bytes decide.
  bool MayRequest(const Turn& turn) const { return !opening_seen_ || turn.direction == Direction::kToServer; }
  bool MayRespond(const Turn& turn) const {
    return opening_seen_ ? turn.direction == Direction::kToClient : !turn.side.sent_requests;
  }
  Side& SideOf(Direction direction) { return sides_[static_cast<size_t>(direction)]; }
  static size_t BytesOf(const Side& side) { return side.held.capacity() + side.content.HeldBytes(); }

  Side sides_[2];
  RequestQueue waiting_;
  Http1Counters counters_;
  bool opening_seen_ = false;  // the handshake was: the client's direction is known
};

}  // namespace vedette
