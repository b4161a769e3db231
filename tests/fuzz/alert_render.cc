// Any bytes as what traffic and indicator files hold: the line is valid JSON, the rows keep their shape.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "exporter/policy/alert_policy.h"
#include "exporter/render/renderer.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  FuzzInput input(data, size);
  Alert alert;
  alert.kind = static_cast<ObservableKind>(input.Byte() % kObservableKinds);
  alert.direction = static_cast<Direction>(input.Byte() % 2);
  alert.flow.protocol = input.Byte();
  alert.flow.num_vlans = input.Byte();
  alert.flow.client = input.Address();
  alert.flow.server = input.Address();
  alert.flow.client_port = static_cast<uint16_t>(input.Number());
  alert.flow.server_port = static_cast<uint16_t>(input.Number());
  alert.time_ns = input.Number();
  alert.flow.first_ns = input.Number();
  alert.value = input.Text();
  if (input.Byte() % 2 == 0) alert.address = input.Address();
  IndicatorRecord record;
  record.type = static_cast<IndicatorType>(input.Byte() % static_cast<uint8_t>(IndicatorType::kCount));
  record.tlp = static_cast<Tlp>(input.Byte() % 6);
  record.value = input.Text();
  record.id = input.Text();
  record.source = input.Text();
  record.description = input.Text();
  record.tags = {input.Text(), input.Text()};
  record.valid_from_ns = static_cast<int64_t>(input.Number());
  alert.indicators = {0, 0, static_cast<uint32_t>(input.Byte())};
  while (!input.empty()) {
    const auto kind = static_cast<ObservableKind>(input.Byte() % kObservableKinds);
    alert.message.push_back({kind, std::string(input.Text())});
  }

  AlertPolicy policy(IndicatorCatalogue{[&](uint32_t) { return record; }, 1, std::string(64, '0'), 0},
                     {.sensor = {std::string(record.source), "0", input.Byte() % 2 == 0, {}},
                      .file_name = [&](uint32_t) { return record.description; }});
  Reader reader = Reader::Operator();
  const auto text = [&](const std::unique_ptr<Renderer>& renderer) {
    renderer->ShowEachAtOnce();
    std::string out;
    View view;
    if (policy.Show(*policy.Decide(alert), reader, view) != ViewOutcome::kShown || renderer->Append(view, out) != 1)
      std::abort();
    return out;
  };
  const std::string json = text(MakeJsonRenderer()), csv = text(MakeCsvRenderer()), table = text(MakeTableRenderer());
  if (!nlohmann::json::accept(json) || json.find('\n') != json.size() - 1) std::abort();
  if (csv.find('\n') != csv.size() - 1) std::abort();
  const auto lines = std::count(table.begin(), table.end(), '\n');
  if (lines != 2 && lines != 3) std::abort();  // the third is the matched value, where it says more
  for (const char c : table) {
    if ((static_cast<uint8_t>(c) < 0x20 && c != '\n') || c == 0x7f) std::abort();
  }
  return 0;
}
