#include "sensor/live/control.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tests/unit/temporary_folder.h"

namespace {
std::function<void()> before_unlink;
}

// libc's, in this program: what comes between two calls of the server cannot be seen from outside otherwise.
extern "C" int unlink(const char* path) noexcept {
  if (const auto once = std::exchange(before_unlink, nullptr)) once();
  return unlinkat(AT_FDCWD, path, 0);
}

namespace vedette {
namespace {

using Json = nlohmann::json;

class ControlTest : public ::testing::Test {
 protected:
  std::unique_ptr<ControlServer> Open() {
    std::unique_ptr<ControlServer> server = ControlServer::Open(path_, error_);
    if (server == nullptr) return nullptr;
    server->Handle("double", [](const Json& request) -> Json {
      return {{"twice", 2 * request.at("number").get<int>()}};
    });
    server->Handle("refuse", [](const Json&) -> Json { return {{"ok", false}, {"error", "not today"}}; });
    return server;
  }
  int Connect() const {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "control.sock";
  std::string error_;
};

TEST_F(ControlTest, AnswersOneRequestAConnection) {
  const auto server = Open();
  ASSERT_NE(server, nullptr) << error_;
  server->Start();
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  Json response;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(AskSensor(path_, {{"command", "double"}, {"number", i}}, response, error_), AskOutcome::kAnswered)
        << error_;
    EXPECT_EQ(response, (Json{{"ok", true}, {"twice", 2 * i}}));
  }
  ASSERT_EQ(AskSensor(path_, {{"command", "refuse"}}, response, error_), AskOutcome::kAnswered);
  EXPECT_EQ(response, (Json{{"ok", false}, {"error", "not today"}}));
}

TEST_F(ControlTest, SaysWhatIsWrongWithARequest) {
  const auto server = Open();
  const auto error_of = [&](std::string_view line) {
    const Json response = Json::parse(server->Answer(line));
    EXPECT_FALSE(response.at("ok").get<bool>());
    return response.at("error").get<std::string>();
  };
  for (const char* line : {"", "nonsense", "[]", "{}", "{\"command\":1}", "{\"command\":\"double\"", "\xff\xfe"}) {
    EXPECT_EQ(error_of(line), "the request is not a JSON object with a `command`") << line;
  }
  EXPECT_EQ(error_of(R"({"command":"triple"})"), "unknown command; known: double, refuse");
  EXPECT_EQ(error_of(R"({"command":"double"})"), "a field of the request has another type than the command expects");
  EXPECT_EQ(error_of(R"({"command":"double","number":"two"})"),
            "a field of the request has another type than the command expects");
}

TEST_F(ControlTest, NobodyHoldsItForLong) {
  const auto server = Open();
  server->Start();
  const int silent = Connect(), chatty = Connect();
  const std::string flood(ControlServer::kMaxRequestBytes + 10'000, 'x');
  EXPECT_GT(send(chatty, flood.data(), flood.size(), MSG_NOSIGNAL), 0);
  Json response;
  ASSERT_EQ(AskSensor(path_, {{"command", "double"}, {"number", 4}}, response, error_), AskOutcome::kAnswered)
      << error_;
  EXPECT_EQ(response.at("twice"), 8);
  close(silent);
  close(chatty);
}

TEST_F(ControlTest, TakesOverFromOneThatWasKilledOnly) {
  {
    const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    close(dead);
  }
  auto first = Open();
  ASSERT_NE(first, nullptr) << error_;
  first->Start();
  EXPECT_EQ(Open(), nullptr);
  EXPECT_NE(error_.find("another sensor answers there"), std::string::npos) << error_;
  first.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  std::ofstream(path_) << "a file";
  EXPECT_EQ(Open(), nullptr);
  EXPECT_NE(error_.find("is not a socket"), std::string::npos) << error_;
  EXPECT_TRUE(std::filesystem::exists(path_)) << "what is not a socket stays";
}

// Were it silent before, the next sensor could take the path over, and have its own socket removed.
TEST_F(ControlTest, AnswersUntilItsPathIsGone) {
  auto server = Open();
  ASSERT_NE(server, nullptr) << error_;
  server->Start();
  int removals = 0;
  before_unlink = [&] {
    ++removals;
    EXPECT_EQ(Open(), nullptr);
    EXPECT_NE(error_.find("another sensor answers there"), std::string::npos) << error_;
  };
  server.reset();
  EXPECT_EQ(removals, 1);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// As a sensor that was stopped: its socket listens, and nobody is there.
TEST_F(ControlTest, WaitsForOneThatHangsNoLongerThanItsLimit) {
  const auto server = Open();  // and never started
  const std::chrono::milliseconds limit{150};
  Json response;
  // The first ones find room in the queue of connections and wait for an answer, later ones cannot even connect.
  const int waiting[] = {Connect(), Connect(), Connect(), Connect(), Connect(), Connect(), Connect()};
  for (int i = 0; i < 4; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(AskSensor(path_, {{"command", "double"}, {"number", i}}, response, error_, limit), AskOutcome::kSilent);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
    EXPECT_NE(error_.find("the sensor does not answer"), std::string::npos) << error_;
  }
  // Another sensor does not take its place.
  EXPECT_EQ(Open(), nullptr);
  EXPECT_NE(error_.find("another sensor answers there"), std::string::npos) << error_;
  for (const int connection : waiting) close(connection);
}

TEST_F(ControlTest, SaysThatTheSensorStarts) {
  const auto server = Open();
  ASSERT_NE(server, nullptr) << error_;
  server->StartEarly();
  Json response;
  ASSERT_EQ(AskSensor(path_, {{"command", "double"}, {"number", 4}}, response, error_), AskOutcome::kAnswered);
  EXPECT_NE(response.at("error").get<std::string>().find("the sensor is starting"), std::string::npos);
  server->Ready();
  ASSERT_EQ(AskSensor(path_, {{"command", "double"}, {"number", 4}}, response, error_), AskOutcome::kAnswered);
  EXPECT_EQ(response.at("twice"), 8);
}

constexpr unsigned kUser = 61'001, kOther = 61'002, kGroup = 61'003;

// Runs `ask` in a process of that user, with that group beside its own; its exit status.
int AsUser(unsigned uid, std::optional<gid_t> also, const std::function<int()>& ask) {
  const pid_t child = fork();
  if (child == 0) {
    const gid_t groups[] = {also.value_or(0)};
    if (setgroups(also ? 1 : 0, groups) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
      _exit(100);
    _exit(ask());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

TEST_F(ControlTest, AGroupMayAskAndChangesNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "other users are NOT tested: it needs root";
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(chown(folder_.path().c_str(), kUser, kUser), 0);
  const ControlOwner owner{.uid = kUser, .gid = kUser, .made_by_root = true, .group = kGroup};
  const auto server = ControlServer::Open(path_, owner, error_);
  ASSERT_NE(server, nullptr) << error_;
  struct stat status {};
  ASSERT_EQ(lstat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  EXPECT_EQ(status.st_uid, kUser);
  EXPECT_EQ(status.st_gid, kGroup);
  server->Handle(
      "look",
      [](const Json&) -> Json {
        return {{"seen", 1}};
      },
      ControlServer::For::kGroup);
  server->Handle("change", [](const Json&) -> Json { return {{"changed", 1}}; });
  server->Start();
  const auto ask = [&](const char* command) {
    Json response;
    const AskOutcome outcome = AskSensor(path_, {{"command", command}}, response, error_);
    return outcome != AskOutcome::kAnswered ? 1 : response.value("ok", false) ? 0 : 2;
  };
  EXPECT_EQ(AsUser(kOther, kGroup, [&] { return ask("look"); }), 0);
  EXPECT_EQ(AsUser(kOther, kGroup, [&] { return ask("change"); }), 2);
  EXPECT_EQ(AsUser(kOther, std::nullopt, [&] { return ask("look"); }), 1) << "not in the group";
  EXPECT_EQ(ask("change"), 0) << "root";
}

// As a service that systemd starts: a process without rights gives its socket to a group that it belongs to, and only
// to such a one.
TEST_F(ControlTest, AProcessWithoutRightsGivesItToAGroupOfItsOwn) {
  if (geteuid() != 0) GTEST_SKIP() << "other users are NOT tested: it needs root";
  ASSERT_EQ(chown(folder_.path().c_str(), kUser, kUser), 0);
  const auto open = [&] {
    const ControlOwner owner{.uid = kUser, .gid = kUser, .group = kGroup};
    const auto server = ControlServer::Open(path_, owner, error_);
    struct stat status {};
    if (server == nullptr)
      return error_.find("adduser USER GROUP") != std::string::npos && access(path_.c_str(), F_OK) != 0 ? 1 : 3;
    return lstat(path_.c_str(), &status) == 0 && status.st_gid == kGroup && (status.st_mode & 0777) == 0660 ? 0 : 2;
  };
  EXPECT_EQ(AsUser(kUser, kGroup, open), 0);
  EXPECT_EQ(AsUser(kUser, std::nullopt, open), 1);
}

TEST_F(ControlTest, FindsGroups) {
  EXPECT_EQ(GroupOf("root", error_), 0u);
  EXPECT_EQ(GroupOf("61003", error_), 61'003u);
  EXPECT_FALSE(GroupOf("no-such-group", error_));
  EXPECT_NE(error_.find("there is no group `no-such-group`"), std::string::npos) << error_;
}

TEST_F(ControlTest, SaysThatNobodyAnswers) {
  Json response;
  EXPECT_EQ(AskSensor(path_, {{"command", "status"}}, response, error_), AskOutcome::kNobody);
  EXPECT_NE(error_.find("no sensor answers"), std::string::npos) << error_;
  EXPECT_EQ(ControlServer::Open(std::string(200, 'x'), error_), nullptr);
  EXPECT_NE(error_.find("bytes"), std::string::npos) << error_;
}

}  // namespace
}  // namespace vedette
