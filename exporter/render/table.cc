// A row for a person at a terminal: two lines, four columns.
//
//   time                 indicator                 client                       server
//   protocol and field   its source                country and network          country and network
#include <array>
#include <string>
#include <string_view>

#include "exporter/render/fields.h"
#include "exporter/render/renderer.h"
#include "exporter/render/table_rows.h"
#include "parsers/base/text.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr std::array<size_t, 4> kWidths = {19, 45, 45, 45};
constexpr size_t kSpace = 2;
static_assert(kWidths[0] + kWidths[1] + kWidths[2] + kWidths[3] + 3 * kSpace <= kTableColumns);

uint32_t CodePoint(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(sequence[i])); };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  }
}

struct Range {
  uint32_t first, last;
};
// Characters that steer a terminal or turn the direction of writing: never sent to one.
constexpr Range kSteering[] = {{0x80, 0x9f},     {0x061c, 0x061c}, {0x200b, 0x200f}, {0x2028, 0x202e},
                               {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}};
constexpr Range kCombining[] = {
    {0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f}};
// East Asian wide (Unicode Standard Annex 11), the large blocks.
constexpr Range kWide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},  {0xfe30, 0xfe6f},
                           {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

template <size_t N>
bool In(const Range (&ranges)[N], uint32_t code_point) {
  for (const Range& range : ranges) {
    if (code_point >= range.first && code_point <= range.last) return true;
  }
  return false;
}

size_t WidthOf(uint32_t code_point) { return In(kCombining, code_point) ? 0 : In(kWide, code_point) ? 2 : 1; }

// Collects text up to a width; what does not fit is cut, with an ellipsis in the last column.
class Cell {
 public:
  explicit Cell(size_t width) : width_(width) {}

  void Add(std::string_view text) {
    constexpr size_t kLookAtBytes = 1024;  // far beyond any width
    const std::string escaped = Escaped(text.substr(0, kLookAtBytes));
    std::string_view rest = escaped;
    while (!rest.empty() && !full_) {
      const std::string_view sequence = rest.substr(0, Utf8Length(rest));
      rest.remove_prefix(sequence.size());
      const uint32_t code_point = CodePoint(sequence);
      if (In(kSteering, code_point)) {
        Put("?", 1);
      } else {
        Put(sequence, WidthOf(code_point));
      }
    }
  }
  void AppendTo(std::string& out, bool pad) const {
    out += text_;
    if (pad) out.append(width_ - used_ + kSpace, ' ');
  }

 private:
  void Put(std::string_view sequence, size_t width) {
    if (used_ + width <= width_) {
      if (used_ + width < width_ || width == 0) fallback_ = {text_.size() + sequence.size(), used_ + width};
      text_ += sequence;
      used_ += width;
      return;
    }
    text_.resize(fallback_.size);
    text_ += "\xe2\x80\xa6";
    used_ = fallback_.width + 1;
    full_ = true;
  }

  // Where the text can be cut so that the ellipsis still fits.
  struct Cut {
    size_t size = 0, width = 0;
  };
  size_t width_;
  size_t used_ = 0;
  bool full_ = false;
  Cut fallback_;
  std::string text_;
};

void AppendLine(const std::array<std::string, 4>& texts, std::string& out) {
  const size_t start = out.size();
  for (size_t i = 0; i < texts.size(); ++i) {
    Cell cell(kWidths[i]);
    cell.Add(texts[i]);
    cell.AppendTo(out, i + 1 < texts.size());
  }
  while (out.size() > start && out.back() == ' ') out.pop_back();
  out += '\n';
}

// "DE AS24940 Hetzner Online GmbH": the number first, because the end of a long name is cut.
std::string PlaceText(const IpAddress& address, const GeoRecord& place, bool with_asn) {
  if (address.version() != 0 && address.IsSpecial()) return "(private or reserved)";
  std::string text = !place.country_code.empty() ? place.country_code : place.country;
  const auto add = [&text](const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += ' ';
    text += part;
  };
  if (place.asn && (with_asn || place.organisation.empty())) add("AS" + std::to_string(*place.asn));
  add(place.organisation);
  if (!place.asn && place.organisation.empty() && !place.country_code.empty()) add(place.country);
  return text;
}

// Addresses are never cut; beside the longest ones there is no room for the port.
std::string EndText(const Sighting& alert, End end, const Roles& roles, bool with_port = true) {
  const EndPoint point = EndPointOf(alert.flow, end);
  const std::string mark = roles.suspect == end ? "! " : "  ";
  const std::string address = point.address->ToString();
  if (!with_port || !HasPorts(alert.flow.protocol)) return mark + address;
  const std::string port = ':' + std::to_string(point.port);
  const std::string whole = mark + (point.address->is_v6() ? '[' + address + ']' : address) + port;
  return whole.size() <= kWidths[2] ? whole : mark + address;
}

}  // namespace

