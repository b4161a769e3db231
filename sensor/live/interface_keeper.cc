#include "sensor/live/interface_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "exporter/metrics/families.h"
#include "parsers/base/time_text.h"

namespace vedette {
namespace {

constexpr int kTickMs = 100;

template <class Clock>
uint64_t NowNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count());
}

InterfaceRecord::Now RecordClock() {
  return {.steady_ns = NowNs<std::chrono::steady_clock>(), .unix_ns = NowNs<std::chrono::system_clock>()};
}

// To the millisecond.
std::string TimeText(uint64_t unix_ns) { return Rfc3339(static_cast<int64_t>(unix_ns / 1'000'000 * 1'000'000)); }

InterfaceState StateOf(const Link& link) {
  return !link.up ? InterfaceState::kDown : !link.carrier ? InterfaceState::kNoCarrier : InterfaceState::kUp;
}

// What the sources of an interface capture from: the kernel's number, or 0: none. False: it has no number, as "any" and
// libpcap's other kinds.
bool NumberOf(const std::vector<LiveSource*>& sources, unsigned& number) {
  number = 0;
  if (sources.empty()) return true;
  int index = 0;
  if (!BoundInterface(sources[0]->descriptor(), index) || index == 0) return false;
  number = index > 0 ? static_cast<unsigned>(index) : 0;
  return true;
}

}  // namespace

std::unique_ptr<InterfaceKeeper> InterfaceKeeper::Start(Parts parts, std::string& error) {
  std::unique_ptr<LinkWatch> watch = LinkWatch::Open(error);
  if (watch == nullptr) return nullptr;
  std::unique_ptr<InterfaceKeeper> keeper(new InterfaceKeeper(std::move(parts), std::move(watch)));
  keeper->Look();
  keeper->thread_ = std::thread([keeper = keeper.get()] { keeper->Work(); });
  return keeper;
}

InterfaceKeeper::InterfaceKeeper(Parts parts, std::unique_ptr<LinkWatch> watch)
    : parts_(std::move(parts)), watch_(std::move(watch)) {
  for (const Interface& interface : parts_.interfaces) kept_.emplace_back(kept_.size(), interface, RecordClock());
}

InterfaceKeeper::~InterfaceKeeper() {
  stopping_.store(true);
  if (thread_.joinable()) thread_.join();
}

void InterfaceKeeper::Work() {
  auto next_look = Clock::now() + kLookInterval;
  while (!stopping_.load()) {
    bool lost = false;
    for (const LinkWatch::Change& change : watch_->Wait(kTickMs, lost)) Take(change);
    if (lost || Clock::now() >= next_look) {
      next_look = Clock::now() + kLookInterval;
      Look();
    }
    HandOver();
  }
}

void InterfaceKeeper::Look() {
  for (Kept& kept : kept_) Assess(kept);
}

// Each change counts, not only what is left of several: an interface that was down for a moment was blind for it.
void InterfaceKeeper::Take(const LinkWatch::Change& change) {
  for (Kept& kept : kept_) {
    unsigned number = 0;
    if (!NumberOf(kept.given.sources, number)) continue;
    const bool captured = number != 0 && change.link.index == number;
    if (captured && !change.gone && change.link.name == kept.given.name && StateOf(change.link) != InterfaceState::kUp)
      Set(kept, StateOf(change.link));
    if (captured || change.link.name == kept.given.name) Assess(kept);
  }
}

void InterfaceKeeper::Assess(Kept& kept) {
  const Interface& given = kept.given;
  const bool failed = std::any_of(given.slots.begin(), given.slots.end(),
                                  [](const std::shared_ptr<SourceSlot>& slot) { return slot->failed(); });
  unsigned number = 0;
  if (!NumberOf(given.sources, number)) return Set(kept, failed ? InterfaceState::kFailed : InterfaceState::kUp);
  const Link link = watch_->Find(given.name);
  if (link.index != 0) {
    if ((link.index != number || failed) && !Attach(kept, link)) return Set(kept, InterfaceState::kFailed);
    return Set(kept, StateOf(link));
  }
  const Link other = number == 0 ? Link{} : watch_->Find(number);
  if (other.index == 0) return Set(kept, InterfaceState::kAbsent);
  const InterfaceState state = StateOf(other);
  Set(kept, state == InterfaceState::kUp ? InterfaceState::kRenamed : state, other.name);
}

