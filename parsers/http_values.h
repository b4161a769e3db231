// The observables of an HTTP request, whichever version carried it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parsers/observable.h"

namespace vedette {

// Takes the parts of one request in the order in which they stand on the wire and adds its observables; all of them
// share one message. Views have to hold until Finish.
class HttpRequestValues {
 public:
  // Begins the message. `target` as on the wire.
  HttpRequestValues(std::string_view method, std::string_view target, Direction direction, ObservableBatch& out);

  // Values without white space around them, folds replaced.
  void AddHost(std::string_view value);
  void AddUserAgent(std::string_view value);
  void AddForwardedFor(std::string_view value);  // one field line: a list of elements

  // Adds what follows from the parts together: http.url, and http.host where no Host field said it. `complete`: there
  // are no more fields; otherwise nothing is taken from a field's absence.
  void Finish(bool complete);

  // Values not added because one request held more than kMaxValues of them.
  uint32_t over_limit() const { return over_limit_; }

  // Of Host and User-Agent values together, and of X-Forwarded-For values: more than any client sends; one crafted head
  // must not fill the batch. The latter are read only where somebody looks for them, so they take no others' place.
  static constexpr uint32_t kMaxValues = 64;

 private:
  bool Admit(uint32_t& values) {
    if (values == kMaxValues) return ++over_limit_, false;
    return ++values, true;
  }
  void AddForwarded(std::string_view element);
  void AddHostText(std::string_view authority);

  ObservableBatch& out_;
  Direction direction_;
  std::string_view target_;
  std::string_view first_host_;
  bool is_connect_;
  uint32_t values_ = 0, forwarded_for_ = 0;
  uint32_t over_limit_ = 0;
};

}  // namespace vedette