std::string TableHeader() {
  std::string out;
  AppendLine({"TIME (UTC)", "INDICATOR", "  CLIENT", "  SERVER"}, out);
  AppendLine({"PROTOCOL AND FIELD", "SOURCE", "  COUNTRY AND NETWORK", "  ! = SUSPECT"}, out);
  return out;
}

TableRow TableRowOf(const View& view) {
  const Sighting& alert = *view.seen;
  const IndicatorRecord& best = view.best();
  TableRow row;
  row.first_ns = row.last_ns = alert.time_ns;
  row.indicator = std::string(NameOf(best.type)) + ' ' + std::string(best.value);
  row.source = best.source;
  const auto add_source = [&row](const std::string& part) {
    if (!row.source.empty()) row.source += ", ";
    row.source += part;
  };
  if (view.roles->suspect_address) {
    const IpAddress& address = *view.roles->suspect_address;
    const std::string place = PlaceText(address, view.PlaceOf(address), false);
    if (!place.empty()) add_source("in " + place);
  } else if (best.confidence) {
    add_source("confidence " + std::to_string(*best.confidence));
  }
  if (view.hits.size() > 1) add_source("and " + std::to_string(view.hits.size() - 1) + " more");

  const auto place_of = [&view](const IpAddress& address) {
    return "  " + PlaceText(address, view.PlaceOf(address), true);
  };
  row.field = ProtocolName(alert.flow.protocol) + ' ' + std::string(NameOf(alert.kind));
  if (!alert.value.empty() && alert.value != best.value) row.matched = alert.value;
  row.client = EndText(alert, End::kClient, *view.roles);
  row.client_without_port = EndText(alert, End::kClient, *view.roles, false);
  row.client_place = place_of(alert.flow.client);
  row.server = EndText(alert, End::kServer, *view.roles);
  row.server_place = place_of(alert.flow.server);
  row.capture = view.capture;
  for (const std::string_view part :
       {std::string_view(row.indicator), best.source, best.id, std::string_view(row.field),
        std::string_view(row.matched), std::string_view(row.client_without_port), std::string_view(row.server)}) {
    row.key.append(part).push_back('\0');
  }
  return row;
}

void AppendTableRow(const TableRow& row, std::string& out) {
  const std::string times = row.count > 1 ? std::to_string(row.count) + " x " : "";
  AppendLine({TableTime(row.first_ns), times + row.indicator, row.client, row.server}, out);
  AppendLine({row.field, row.source, row.client_place, row.server_place}, out);
  const std::string last = row.last_ns != row.first_ns ? TableTime(row.last_ns) : "";
  const std::string matched = row.matched.empty() ? "" : "matched " + row.matched;
  if (!last.empty() || !matched.empty()) AppendLine({last, matched.empty() ? "the last time" : matched, "", ""}, out);
  if (!row.capture.empty()) AppendLine({"", "in " + row.capture, "", ""}, out);
}

namespace {

class TableRenderer final : public Renderer {
 public:
  std::string Header() const override { return TableHeader(); }
  uint64_t Append(const View& view, std::string& out) override {
    if (view.kind != EventKind::kAlert) return 0;
    if (each_at_once_) {
      AppendTableRow(TableRowOf(view), out);
      return 1;
    }
    rows_.Add(TableRowOf(view));
    return rows_.full() ? rows_.AppendTo(out) : 0;
  }
  uint64_t Finish(std::string& out) override { return rows_.AppendTo(out); }
  void ShowEachAtOnce() override { each_at_once_ = true; }

 private:
  bool each_at_once_ = false;
  TableRows rows_;
};

}  // namespace

std::unique_ptr<Renderer> MakeTableRenderer() { return std::make_unique<TableRenderer>(); }

}  // namespace vedette
