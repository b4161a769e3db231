// All mutes of a running sensor: those of its configuration, and those that the operator made, which are kept in a file
// and so survive a restart.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/metrics/figures.h"
#include "exporter/policy/mutes/mute.h"
#include "exporter/policy/mutes/mute_list.h"

namespace vedette {

// Any thread. A change is in the file, and on disk, before the call returns.
class MuteStore : public FigureSource {
 public:
  // `path`: mutes.json in the sensor's state folder; it may not exist yet. nullptr with `error` if it exists but
  // cannot be used: the error names the file and says what to do. `configured`: those of the configuration.
  static std::unique_ptr<MuteStore> Open(std::string path, const std::vector<Mute>& configured, int64_t now_ns,
                                         std::string& error);

  // A mute that hides the same is renewed. False with `error`, and nothing changed.
  bool Add(const MuteRequest& request, int64_t now_ns, Mute& made, std::string& error);
  // `name`: the id of a mute, or of an indicator that exactly one mute hides. False with `error`.
  bool Remove(const std::string& name, Mute& removed, std::string& error);
  // Removes expired mutes and returns them. Cheap if there are none. `error` is not empty if the
  // file could not be written; the expired mutes hide nothing even so, and a call a minute later writes it again.
  std::vector<Mute> Expire(int64_t now_ns, std::string& error);

  struct Status {
    Mute mute;
    bool configured;  // in the configuration, and removed there
    uint64_t alerts, hits;
    int64_t last_ns;
  };
  std::vector<Status> All() const;  // configured ones first, then by id

  // For MuteFilter::Use, after each change.
  std::shared_ptr<const MuteList> List() const;

  // Of expired and removed ones too: a counter only grows.
  void AppendFigures(Figures& out) const override;

 private:
  // Ids that were ever counted; more in one run are refused, because each stays in the metrics.
  static constexpr size_t kMaxCounted = 10'000;

  explicit MuteStore(std::string path) : path_(std::move(path)) {}
  bool Save(const std::map<std::string, Mute>& mutes, std::string& error);  // `mutex_` is held
  std::shared_ptr<MuteCounts> CountsOf(const std::string& id);

  const std::string path_;
  mutable std::mutex mutex_;
  std::map<std::string, Mute> configured_, made_;  // by id
  bool unsaved_ = false;                           // the file still holds expired mutes …
  int64_t save_at_ns_ = 0;                         // … and is written again at that time
  std::map<std::string, std::shared_ptr<MuteCounts>> counts_;
};

}  // namespace vedette
