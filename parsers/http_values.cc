#include "parsers/http_values.h"

#include <optional>

#include "parsers/address.h"
#include "parsers/http_head.h"
#include "parsers/url.h"

namespace vedette {

HttpRequestValues::HttpRequestValues(std::string_view method, std::string_view target, Direction direction,
                                     ObservableBatch& out)
    : out_(out), direction_(direction), target_(target), is_connect_(method == "CONNECT") {
  out_.BeginMessage();
  out_.AddText(ObservableKind::kHttpMethod, direction_, method);
  out_.AddText(ObservableKind::kHttpUri, direction_, target_);
}

void HttpRequestValues::AddHost(std::string_view value) {
  if (!Admit(values_)) return;
  if (first_host_.empty()) first_host_ = value;
  AddHostText(value);
}

void HttpRequestValues::AddUserAgent(std::string_view value) {
  if (Admit(values_)) out_.AddText(ObservableKind::kHttpUserAgent, direction_, value);
}

void HttpRequestValues::AddForwardedFor(std::string_view value) {
  // Counted where nobody wants it, too: what else of the head is admitted must not depend on that.
  const bool wanted = out_.Wants(ObservableKind::kHttpXff);
  while (true) {
    const size_t comma = value.find(',');
    std::string_view element = TrimHttp(value.substr(0, comma));
    if (element.size() >= 2 && element.front() == '"' && element.back() == '"') {
      element = TrimHttp(element.substr(1, element.size() - 2));
    }
    if (!element.empty()) {
      if (!Admit(forwarded_for_)) return;
      if (wanted) AddForwarded(element);
    }
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

void HttpRequestValues::AddForwarded(std::string_view element) {
  const HostAndPort split = SplitHostAndPort(element);
  if (const std::optional<IpAddress> address = IpAddress::Parse(split.host)) {
    out_.AddText(ObservableKind::kHttpXff, direction_, address->ToString());
  } else {
    out_.AddText(ObservableKind::kHttpXff, direction_, element);
  }
}

void HttpRequestValues::Finish(bool complete) {
  const bool absolute = IsAbsoluteUrl(target_);
  // RFC 9112 section 3.2: the target names the host where no Host field does.
  if (complete && first_host_.empty()) {
    if (absolute) {
      AddHostText(AuthorityOf(target_));
    } else if (is_connect_) {
      const std::string_view authority = target_.substr(0, target_.find_first_of(" \t"));
      if (!SplitHostAndPort(authority).port.empty()) AddHostText(authority);
    }
  }
  if (!out_.Wants(ObservableKind::kHttpUrl)) return;
  if (absolute) {
    // RFC 9112 section 3.2.2: a target in absolute form overrides the Host field.
    out_.AddStored(ObservableKind::kHttpUrl, direction_, StoreUrl(target_, out_.arena()));
  } else if (!target_.empty() && target_.front() == '/' && !first_host_.empty()) {
    out_.AddStored(ObservableKind::kHttpUrl, direction_, StoreHttpUrl(first_host_, target_, out_.arena()));
  }
}

void HttpRequestValues::AddHostText(std::string_view authority) {
  const HostAndPort split = SplitHostAndPort(authority);
  if (split.host.empty() || !out_.Wants(ObservableKind::kHttpHost)) return;
  out_.AddStored(ObservableKind::kHttpHost, direction_, StoreHost(split, out_.arena()));
}

}  // namespace vedette
