#include "exporter/feed/connections.h"

#include <charconv>

namespace vedette {

std::string WriteToken(const ConnectionToken& token) {
  return std::to_string(token.partner) + "." + std::to_string(token.serial) + "." + std::to_string(token.admitted);
}

std::optional<ConnectionToken> ReadToken(std::string_view text) {
  const size_t first = text.find('.');
  if (first == text.npos) return std::nullopt;
  const size_t second = text.find('.', first + 1);
  if (second == text.npos) return std::nullopt;
  ConnectionToken token;
  const auto read = [](std::string_view digits, uint64_t& out) {
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return code == std::errc() && end == digits.data() + digits.size();
  };
  if (!read(text.substr(0, first), token.partner) || !read(text.substr(first + 1, second - first - 1), token.serial) ||
      !read(text.substr(second + 1), token.admitted))
    return std::nullopt;
  return token;
}

void ConnectionLedger::OnDisconnected(int descriptor) {
  disconnected_[descriptor] = ++events_;
  const auto known = serial_of_descriptor_.find(descriptor);
  if (known == serial_of_descriptor_.end()) return;
  connections_.erase(known->second);
  serial_of_descriptor_.erase(known);
}

ConnectionLedger::Connection* ConnectionLedger::Find(const ConnectionToken& token, int descriptor) {
  const auto ended = disconnected_.find(descriptor);
  if (ended != disconnected_.end() && ended->second > token.admitted) return nullptr;
  const auto [entry, entered] = connections_.try_emplace(token.serial);
  if (entered) {
    entry->second.partner = token.partner;
    entry->second.descriptor = descriptor;
    serial_of_descriptor_[descriptor] = token.serial;
  }
  return &entry->second;
}

size_t ConnectionLedger::NumGranted(PartnerId partner) const {
  size_t num = 0;
  for (const auto& [serial, connection] : connections_) {
    num += connection.partner == partner && connection.granted > 0 && !connection.closing;
  }
  return num;
}

ConnectionLedger::Connection* ConnectionLedger::Oldest(PartnerId partner) {
  for (auto& [serial, connection] : connections_) {
    if (connection.partner == partner && !connection.closing) return &connection;
  }
  return nullptr;
}

void ConnectionLedger::ForEachGranted(PartnerId partner, const std::function<void(Connection&)>& visit) {
  for (auto& [serial, connection] : connections_) {
    if (connection.partner == partner && connection.granted > 0 && !connection.closing) visit(connection);
  }
}

}  // namespace vedette
