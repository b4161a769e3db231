#include "exporter/render/eve_message.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "parsers/base/observable_kind.h"

namespace vedette {
namespace {

constexpr size_t kMaxAnswers = 32;         // of one DNS message; the rest is counted
constexpr size_t kMaxContextBytes = 1024;  // of a value that only gives context

// The order of an object's members. DNS has answers besides, and an order of its own.
using enum ObservableKind;
constexpr std::array kHttpMembers = {kHttpHost,      kHttpTarget, kHttpUri,    kHttpUrl,
                                     kHttpUserAgent, kHttpXff,    kHttpMethod, kHttpStatus};
constexpr std::array kTlsMembers = {kTlsSubject, kTlsIssuer, kTlsCertSha1, kTlsSni, kDtlsSni, kTlsVersion,
                                    kTlsJa3,     kDtlsJa3,   kTlsJa3s,     kTlsJa4, kDtlsJa4};

// Every kind that has a member is in its object's order.
consteval bool IsComplete(EveObject object, std::span<const ObservableKind> order) {
  const auto has_place = [&](const ObservableTraits& kind) {
    return kind.eve.object != object || kind.eve.name.empty() ||
           std::find(order.begin(), order.end(), kind.kind) != order.end();
  };
  return std::all_of(kObservableTable.begin(), kObservableTable.end(), has_place);
}
static_assert(IsComplete(EveObject::kHttp, kHttpMembers) && IsComplete(EveObject::kTls, kTlsMembers));

class EveMessage {
 public:
  EveMessage(const View& view, JsonWriter& json) : alert_(*view.seen), view_(view), json_(json) {}

  void Write() {
    switch (TraitsOf(alert_.kind).eve.object) {
      case EveObject::kDns:
        return Dns();
      case EveObject::kHttp:
        return Members("http", kHttpMembers);
      case EveObject::kTls:
        return Members("tls", kTlsMembers);
      case EveObject::kSsh:
        return Ssh();
      case EveObject::kNone:
        return;
    }
  }

 private:
  // First value of that kind in the message, the matched value included; empty where there is none, or none that may be
  // shown.
  std::string_view ValueIn(ObservableKind kind) const {
    if (kind != alert_.kind && !view_.context.Has(kind)) return {};
    for (const ContextValue& context : alert_.message) {
      if (context.kind == kind) return context.value;
    }
    return alert_.kind == kind ? std::string_view(alert_.value) : std::string_view();
  }

  // The members of an object in their order. Of kinds that fill the same one, the first that there is does.
  void Members(std::string_view object, std::span<const ObservableKind> kinds) {
    json_.BeginObject(object);
    std::string_view written;
    for (const ObservableKind kind : kinds) {
      const EveMember& member = TraitsOf(kind).eve;
      if (member.name != written && Member(member, ValueIn(kind))) written = member.name;
    }
    json_.EndObject();
  }

  // False: there is no such value, or none that can be shown so.
  bool Member(const EveMember& member, std::string_view value) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (value.empty()) return false;
    switch (member.shape) {
      case EveShape::kText:
        json_.Observed(member.name, value, kMaxContextBytes);
        return true;
      case EveShape::kNumber: {
        if (value.size() != 3 || value[0] == '0' || !std::all_of(value.begin(), value.end(), is_digit)) return false;
        uint64_t number = 0;
        for (const char c : value) number = number * 10 + static_cast<uint64_t>(c - '0');
        json_.Number(member.name, number);
        return true;
      }
      case EveShape::kHash:
        json_.BeginObject(member.name);
        json_.Observed("hash", value, kMaxContextBytes);
        json_.EndObject();
        return true;
      case EveShape::kFingerprint: {
        if (value.size() != 40 || !std::all_of(value.begin(), value.end(), is_hex)) return false;
        std::string colons;
        for (size_t i = 0; i < value.size(); i += 2) {
          if (i > 0) colons += ':';
          colons += value.substr(i, 2);
        }
        json_.Plain(member.name, colons);
        return true;
      }
      case EveShape::kAnswer:
      case EveShape::kSoftware:
      case EveShape::kNone:
        break;
    }
    return false;
  }

  void Context(std::string_view key, ObservableKind kind) {
    const std::string_view value = ValueIn(kind);
    if (!value.empty()) json_.Observed(key, value, kMaxContextBytes);
  }

  void Answer(ObservableKind kind, const std::string& value, size_t& written, size_t& left_out) {
    if (written == kMaxAnswers) {
      ++left_out;
      return;
    }
    ++written;
    json_.BeginObject();
    json_.Plain("rrtype", kind == ObservableKind::kDnsCname      ? "CNAME"
                          : value.find(':') == std::string::npos ? "A"
                                                                 : "AAAA");
    json_.Observed("rdata", value, kMaxContextBytes);
    json_.EndObject();
  }

  void Dns() {
    const auto is_answer = [](ObservableKind kind) {
      return kind == ObservableKind::kDnsAnswer || kind == ObservableKind::kDnsCname;
    };
    bool response = is_answer(alert_.kind), answers = response, in_message = false;
    for (const ContextValue& context : alert_.message) {
      response = response || context.kind == ObservableKind::kDnsRcode || is_answer(context.kind);
      answers = answers || is_answer(context.kind);
      in_message = in_message || (context.kind == alert_.kind && context.value == alert_.value);
    }
    json_.BeginObject("dns");
    json_.Number("version", uint64_t{2});
    json_.Plain("type", response ? "answer" : "query");
    Context("rrname", ObservableKind::kDnsQuery);
    Context("rrtype", ObservableKind::kDnsType);
    Context("rcode", ObservableKind::kDnsRcode);
    if (answers) {
      size_t written = 0, left_out = 0;
      json_.BeginArray("answers");
      if (is_answer(alert_.kind) && !in_message) Answer(alert_.kind, alert_.value, written, left_out);
      for (const ContextValue& context : alert_.message) {
        if (is_answer(context.kind)) Answer(context.kind, context.value, written, left_out);
      }
      json_.EndArray();
      if (left_out > 0) json_.Number("answers_omitted", left_out);
    }
    json_.EndObject();
  }

  void Ssh() {
    json_.BeginObject("ssh");
    SshSide("client", kSshClient, kSshHassh, Direction::kToServer);
    SshSide("server", kSshServer, kSshHasshServer, Direction::kToClient);
    json_.EndObject();
  }

  // Of "SSH-2.0-OpenSSH_9.2p1 Debian-2" EVE has the second and the third part.
  void SshSide(std::string_view key, ObservableKind identification, ObservableKind hassh, Direction direction) {
    std::string_view text = ValueIn(identification);
    if (text.empty() && alert_.direction == direction) text = ValueIn(kSshSoftware);
    const std::string_view hash = ValueIn(hassh);
    if (text.empty() && hash.empty()) return;
    json_.BeginObject(key);
    if (!text.empty()) {
      text.remove_prefix(std::min(text.find('-'), text.size() - 1) + 1);
      const size_t dash = text.find('-');
      json_.Observed("proto_version", text.substr(0, dash), kMaxContextBytes);
      if (dash != std::string_view::npos) {
        text.remove_prefix(dash + 1);
        json_.Observed("software_version", text.substr(0, text.find(' ')), kMaxContextBytes);
      }
    }
    Member({EveObject::kSsh, "hassh", EveShape::kHash}, hash);
    json_.EndObject();
  }

  const Sighting& alert_;
  const View& view_;
  JsonWriter& json_;
};

}  // namespace

void WriteEveMessage(const View& view, JsonWriter& json) { EveMessage(view, json).Write(); }

}  // namespace vedette
