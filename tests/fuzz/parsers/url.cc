// A URL, and the same bytes as a Host value and a target: normalising is idempotent, and leaves only bytes that may
// stand in a URL after the host.
#include "parsers/base/url.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "parsers/base/bytes.h"

using namespace vedette;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = AsText(Bytes(data, size));
  const std::string once = NormaliseUrl(text);
  if (NormaliseUrl(once) != once) std::abort();
  Arena arena;
  if (StoreUrl(text, arena) != once) std::abort();
  const size_t slash = text.find_first_of("/?#");
  if (slash != std::string_view::npos && text[slash] == '/') {
    const std::string_view built = StoreHttpUrl(text.substr(0, slash), text.substr(slash), arena);
    if (built != NormaliseUrl("http://" + std::string(text))) std::abort();
    const size_t path = built.find('/', sizeof("http://") - 1);
    if (path == std::string_view::npos) std::abort();
    for (char c : built.substr(path)) {
      if (c <= ' ' || c >= 0x7f) std::abort();
    }
  }
  const HostAndPort split = SplitHostAndPort(text);
  if (split.host.size() + split.port.size() > text.size()) std::abort();
  StoreHost(split, arena);
  return 0;
}
