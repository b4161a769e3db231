#include "exporter/feed/wire_format.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace vedette {
namespace {

using Json = nlohmann::json;

// The header, its loss counters, and room for groups of them. Writing JSON out again recurses, so depth has a bound.
constexpr int kMaxHeaderDepth = 8;

std::string_view NameOf(FeedEvent event) {
  switch (event) {
    case FeedEvent::kAlerts:
      return "alerts";
    case FeedEvent::kHeartbeat:
      return "heartbeat";
    case FeedEvent::kEnd:
      return "end";
    case FeedEvent::kOther:
      break;
  }
  return "other";
}

// Discarded where it is no JSON or deeper than `max_depth`.
Json ParseShallow(std::string_view text, int max_depth) {
  bool too_deep = false;
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > max_depth;
    return !too_deep;
  };
  Json json = Json::parse(text, watch_depth, /*allow_exceptions=*/false);
  return too_deep ? Json(Json::value_t::discarded) : json;
}

bool ReadNumber(const Json& header, const char* name, uint64_t& out) {
  const auto field = header.find(name);
  if (field == header.end() || !field->is_number_unsigned()) return false;
  out = field->get<uint64_t>();
  return out <= kMaxNumber;
}

// Absent is as it was; present has to be right.
bool ReadOptionalNumber(const Json& header, const char* name, uint64_t& out) {
  return header.find(name) == header.end() || ReadNumber(header, name, out);
}

bool ReadString(const Json& header, const char* name, std::string& out) {
  const auto field = header.find(name);
  if (field == header.end() || !field->is_string()) return false;
  out = field->get_ref<const std::string&>();
  return true;
}

WireError ReadHeader(std::string_view text, FeedHeader& header) {
  if (text.size() > kMaxHeaderBytes) return WireError::kHeaderTooLarge;
  const Json json = ParseShallow(text, kMaxHeaderDepth);
  if (!json.is_object()) return WireError::kHeaderNotJson;
  uint64_t version = 0;
  std::string event;
  if (!ReadNumber(json, "feed", version)) return WireError::kHeaderField;
  if (version != kFeedVersion) return WireError::kVersion;
  if (!ReadString(json, "event_type", event) || !ReadString(json, "schema", header.schema) ||
      !ReadNumber(json, "epoch", header.epoch) || header.epoch == 0) {
    return WireError::kHeaderField;
  }
  if (event == "alerts") {
    header.event = FeedEvent::kAlerts;
    const bool valid = ReadNumber(json, "first", header.first) && header.first > 0 &&
                       ReadNumber(json, "count", header.count) && header.count > 0 && header.count <= kMaxBatchAlerts &&
                       header.first + header.count <= kMaxNumber;
    return valid ? WireError::kNone : WireError::kHeaderField;
  }
  if (event != "heartbeat" && event != "end") {
    header.event = FeedEvent::kOther;
    return WireError::kNone;
  }
  header.event = event == "end" ? FeedEvent::kEnd : FeedEvent::kHeartbeat;
  if (!ReadNumber(json, "last", header.last) || !ReadOptionalNumber(json, "interval_ms", header.interval_ms) ||
      !ReadOptionalNumber(json, "dropped_alerts", header.dropped_alerts) || header.last == kMaxNumber) {
    return WireError::kHeaderField;
  }
  if (json.contains("time") && !ReadString(json, "time", header.time)) return WireError::kHeaderField;
  const auto loss = json.find("loss");
  if (loss != json.end()) {
    if (!loss->is_object()) return WireError::kHeaderField;
    header.loss = loss->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return WireError::kNone;
}

// RFC 8259 section 7: control characters are escaped within strings, so none stands in a compact object.
bool IsObjectLine(std::string_view line) {
  if (line.size() < 3 || line.size() > kMaxLineBytes || line.front() != '{' || line[line.size() - 2] != '}')
    return false;
  return std::none_of(line.begin(), line.end() - 1, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

bool IsViewName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxViewBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool IsTcpEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (!text.starts_with("tcp://") || colon == text.npos || colon < 7) return false;
  const std::string_view port = text.substr(colon + 1);
  uint16_t number = 0;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
  return port == "*" || (code == std::errc() && end == port.data() + port.size());
}

std::string TopicOf(std::string_view view) { return std::string(view) + "/"; }

bool IsLossObject(std::string_view json) {
  return json.size() <= kMaxLossBytes && json.find_first_of("\r\n") == json.npos &&
         ParseShallow(json, kMaxHeaderDepth - 1).is_object();
}

std::string WriteHeader(const FeedHeader& header) {
  // By hand, since it is written for every batch and keeps a readable order. The schema and the time are ours and need
  // no escaping.
  std::string out = R"({"event_type":")";
  out += NameOf(header.event);
  out += R"(","feed":)" + std::to_string(kFeedVersion);
  out += R"(,"schema":")" + header.schema;
  out += R"(","epoch":)" + std::to_string(header.epoch);
  if (header.event == FeedEvent::kAlerts) {
    out += R"(,"first":)" + std::to_string(header.first);
    out += R"(,"count":)" + std::to_string(header.count);
  } else {
    out += R"(,"last":)" + std::to_string(header.last);
    out += R"(,"time":")" + header.time;
    out += R"(","interval_ms":)" + std::to_string(header.interval_ms);
    out += R"(,"dropped_alerts":)" + std::to_string(header.dropped_alerts);
    out += R"(,"loss":)" + (header.loss.empty() ? "{}" : header.loss);
  }
  out += '}';
  return out;
}

std::string_view Describe(WireError error) {
  switch (error) {
    case WireError::kNone:
      return "well formed";
    case WireError::kFrameCount:
      return "not three frames";
    case WireError::kTopic:
      return "of another view";
    case WireError::kHeaderTooLarge:
      return "its header is too large";
    case WireError::kHeaderNotJson:
      return "its header is not a JSON object";
    case WireError::kHeaderField:
      return "a field of its header is missing or wrong";
    case WireError::kVersion:
      return "of another version of the feed's format: a newer Vedette is needed";
    case WireError::kBodyTooLarge:
      return "its body is too large";
    case WireError::kBodyOfEvent:
      return "a heartbeat or end with a body";
    case WireError::kLineCount:
      return "its lines are not as many as its header says";
    case WireError::kLine:
      return "a line is not a JSON object";
  }
  return "unknown";
}

WireError ReadMessage(const std::vector<std::string_view>& frames, std::string_view topic, FeedHeader& header,
                      std::vector<std::string_view>& lines) {
  lines.clear();
  header = {};
  if (frames.size() != 3) return WireError::kFrameCount;
  if (frames[0] != topic) return WireError::kTopic;
  std::string_view body = frames[2];
  if (body.size() > kMaxBodyBytes) return WireError::kBodyTooLarge;
  const WireError error = ReadHeader(frames[1], header);
  if (error != WireError::kNone) return error;
  if (header.event == FeedEvent::kOther) return WireError::kNone;
  if (header.event != FeedEvent::kAlerts) return body.empty() ? WireError::kNone : WireError::kBodyOfEvent;
  while (!body.empty()) {
    const size_t newline = body.find('\n');
    if (newline == body.npos || lines.size() == header.count) return WireError::kLineCount;
    const std::string_view line = body.substr(0, newline + 1);
    if (!IsObjectLine(line)) return WireError::kLine;
    lines.push_back(line);
    body.remove_prefix(line.size());
  }
  return lines.size() == header.count ? WireError::kNone : WireError::kLineCount;
}

}  // namespace vedette
