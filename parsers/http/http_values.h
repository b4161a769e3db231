// The observables of an HTTP request, whichever version carried it.
//
//   http.host        the host of the request target: of an absolute URI or of CONNECT's authority, which override
//                    the Host field (RFC 9112 sections 3.2.2 and 3.2.3), else of each Host field
//   http.host_field  a Host field that names another host than such a target
//   http.uri         path and query as on the wire, "/" for an absolute URI that has none; of CONNECT the authority
//   http.url         if the target is a path or an absolute URI. Without a Host its authority is the server's
//                    address and port (RFC 9112 section 3.3)
//   http.xff         the clients for which a proxy forwards: addresses in their normal form, other text as sent
//   http.user_agent, the method, and the target itself if it is absolute
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parsers/base/observable.h"
#include "parsers/base/parser.h"

namespace vedette {

// Takes the parts of one request in wire order and adds its observables; all of them
// share one message. Views must stay valid until Finish.
class HttpRequestValues {
 public:
  // Begins the message. `target` as on the wire.
  HttpRequestValues(std::string_view method, std::string_view target, Direction direction, ObservableBatch& out);

  // Values without white space around them, folds replaced.
  void AddHost(std::string_view value);
  void AddUserAgent(std::string_view value);
  // One line of X-Forwarded-For or a similar field: a list of elements.
  void AddForwardedFor(std::string_view value);
  // One line of Forwarded (RFC 7239 section 4): the `for` of each element. "unknown" and identifiers that hide the
  // address ("_hidden", section 6.3) are no values.
  void AddForwarded(std::string_view value);

  // Adds what follows from the parts together. `complete`: there are no more fields; otherwise nothing is concluded
  // from a field's absence. `server`: the receiver of the request; null: not known.
  void Finish(bool complete, const Endpoint* server);

  // Values not added because one request had more than kMaxValues of them.
  uint32_t over_limit() const { return over_limit_; }

  // Of Host and User-Agent values together, and of http.xff values: more than any client sends; one crafted head
  // must not fill the batch. The latter are read only if somebody looks for them, so they do not displace others.
  static constexpr uint32_t kMaxValues = 64;

 private:
  bool Admit(uint32_t& values) {
    if (values == kMaxValues) return ++over_limit_, false;
    return ++values, true;
  }
  void AddNode(std::string_view node);
  void AddHostText(ObservableKind kind, std::string_view authority);

  ObservableBatch& out_;
  Direction direction_;
  std::string_view target_;
  std::string_view target_authority_;  // of an absolute target or of CONNECT
  std::string_view first_host_;
  bool is_absolute_;
  uint32_t values_ = 0, forwarded_for_ = 0;
  uint32_t over_limit_ = 0;
};

}  // namespace vedette
