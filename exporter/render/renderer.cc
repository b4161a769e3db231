#include "exporter/render/renderer.h"

namespace vedette {

std::optional<OutputFormat> OutputFormatOf(std::string_view name) {
  if (name == "jsonl") return OutputFormat::kJsonl;
  if (name == "table") return OutputFormat::kTable;
  if (name == "csv") return OutputFormat::kCsv;
  return std::nullopt;
}

std::unique_ptr<Renderer> MakeRenderer(OutputFormat format) {
  switch (format) {
    case OutputFormat::kJsonl:
      return MakeJsonRenderer();
    case OutputFormat::kTable:
      return MakeTableRenderer();
    case OutputFormat::kCsv:
      return MakeCsvRenderer();
  }
  return nullptr;
}

}  // namespace vedette
