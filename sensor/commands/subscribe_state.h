// `subscribe --out FILE` records in FILE.state the last alert in FILE, so that the next run knows what it missed.
//
// A state is written whole or not at all, and is on disk, file and folder, after the lines that it covers: at most once
// a second, and whenever the numbers jump. So the lines in FILE after those that it covers follow it one by
// one, and after a run that was killed in between nothing is lost: the next run counts them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "exporter/feed/subscriber.h"

namespace vedette {

class SubscribeState {
 public:
  static constexpr char kSuffix[] = ".state";

  // `file`: a regular file, or one that does not exist yet. `server_key`: Z85.
  SubscribeState(std::string file, std::string view, std::string server_key);

  // Loads what an earlier run left, before FILE is written to. Returns what to tell the user, one or two
  // sentences; empty: nothing.
  std::string Load();
  // Where the earlier run ended; epoch 0: there was none, or nothing is known of it.
  const FeedPosition& position() const { return position_; }
  // There was an earlier run, but it is unknown whether anything is missing since then.
  bool unknown() const { return unknown_; }

  // From now on `descriptor` writes FILE. A partial line that an earlier run left has been ended.
  void Begin(int descriptor);
  // For SubscribeConfig::on_position; all lines before it are in FILE.
  void Update(const FeedPosition& position, bool jump);
  // After the last line. False, with `error`, if the last state could not be written.
  bool Close(std::string& error);

 private:
  std::string Judge();  // compares FILE with the state
  void Save(bool closed);

  const std::string file_, path_, view_, server_key_;
  FeedPosition position_;
  // Of FILE, as the state has it.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  uint64_t bytes_ = 0;
  bool closed_ = false;  // its writer ended normally
  bool unknown_ = false;
  int descriptor_ = -1;
  std::chrono::steady_clock::time_point saved_{};
  std::string error_;  // of the last attempt to save
};

}  // namespace vedette
