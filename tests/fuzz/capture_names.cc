// What chooses the files of a run: the order of names in a folder, and what a file's first bytes say it is.
#include <array>
#include <string>

#include "sensor/capture/files/capture_format.h"
#include "sensor/capture/files/capture_list.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  FuzzInput input(data, size);
  // A strict weak order, or sorting would read out of bounds.
  std::array<std::string_view, 3> names;
  for (std::string_view& name : names) name = input.Text();
  for (const std::string_view a : names) {
    Check(!NameBefore(a, a));
    for (const std::string_view b : names) {
      Check(a == b || NameBefore(a, b) != NameBefore(b, a));  // and a total one: the order of a run is settled
      for (const std::string_view c : names) Check(!NameBefore(a, b) || !NameBefore(b, c) || NameBefore(a, c));
    }
  }
  const Bytes head = AsBytes(input.Rest().substr(0, kFormatHeadBytes));
  const CaptureFormat format = IdentifyCapture(head);
  Check((format == CaptureFormat::kEmpty) == head.empty());
  if (format == CaptureFormat::kOther) Check(!DescribeOther(head).description.empty());
  return 0;
}