// False: it cannot be captured from, and `problem` says why.
bool InterfaceKeeper::Attach(Kept& kept, const Link& link) {
  std::string problem;
  if (kept.given.wire != nullptr && !kept.given.wire->Rebind(problem)) parts_.log->Warn(problem, problem);
  std::vector<LiveSource*>& sources = kept.given.sources;
  if (!sources.empty() &&
      std::all_of(sources.begin(), sources.end(), [&](LiveSource* source) { return source->Rebind(link.index); }))
    return true;
  if (Clock::now() < kept.open_again_at) return false;
  problem.clear();
  std::vector<std::unique_ptr<LiveSource>> opened;
  if (parts_.open) {
    opened = parts_.open(kept.place, problem);
  } else {
    problem = fmt::format("{}: this back end cannot open an interface again; restart the sensor", kept.given.name);
  }
  kept.open_again_at = Clock::now() + kOpenAgain;
  if (opened.size() == kept.given.slots.size()) {
    kept.opened = std::move(opened);
    kept.hand_over_at = Clock::now() + kSettle;
    sources.clear();
    for (const std::unique_ptr<LiveSource>& source : kept.opened) sources.push_back(source.get());
    problem.clear();
  } else if (problem != kept.problem) {
    parts_.log->Error(fmt::format("interface {}", problem), "interface " + kept.given.name);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  kept.problem = problem;
  return problem.empty();
}

// New sources to the lanes, once the old ones have run dry; old ones are freed here.
void InterfaceKeeper::HandOver() {
  for (Kept& kept : kept_) {
    for (const std::shared_ptr<SourceSlot>& slot : kept.given.slots) slot->TakeReturned();
    if (kept.opened.empty() || Clock::now() < kept.hand_over_at) continue;
    for (size_t i = 0; i < kept.opened.size(); ++i) kept.given.slots[i]->Offer(std::move(kept.opened[i]));
    kept.opened.clear();
  }
}

void InterfaceKeeper::Set(Kept& kept, InterfaceState state, std::string other_name) {
  std::optional<InterfaceRecord::Outage> ended;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool same = state == kept.record.state() && other_name == kept.other_name;
    if (state != InterfaceState::kFailed) kept.problem.clear();
    if (same) return;
    ended = kept.record.Set(state, RecordClock());
    kept.other_name = std::move(other_name);
  }
  Say(kept, ended);
}

void InterfaceKeeper::Say(const Kept& kept, const std::optional<InterfaceRecord::Outage>& ended) {
  const std::string& name = kept.given.name;
  const std::string shown = kept.other_name.empty() ? name : fmt::format("{} (now {})", name, kept.other_name);
  const auto warn = [&](const std::string& text) { parts_.log->Warn(text, "interface " + name); };
  if (ended) {
    parts_.log->Info(
        fmt::format("interface {}: captured again after {:.3f} s; nothing of it was from {} to {} ({})", shown,
                    ended->seconds, TimeText(ended->from_ns), TimeText(ended->until_ns), NameOf(ended->why)),
        "interface " + name);
  }
  switch (kept.record.state()) {
    case InterfaceState::kUp:
      return;
    case InterfaceState::kDown:
      return warn(fmt::format("interface {}: it is down, and nothing of it is captured; bring it up: ip link set {} up",
                              shown, kept.other_name.empty() ? name : kept.other_name));
    case InterfaceState::kNoCarrier:
      return warn(
          fmt::format("interface {}: it has no carrier, and nothing of it is captured; is the cable in, and the "
                      "other end on?",
                      shown));
    case InterfaceState::kAbsent:
      return warn(
          fmt::format("interface {}: there is none of that name, and nothing of it is captured; the sensor "
                      "waits for it. There are: {}",
                      shown, ListInterfaces()));
    case InterfaceState::kRenamed:
      return warn(
          fmt::format("interface {}: it is called {} now. It is still captured, but a restart would not find "
                      "it: rename it back, or change `capture`",
                      name, kept.other_name));
    case InterfaceState::kFailed:
      return warn(fmt::format("interface {}: it is there, and cannot be captured from; nothing of it is", shown));
  }
}

void InterfaceKeeper::AppendFigures(Figures& out) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const InterfaceRecord::Now now = RecordClock();
  double blind = 0;
  for (const Kept& kept : kept_) out.Add(families::kInterfaceUp, kept.given.name, IsSeen(kept.record.state()) ? 1 : 0);
  for (const Kept& kept : kept_)
    out.Add(families::kInterfaceState, kept.given.name, static_cast<double>(kept.record.state()));
  for (const Kept& kept : kept_)
    out.Add(families::kInterfaceOutages, kept.given.name, static_cast<double>(kept.record.num_outages()));
  for (const Kept& kept : kept_) {
    out.Add(families::kInterfaceBlind, kept.given.name, kept.record.BlindSeconds(now));
    blind += kept.record.BlindSeconds(now);
  }
  out.Add(families::kBlind, blind);
}

void InterfaceKeeper::AddTo(nlohmann::json& status) const {
  using Json = nlohmann::json;
  const std::lock_guard<std::mutex> lock(mutex_);
  const InterfaceRecord::Now now = RecordClock();
  Json& all = status["interfaces"] = Json::array();
  for (const Kept& kept : kept_) {
    const InterfaceRecord& record = kept.record;
    Json& one = all.emplace_back(Json{{"name", kept.given.name},
                                      {"state", NameOf(record.state())},
                                      {"since", TimeText(record.since_unix_ns())},
                                      {"captured", IsSeen(record.state())},
                                      {"outages", record.num_outages()},
                                      {"blind_seconds", record.BlindSeconds(now)},
                                      {"last_outages", Json::array()}});
    if (!kept.other_name.empty()) one["now_called"] = kept.other_name;
    if (!kept.problem.empty()) one["problem"] = kept.problem;
    if (record.blind_since()) one["blind_since"] = TimeText(record.blind_since()->unix_ns);
    for (const InterfaceRecord::Outage& outage : record.outages()) {
      one["last_outages"].push_back({{"from", TimeText(outage.from_ns)},
                                     {"until", TimeText(outage.until_ns)},
                                     {"seconds", outage.seconds},
                                     {"why", NameOf(outage.why)}});
    }
  }
}

}  // namespace vedette
