// What the programs of the benchmark share: how they measure, and how they say what they measured.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace vedette::bench {

inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// "AMD EPYC …, AVX-512 VBMI".
inline std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, name = "unknown CPU";
  bool avx512 = false, avx2 = false;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) == 0) name = line.substr(line.find(':') + 2);
    if (line.rfind("flags", 0) == 0) {
      avx512 = line.find(" avx512vbmi") != std::string::npos;
      avx2 = line.find(" avx2") != std::string::npos;
    }
  }
  return name + (avx512 ? ", AVX-512 VBMI" : avx2 ? ", AVX2" : "");
}

// Rows of tables for `run`: one JSON object a line, {"table":…,"row":…,"figures":{name:number,…},"note":…}.
class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  bool json() const { return json_; }

  using Figures = std::initializer_list<std::pair<const char*, double>>;
  void Row(const char* table, const std::string& row, Figures figures, const std::string& note = {}) const {
    if (!json_) return;
    std::printf("{\"table\":\"%s\",\"row\":\"%s\",\"figures\":{", table, row.c_str());
    bool first = true;
    for (const auto& [name, value] : figures) {
      std::printf("%s\"%s\":%.9g", first ? "" : ",", name, value);
      first = false;
    }
    std::printf("},\"note\":\"%s\"}\n", note.c_str());
    std::fflush(stdout);
  }

 private:
  bool json_;
};

}  // namespace vedette::bench
