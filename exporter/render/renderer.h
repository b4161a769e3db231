// From a view to text: one renderer per format. What a format shows is decided before (exporter/policy/alert_policy.h).
//
// A new format is a .cc file with a renderer, its name in OutputFormatOf, and a line in MakeRenderer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/policy/view.h"

namespace vedette {

constexpr std::string_view kAlertSchema = "vedette-alert/1";  // version of docs/alert.schema.json

// One thread. Keeps nothing of a view after the call.
class Renderer {
 public:
  virtual ~Renderer() = default;
  // What stands before the first event, with its newline; empty: nothing.
  virtual std::string Header() const { return {}; }
  // Appends whole lines. How many alerts they stand for: 0 where the format has no form for events of this kind, or
  // keeps them for later.
  virtual uint64_t Append(const View& view, std::string& out) = 0;
  // Appends what was kept. How many alerts it stands for.
  virtual uint64_t Finish(std::string&) { return 0; }
  // Somebody watches: nothing is kept from now on.
  virtual void ShowEachAtOnce() {}
};

enum class OutputFormat : uint8_t { kJsonl, kTable, kCsv };
// "jsonl", "table", "csv".
std::optional<OutputFormat> OutputFormatOf(std::string_view name);
std::unique_ptr<Renderer> MakeRenderer(OutputFormat format);

// Contract 3's JSON, one line each (docs/alert.md).
std::unique_ptr<Renderer> MakeJsonRenderer();
// A row for a spreadsheet.
std::unique_ptr<Renderer> MakeCsvRenderer();
// For a person, at most kTableColumns wide: time, indicator and its source, both ends with country and network, protocol
// and field; a line more with the capture that the flow is carved to. Alerts that repeat each other (the same indicator,
// place, value and pair of hosts) are one row with their number, kept for Finish.
std::unique_ptr<Renderer> MakeTableRenderer();
constexpr size_t kTableColumns = 160;

}  // namespace vedette
