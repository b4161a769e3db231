// `subscribe --out FILE` keeps in FILE.state up to which alert FILE goes, so that the next run knows what it missed.
//
// A state is written whole or not at all, and is on disk, file and folder, after the lines that it covers: once a
// second at most, and where the numbers jump. So the lines in FILE behind those that it covers follow on from it one by
// one, and a run that was killed in between left nothing untold: whoever comes next counts them.
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

  // `file`: a regular file, or one that is not there yet. `server_key`: Z85.
  SubscribeState(std::string file, std::string view, std::string server_key);

  // Takes over what an earlier run left. Before FILE is written to. Answers with what is to be said of it, one or two
  // sentences; empty: nothing.
  std::string Load();
  // Where the earlier run ended; epoch 0: there was none, or nothing is known of it.
  const FeedPosition& position() const { return position_; }
  // There was an earlier run, and whether anything is missing since then cannot be told.
  bool unknown() const { return unknown_; }

  // From now on `descriptor` writes FILE. What an earlier run left of a line has been ended.
  void Begin(int descriptor);
  // For SubscribeConfig::on_position; all lines before it are in FILE.
  void Update(const FeedPosition& position, bool jump);
  // After the last line. False, with `error`, where the last state could not be written.
  bool Close(std::string& error);

 private:
  std::string Judge();  // FILE against the state
  void Save(bool closed);

  const std::string file_, path_, view_, server_key_;
  FeedPosition position_;
  // Of FILE, as the state has it.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  uint64_t bytes_ = 0;
  bool closed_ = false;  // its writer ended in order
  bool unknown_ = false;
  int descriptor_ = -1;
  std::chrono::steady_clock::time_point saved_{};
  std::string error_;  // of the last attempt to save
};

}  // namespace vedette
