// The syntax of an HTTP/1.x head (RFC 9112 sections 2 to 5), as lenient as what real ends accept: lines may end in LF
// alone, targets may hold spaces and any byte but LF, header lines without a colon are skipped.
//
// Everything here works on views and allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parsers/base/parser.h"

namespace vedette {

// RFC 9112 section 3: method SP request-target SP HTTP-version.
struct RequestLine {
  std::string_view method;
  std::string_view target;        // between the first white space and the version: exactly as sent, spaces included
  bool has_version = false;       // without: the simple request of HTTP/0.9 (RFC 1945 section 5), or a broken line
  bool is_http2_preface = false;  // "PRI * HTTP/2.0" (RFC 9113 section 3.4)
};
// `line` with or without its line ending. A line that ends in an HTTP version may have any upper-case method and a
// registered one in any case; one that doesn't, needs a registered method and no other protocol's version (RTSP, SIP).
[[nodiscard]] bool ParseRequestLine(std::string_view line, RequestLine& out);

// RFC 9112 section 4: HTTP-version SP status-code SP reason. Also "ICY 200 OK" of Shoutcast.
struct StatusLine {
  uint16_t status = 0;  // 0 to 999
  std::string_view status_text;
  std::string_view reason;
};
[[nodiscard]] bool ParseStatusLine(std::string_view line, StatusLine& out);

// For resynchronising anywhere in a stream: a complete request line that begins in upper case, with a
// target of a known form and HTTP/1.x or HTTP/0.x, or a status line. Stricter than the two above, and never true if
// both are false.
[[nodiscard]] bool IsUnmistakableHead(std::string_view line);

// Whether bytes may begin a head's first line. kNo: neither of the two parsers above accepts a line that begins so.
Probe ProbeHead(std::string_view prefix);

// Whether a direction's, or a segment's, first bytes are HTTP/1.x. Judges by the first line if it is complete within
// kIdentifyBytes, else by method and target.
Probe IdentifyHttp1(std::string_view first);
constexpr size_t kIdentifyBytes = 256;  // a line longer than that is judged by its beginning; the answer is then final

// RFC 9110 section 5.6.2: longer than any method in use, so that binary data is refused early.
constexpr size_t kMaxMethodBytes = 32;

// The end of a head.
struct HeadEnd {
  bool complete = false;
  size_t end = 0;         // complete: the first byte after the empty line
  size_t line_start = 0;  // else: where the last, unfinished line starts
};
// `from`: a line start within `text`.
HeadEnd FindHeadEnd(std::string_view text, size_t from);

enum class HeaderField : uint8_t {
  kHost,
  kUserAgent,
  kForwardedFor,  // X-Forwarded-For, and the equivalent fields that proxies use instead
  kContentLength,
  kTransferEncoding,
  kExpect,
  kForwarded,  // RFC 7239
};

// Whether a header line, or the beginning of one up to the colon, is one of those fields.
[[nodiscard]] bool IsReadField(std::string_view line);

// Walks the header lines and stops at those that this project reads.
class HeaderReader {
 public:
  // `lines`: what follows the first line. `complete`: it ends with the empty line; else a field is only returned if the
  // byte after its line is there, because a line may be continued (RFC 9112 section 5.2).
  HeaderReader(std::string_view lines, bool complete) : rest_(lines), complete_(complete) {}
  // `value`: without white space around it; IsFolded if it spans lines.
  [[nodiscard]] bool Next(HeaderField& field, std::string_view& value);

 private:
  std::string_view rest_;
  bool complete_;
};

// The first value of any field, without white space around it, up to the end of its line; empty where there is none.
// `lower_name`: in lower case.
std::string_view FindField(std::string_view lines, std::string_view lower_name);
// The file's name in a Content-Disposition (RFC 6266 section 4.3), without its quotes; of `filename` alone, as sent.
std::string_view FileNameOf(std::string_view disposition);

inline bool IsFolded(std::string_view value) { return value.find('\n') != std::string_view::npos; }
// Each fold (line ending and the white space around it) becomes one space. `out` has room for value.size() bytes;
// returns the length.
size_t Unfold(std::string_view value, char* out);

// How a message's body is delimited (RFC 9112 section 6), from its header fields.
struct Framing {
  bool has_length = false;
  bool has_coding = false;        // a Transfer-Encoding field
  bool chunked = false;           // whose last coding is chunked
  bool contradictory = false;     // lengths that differ or are invalid
  bool expects_continue = false;  // RFC 9110 section 10.1.1; set by the reader of the fields
  uint64_t content_length = 0;    // the least of those given

  void AddContentLength(std::string_view value);
  void AddTransferEncoding(std::string_view value);
};

// RFC 9112 section 7.1: chunk-size [chunk-ext]. False if there is no size or it does not fit 63 bits.
[[nodiscard]] bool ParseChunkSize(std::string_view line, uint64_t& size);

// A line that has nothing but its ending.
inline bool IsEmptyLine(std::string_view line) { return line == "\n" || line == "\r\n"; }
// Without spaces, tabs, CR and LF around it.
std::string_view TrimHttp(std::string_view text);

}  // namespace vedette
