// vedette keygen: a CURVE key pair.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "exporter/feed/keys.h"
#include "sensor/commands/commands.h"
#include "sensor/setup/complain.h"

namespace vedette {

Command AddKeygen(CLI::App& app) {
  auto prefix = std::make_shared<std::string>();
  app.add_option("prefix", *prefix, "writes PREFIX.key (secret, mode 0600) and PREFIX.pub (to hand out)")
      ->required()
      ->type_name("PREFIX");
  return [prefix] {
    std::string error;
    const KeyPair keys = NewKeyPair();
    if (!WriteKeyPair(keys, *prefix, error)) {
      Complain(error);
      return kExitFailed;
    }
    fmt::print("{}.key  secret, keep it here\n{}.pub  public: {}\n", *prefix, *prefix, keys.public_key);
    return kExitDone;
  };
}

}  // namespace vedette
