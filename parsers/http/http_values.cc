#include "parsers/http/http_values.h"

#include <algorithm>
#include <optional>
#include <string>

#include "parsers/base/address.h"
#include "parsers/base/text.h"
#include "parsers/base/url.h"
#include "parsers/http/http_head.h"

namespace vedette {
namespace {

// RFC 9112 section 3.2.3. Some clients leave the port out; a path or "*" is no authority.
std::string_view AuthorityOfConnect(std::string_view target) {
  target = target.substr(0, target.find_first_of(" \t/"));
  return target == "*" ? std::string_view() : target.substr(target.rfind('@') + 1);
}

// Path and query of an absolute URI.
std::string_view PathOf(std::string_view target, Arena& arena) {
  target.remove_prefix(target.find("://") + 3);
  const std::string_view rest = target.substr(std::min(target.find_first_of("/?#"), target.size()));
  if (!rest.empty() && rest.front() == '/') return rest;
  // RFC 9112 section 3.2.1: what a request to the server itself would say.
  char* const path = arena.Allocate(rest.size() + 1);
  path[0] = '/';
  std::copy(rest.begin(), rest.end(), path + 1);
  return {path, rest.size() + 1};
}

std::string AuthorityOfEnd(const Endpoint& end) {
  const IpAddress own = end.address.Unmapped();  // as indicators have it
  const std::string address = own.ToString();
  return (own.is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(end.port);
}

bool SameHost(std::string_view one, std::string_view other, Arena& arena) {
  const std::string_view a = SplitHostAndPort(one).host, b = SplitHostAndPort(other).host;
  return a == b || StoreHost(SplitHostAndPort(one), arena) == StoreHost(SplitHostAndPort(other), arena);
}

// The next part of a list that `separator` divides outside quoted strings (RFC 9110 section 5.6.4).
std::string_view TakeUntil(std::string_view& list, char separator) {
  bool quoted = false;
  size_t at = 0;
  for (; at < list.size() && (quoted || list[at] != separator); ++at) {
    if (list[at] == '"') quoted = !quoted;
    if (list[at] == '\\' && quoted && at + 1 < list.size()) ++at;
  }
  const std::string_view part = list.substr(0, at);
  list.remove_prefix(std::min(at + 1, list.size()));
  return part;
}

std::string_view Unquoted(std::string_view text) {
  text = TrimHttp(text);
  if (text.empty() || text.front() != '"') return text;
  text.remove_prefix(1);
  if (!text.empty() && text.back() == '"') text.remove_suffix(1);
  return TrimHttp(text);
}

// The address in a node of a proxy's list: bare, in brackets, or with a port, which may be a name of its own (RFC 7239
// section 6). An IPv4 address in IPv6 form is the IPv4 address, as in indicators.
std::optional<IpAddress> AddressOfNode(std::string_view node) {
  std::string_view host = node;
  if (!node.empty() && node.front() == '[') {
    host = node.substr(1, node.find(']') - 1);
  } else if (std::count(node.begin(), node.end(), ':') == 1) {
    host = node.substr(0, node.find(':'));
  }
  const std::optional<IpAddress> address = IpAddress::Parse(host);
  return address ? std::optional(address->Unmapped()) : std::nullopt;
}

}  // namespace

HttpRequestValues::HttpRequestValues(std::string_view method, std::string_view target, Direction direction,
                                     ObservableBatch& out)
    : out_(out), direction_(direction), target_(target), is_absolute_(IsAbsoluteUrl(target)) {
  out_.BeginMessage();
  out_.AddText(ObservableKind::kHttpMethod, direction_, method);
  if (is_absolute_) {
    out_.AddText(ObservableKind::kHttpTarget, direction_, target_);
    out_.AddText(ObservableKind::kHttpUri, direction_, PathOf(target_, out_.arena()));
    target_authority_ = AuthorityOf(target_);
  } else {
    out_.AddText(ObservableKind::kHttpUri, direction_, target_);
    if (method == "CONNECT") target_authority_ = AuthorityOfConnect(target_);
  }
  if (!target_authority_.empty()) AddHostText(ObservableKind::kHttpHost, target_authority_);
}

void HttpRequestValues::AddHost(std::string_view value) {
  if (!Admit(values_)) return;
  value.remove_prefix(value.rfind('@') + 1);  // user information is no part of it (RFC 9110 section 7.2)
  if (first_host_.empty() && !SplitHostAndPort(value).host.empty()) first_host_ = value;
  if (target_authority_.empty()) {
    AddHostText(ObservableKind::kHttpHost, value);
  } else if (!SameHost(value, target_authority_, out_.arena())) {
    AddHostText(ObservableKind::kHttpHostField, value);
  }
}

void HttpRequestValues::AddUserAgent(std::string_view value) {
  if (Admit(values_)) out_.AddText(ObservableKind::kHttpUserAgent, direction_, value);
}

void HttpRequestValues::AddForwardedFor(std::string_view value) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view element = Unquoted(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (element.empty()) continue;
    if (!Admit(forwarded_for_)) return;
    AddNode(element);
  }
}

void HttpRequestValues::AddForwarded(std::string_view value) {
  constexpr std::string_view kFor = "for";
  while (!value.empty()) {
    std::string_view element = TakeUntil(value, ',');
    while (!element.empty()) {
      const std::string_view pair = TrimHttp(TakeUntil(element, ';'));
      const size_t equals = std::min(pair.find('='), pair.size());
      if (equals == pair.size() || !EqualsLower(TrimHttp(pair.substr(0, equals)), kFor)) continue;
      const std::string_view node = Unquoted(pair.substr(equals + 1));
      const std::string_view name = node.substr(0, node.find(':'));
      if (node.empty() || node.front() == '_' || EqualsLower(name, "unknown")) continue;
      if (!Admit(forwarded_for_)) return;
      AddNode(node);
    }
  }
}

void HttpRequestValues::AddNode(std::string_view node) {
  // Nodes are counted where nobody wants them, too: what else of the head is admitted must not depend on that.
  if (!out_.Wants(ObservableKind::kHttpXff)) return;
  if (const std::optional<IpAddress> address = AddressOfNode(node)) {
    out_.AddText(ObservableKind::kHttpXff, direction_, address->ToString());
  } else {
    out_.AddText(ObservableKind::kHttpXff, direction_, node);
  }
}

void HttpRequestValues::Finish(bool complete, const Endpoint* server) {
  if (!out_.Wants(ObservableKind::kHttpUrl)) return;
  Arena& arena = out_.arena();
  if (is_absolute_ && !target_authority_.empty()) {
    out_.AddStored(ObservableKind::kHttpUrl, direction_, StoreUrl(target_, arena));
    return;
  }
  std::string_view path = target_;
  if (is_absolute_) path = PathOf(target_, arena);
  if (path.empty() || path.front() != '/') return;
  if (!first_host_.empty()) {
    out_.AddStored(ObservableKind::kHttpUrl, direction_, StoreHttpUrl(first_host_, path, arena));
  } else if (complete && server != nullptr) {
    out_.AddStored(ObservableKind::kHttpUrl, direction_, StoreHttpUrl(AuthorityOfEnd(*server), path, arena));
  }
}

void HttpRequestValues::AddHostText(ObservableKind kind, std::string_view authority) {
  const HostAndPort split = SplitHostAndPort(authority);
  if (split.host.empty() || !out_.Wants(kind)) return;
  out_.AddStored(kind, direction_, StoreHost(split, out_.arena()));
}

}  // namespace vedette
