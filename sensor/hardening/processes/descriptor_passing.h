// Open files, pipes and sockets from one process to another: messages of a fixed size over a SOCK_SEQPACKET socket, with
// one descriptor at most beside each (unix(7), SCM_RIGHTS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vedette {

enum class Received : uint8_t {
  kMessage,
  kNothing,  // within the time allowed
  kWrong,    // of another size, or with more than one descriptor; nothing of it is kept open
  kGone,     // the other end is closed
};

// `descriptor`: -1 for none; it stays open here as well. Never waits. False where it could not be sent, with errno.
bool SendWithDescriptor(int socket, std::span<const std::byte> message, int descriptor);

// Waits `limit_ms` at most, for ever where that is negative. Fills `message`, and `descriptor`, which is then the
// caller's and closed in programs that it starts; -1: none came.
Received ReceiveWithDescriptor(int socket, std::span<std::byte> message, int& descriptor, int limit_ms);

}  // namespace vedette
