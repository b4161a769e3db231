// Good configurations and many bad ones. Interface: lo, which is everywhere.
#include "sensor/check/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>

#include "exporter/feed/keys.h"
#include "parsers/base/time_text.h"
#include "sensor/check/offloads.h"
#include "sensor/live/control.h"
#include "tests/unit/exporter/mmdb_files.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

class CheckTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
    std::string error;
    ASSERT_TRUE(WriteKeyPair(NewKeyPair(), Path("sensor"), error)) << error;
    ASSERT_TRUE(WriteKeyPair(NewKeyPair(), Path("alpha"), error)) << error;
    Write("indicators.csv", "type,value,id,originator,tlp\ndomain,bad.example,t-1,cert-a,green\n");
    WriteGeo("geo.mmdb", std::time(nullptr));
    WriteGeo("old.mmdb", std::time(nullptr) - 100 * 86'400);
    std::filesystem::create_directory(folder_ / "state");
    ASSERT_EQ(chmod(Path("state").c_str(), 0777), 0);
  }

  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  // A database that knows countries and no AS numbers.
  void WriteGeo(const std::string& name, std::time_t built) const {
    MmdbMetadata metadata = TestMetadata();
    metadata.build_epoch = static_cast<uint64_t>(built);
    Write(name, MmdbFile({{"1.0.0.0", 24, MapOf({{"country_code", Text("AU")}})}}, metadata));
  }

  // The good one, with a replacement.
  std::string Config(const std::string& from = {}, const std::string& to = {}) const {
    std::string text = R"(sensor: {name: check-test}
capture: {interface: lo, filter: udp port 53}
indicators: [indicators.csv]
geo: [geo.mmdb]
state: state
output: state/alerts.jsonl
control: state/control.sock
metrics: {listen: "127.0.0.1:0"}
alarms: {command: [/bin/true]}
feed:
  endpoint: tcp://127.0.0.1:*
  secret_key: sensor.key
  partners:
    - {name: alpha, public_key: alpha.pub, originators: [cert-a]}
)";
    if (!from.empty()) {
      const size_t at = text.find(from);
      EXPECT_NE(at, std::string::npos) << from;
      text.replace(at, from.size(), to);
    }
    return text;
  }
  CheckReport Check(const std::string& text) {
    Write("sensor.yaml", text);
    return CheckConfiguration(Path("sensor.yaml"));
  }
  static std::string TextOf(const CheckReport& report, CheckLevel level) {
    std::string out;
    for (const CheckItem& item : report.items()) {
      if (item.level == level) out += item.part + ": " + item.text + "\n";
    }
    return out;
  }
  void ExpectOne(CheckLevel level, const std::string& from, const std::string& to, const std::string& says) {
    const CheckReport report = Check(Config(from, to));
    const std::string found = TextOf(report, level);
    EXPECT_NE(found.find(says), std::string::npos) << "for: " << to << "\nnot said: " << says << "\nbut: " << found;
    if (level == CheckLevel::kWarning) {
      EXPECT_EQ(report.Count(CheckLevel::kError), 0u) << TextOf(report, CheckLevel::kError);
    }
  }

  const TemporaryFolder folder_;
};

TEST_F(CheckTest, AGoodOneHasNoErrors) {
  const CheckReport report = Check(Config());
  EXPECT_EQ(TextOf(report, CheckLevel::kError), "");
  const std::string ok = TextOf(report, CheckLevel::kOk);
  for (const char* text : {"is a configuration", "lo is there and up", "the filter compiles", "1 in use", "sensor.key",
                           "partner alpha may receive 1 of the 1", "is free to listen on", "/bin/true"}) {
    EXPECT_NE(ok.find(text), std::string::npos) << text << "\n" << ok;
  }
  if (geteuid() == 0) {
    EXPECT_EQ(TextOf(report, CheckLevel::kWarning), "");
  }
  EXPECT_FALSE(std::filesystem::exists(Path("state/alerts.jsonl")));  // nothing is changed
}

TEST_F(CheckTest, EachMistakeIsAnError) {
  using Case = std::array<const char*, 3>;
  for (const Case& one : {
           Case{"interface: lo", "interface: nosuch0", "no such interface"},
           Case{"interface: lo, ", "", "needs an `interface`"},
           Case{"interface: lo", "interfaces: [lo, nosuch0]", "nosuch0: there is no such interface"},
           Case{"filter: udp port 53", "filter: udp prt 53", "udp prt 53"},
           Case{"interface: lo", "interface: lo, user: no-such-user", "no-such-user"},
           Case{"[indicators.csv]", "[missing.csv]", "missing.csv"},
           Case{"indicators: [indicators.csv]\n", "", "nothing to look for"},
           Case{"output: state/alerts.jsonl", "output: missing/alerts.jsonl", "missing"},
           Case{"control: state/control.sock", "control: missing/control.sock", "missing"},
           Case{"[/bin/true]", "[/bin/missing]", "/bin/missing"},
           Case{"[/bin/true]", "[/etc/passwd]", "cannot start /etc/passwd"},
           Case{"[/bin/true]", "[/etc]", "/etc is no program"},
           Case{"[/bin/true]", "[true]", "absolute path"},
           Case{"secret_key: sensor.key", "secret_key: missing.key", "missing.key"},
           Case{"secret_key: sensor.key", "secret_key: alpha.pub", "alpha.pub"},
           Case{"public_key: alpha.pub", "public_key: missing.pub", "missing.pub"},
           Case{"public_key: alpha.pub", "public_key: sensor.pub", "the sensor's own key"},
           Case{"tcp://127.0.0.1:*", "tcp://192.0.2.99:5577", "192.0.2.99"},
           Case{"tcp://127.0.0.1:*", "udp://127.0.0.1:1", "tcp://ADDRESS:PORT"},
           Case{"127.0.0.1:0", "192.0.2.99:9477", "192.0.2.99:9477"},
           Case{"127.0.0.1:0", "127.0.0.1:http", "has no port from 0 to 65535"},
           Case{"127.0.0.1:0", "127.0.0.1:99999", "has no port from 0 to 65535"},
           Case{"127.0.0.1:0", ":9477", "names no address"},
           Case{"127.0.0.1:0", "[::1]:9477", "is an IPv6 address"},
           Case{"output: state/alerts.jsonl", "output: state", "is a folder"},
           Case{"control: state/control.sock", "control: state", "is not a socket"},
           Case{"name: alpha", "name: Alpha", "a-z, 0-9"},
           Case{"sensor: {name", "sensor: {nmae", "the nearest known key is `name`"},
           Case{"[geo.mmdb]", "[missing.mmdb]", "missing.mmdb"},
           Case{"[geo.mmdb]", "[indicators.csv]", "indicators.csv"},
       }) {
    ExpectOne(CheckLevel::kError, one[0], one[1], one[2]);
  }
}

TEST_F(CheckTest, WhatWillSurpriseIsAWarning) {
  using Case = std::array<const char*, 3>;
  for (const Case& one : {
           Case{", originators: [cert-a]", "", "can never receive anything"},
           Case{"[cert-a]", "[cert-b]", "0 of the 1 indicators"},
           Case{"[cert-a]", "[cert-a], max_tlp: clear", "0 of the 1 indicators"},
           Case{"  partners:\n", "  unmarked_sources: [list]\n  partners:\n", "`unmarked_sources` has no effect"},
           Case{"  partners:\n    - {name: alpha, public_key: alpha.pub, originators: [cert-a]}\n", "  partners: []\n",
                "there are no partners"},
           Case{"[cert-a]", "[cert-a], scope: constituency, constituency: {asns: [3333]}",
                "claims AS numbers, which no open geolocation database knows"},
           Case{"[geo.mmdb]", "[old.mmdb]", "days ago"},
           Case{"state: state\n", "state: state\nmutes: [{id: t-1, reason: x, until: 2020-01-01T00:00:00Z}]\n",
                "expired at 2020-01-01T00:00:00Z"},
       }) {
    ExpectOne(CheckLevel::kWarning, one[0], one[1], one[2]);
  }
  const CheckReport report = Check(Config("filter: udp port 53}", "filter: tcp}\ncanary: {inject: wire}"));
  EXPECT_NE(TextOf(report, CheckLevel::kWarning).find("excludes the canary's packet"), std::string::npos);
}

TEST_F(CheckTest, WhatOnlyShowsTogetherIsAnErrorToo) {
  const auto errors_of = [this](std::initializer_list<std::array<const char*, 2>> changes) {
    std::string text = Config();
    for (const auto& [from, to] : changes) text.replace(text.find(from), std::string(from).size(), to);
    return TextOf(Check(text), CheckLevel::kError);
  };
  for (const char* listen : {"127.0.0.1:29577", "0.0.0.0:29577"}) {
    EXPECT_NE(
        errors_of({{"tcp://127.0.0.1:*", "tcp://127.0.0.1:29577"}, {"127.0.0.1:0", listen}}).find("is the feed's port"),
        std::string::npos);
  }
  EXPECT_NE(errors_of({{"interface: lo, filter: udp port 53", "interface: any"},
                       {"state: state", "canary: {inject: wire}\nstate: state"}})
                .find("cannot be sent on all interfaces"),
            std::string::npos);
  const std::string long_path = "control: state/" + std::string(108, 'c');
  EXPECT_NE(
      errors_of({{"control: state/control.sock", long_path.c_str()}}).find("a control socket's path has 1 to 107"),
      std::string::npos);
  if (geteuid() != 0) return;
  EXPECT_NE(errors_of({{"interface: lo", "interface: lo, user: root"}}).find("has the rights of root"),
            std::string::npos);
}

TEST_F(CheckTest, EachFileSaysWhatIsWrongWithIt) {
  std::filesystem::create_directory(folder_ / "many");
  Write("many/a.csv", "type,value\n");
  Write("many/b.csv", "");
  Write("many/d.csv", "type,value\ndomain,evil.example\ndomain,com\n");
  std::string text = "type,value\nip,198.18.0.1\n";
  for (int i = 0; i < 2'000; ++i) text += "domain,com\n";
  Write("many/c.csv", text);
  const CheckReport report = Check(Config("[indicators.csv]", "[many, indicators.csv]"));
  EXPECT_EQ(TextOf(report, CheckLevel::kError), "");
  const std::string warnings = TextOf(report, CheckLevel::kWarning);
  for (const std::string& said :
       {Path("many/a.csv") + ": is not used: has a header and no rows\n",
        Path("many/b.csv") + ": is not used: is empty\n", Path("many/c.csv") + ":3: com: a public suffix",
        std::string("(2,001 such rows)"), Path("many/c.csv") + ":2: 198.18.0.1: a private"}) {
    EXPECT_NE(warnings.find(said), std::string::npos) << said << "\nbut: " << warnings;
  }
  EXPECT_EQ(warnings.find(":0:"), std::string::npos) << warnings;
  EXPECT_EQ(TextOf(report, CheckLevel::kOk).find("many/b.csv"), std::string::npos);
}

TEST_F(CheckTest, AllMistakesAreSaidAtOnce) {
  Write("indicators.csv", "type,value\ndomain,not a domain\nip,192.0.2.1\n");
  const CheckReport report = Check(
      "sensr: {}\ncapture: {interface: nosuch0, filter: nonsense nonsense}\nindicators: [indicators.csv]\n"
      "state: missing\nmetrics: {listen: off}\ncontrol: off\n");
  const std::string errors = TextOf(report, CheckLevel::kError);
  for (const char* text :
       {"unknown key `sensr`", "neither `feed` nor `output`", "no such interface", "nonsense", "indicators"}) {
    EXPECT_NE(errors.find(text), std::string::npos) << text << "\n" << errors;
  }
  const std::string warnings = TextOf(report, CheckLevel::kWarning);
  EXPECT_NE(warnings.find("not a domain"), std::string::npos) << warnings;
  EXPECT_NE(warnings.find("missing"), std::string::npos) << warnings;
}

TEST_F(CheckTest, UnreadableFilesAreErrors) {
  EXPECT_EQ(CheckConfiguration(Path("missing.yaml")).Count(CheckLevel::kError), 1u);
  EXPECT_EQ(Check("a: [").Count(CheckLevel::kError) > 0, true);
  ASSERT_EQ(chmod(Path("sensor.key").c_str(), 0644), 0);
  ExpectOne(CheckLevel::kError, "", "", "chmod 600");
}

TEST_F(CheckTest, ABrokenFileOfMutesIsAnError) {
  Write("state/mutes.json", "{}");
  ASSERT_EQ(chmod(Path("state/mutes.json").c_str(), 0600), 0);
  ExpectOne(CheckLevel::kError, "", "", "mutes.json");
}

TEST_F(CheckTest, APortThatAStrangerHoldsIsAnError) {
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listening, 1), 0);
  socklen_t size = sizeof address;
  getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin_port));
  ExpectOne(CheckLevel::kError, "tcp://127.0.0.1:*", "tcp://127.0.0.1:" + port, "the port is taken");
  ExpectOne(CheckLevel::kError, "127.0.0.1:0", "127.0.0.1:" + port, port);
  close(listening);
}

TEST_F(CheckTest, PortsThatNeedRightsAreErrors) {
  unsigned first = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first;
  if (first <= 443) GTEST_SKIP() << "low ports are NOT tested: everybody may have them here";
  ExpectOne(CheckLevel::kError, "tcp://127.0.0.1:*", "tcp://127.0.0.1:443",
            "port 443 is below 1024, and the sensor has dropped its privileges by the time it listens");
  ExpectOne(CheckLevel::kError, "127.0.0.1:0", "127.0.0.1:443", "ip_unprivileged_port_start=443");
}

TEST_F(CheckTest, NamesThatNoIndicatorHasAreWarnings) {
  ExpectOne(CheckLevel::kWarning, "[cert-a]", "[cert-a, cert-A]",
            "partner alpha: no indicator in use has the originator `cert-A`, which is in `originators`; existing ones: "
            "cert-a");
  ExpectOne(CheckLevel::kWarning, "  partners:\n", "  unmarked_sources: [misspelt]\n  partners:\n",
            "no indicator in use has the source `misspelt`, which is in `unmarked_sources`");
  const std::string soon = Rfc3339(std::chrono::nanoseconds(std::chrono::seconds(std::time(nullptr) + 86'400)).count());
  const auto warnings_of = [&](const std::string& mute) {
    return TextOf(
        Check(Config("state: state\n", "state: state\nmutes: [{" + mute + ", reason: x, until: \"" + soon + "\"}]\n")),
        CheckLevel::kWarning);
  };
  EXPECT_EQ(warnings_of("id: t-1"), "");
  EXPECT_EQ(warnings_of("value: Bad.Example."), "");
  EXPECT_NE(warnings_of("id: t-2").find("hides nothing: no indicator in use has this id"), std::string::npos);
  EXPECT_NE(warnings_of("value: worse.example").find("no indicator in use has this value"), std::string::npos);
  EXPECT_NE(warnings_of("id: t-1, source: other").find("source `other` has no such indicator; sources that do: "),
            std::string::npos);
}

// Another sensor's, and its own while it runs.
TEST_F(CheckTest, AnOutputThatAnotherSensorWritesIsAnError) {
  Write("state/alerts.jsonl", "");
  ASSERT_EQ(chmod(Path("state/alerts.jsonl").c_str(), 0666), 0);
  const auto held_by = [&](const std::vector<std::string>& arguments) {
    int ready[2], held[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC) + pipe2(held, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
      const int file = open(Path("state/alerts.jsonl").c_str(), O_RDWR);
      if (flock(file, LOCK_EX | LOCK_NB) != 0 || dup2(ready[1], STDOUT_FILENO) < 0 || dup2(held[0], STDIN_FILENO) < 0)
        _exit(1);
      std::vector<char*> words;
      for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      execv("/bin/sh", words.data());
      _exit(1);
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    const CheckReport report = Check(Config());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (const int end : {ready[0], held[0], held[1]}) close(end);
    return TextOf(report, CheckLevel::kError) + "|" + TextOf(report, CheckLevel::kOk);
  };
  const std::string script = "echo; read x";
  const std::string other = held_by({"vedette", "-c", script, "run", "--config", "/etc/other.yaml"});
  EXPECT_NE(other.find("another sensor is writing it (by vedette"), std::string::npos) << other;
  const std::string own = held_by({"vedette", "-c", script, "run", "--config", Path("sensor.yaml")});
  EXPECT_EQ(own.find('|'), 0u) << own;
  EXPECT_NE(own.find("alerts.jsonl is written by this sensor, which is running"), std::string::npos) << own;
}

TEST_F(CheckTest, OffloadsThatMergePacketsAreNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "offloads are NOT tested: that needs root";
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNET) != 0 || std::system("ip link add vd0 type veth peer name vd1 2>/dev/null") != 0)
      _exit(77);
    const auto merge = [](bool on) {
      ethtool_value value{.cmd = ETHTOOL_SGRO, .data = on};
      ifreq request{};
      std::strcpy(request.ifr_name, "vd0");
      request.ifr_data = reinterpret_cast<char*>(&value);
      if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCETHTOOL, &request) != 0) _exit(78);
      return MergingOffloads("vd0");
    };
    if (merge(true) != std::vector<std::string>{"gro"}) _exit(1);
    _exit(merge(false).empty() && MergingOffloads("nosuch0").empty() ? 0 : 2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "offloads are NOT tested: no network namespace can be had";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(CheckTest, TheControlSocketMustNotBeAnothersSensor) {
  std::string error;
  const auto other = ControlServer::Open(Path("state/control.sock"), error);
  ASSERT_NE(other, nullptr) << error;
  ExpectOne(CheckLevel::kError, "control: state/control.sock", "control: state/control.sock",
            "another sensor answers there (by ");
}

TEST_F(CheckTest, TheControlSocketsGroupHasToBeThere) {
  ExpectOne(CheckLevel::kError, "control: state/control.sock",
            "control: state/control.sock\ncontrol_group: no-such-group", "there is no group `no-such-group`");
  if (geteuid() != 0) return;
  ExpectOne(CheckLevel::kOk, "control: state/control.sock", "control: state/control.sock\ncontrol_group: nogroup",
            "members of group nogroup may ask");
  ExpectOne(CheckLevel::kWarning, "control: state/control.sock", "control: state/control.sock\ncontrol_group: daemon",
            "adduser nobody daemon");
}

TEST_F(CheckTest, AsRootItAsksAsTheSensorsUser) {
  if (geteuid() != 0) GTEST_SKIP() << "another user's view is NOT tested: it needs root";
  ASSERT_EQ(chmod(Path("indicators.csv").c_str(), 0600), 0);
  ExpectOne(CheckLevel::kError, "", "", "user nobody cannot read " + Path("indicators.csv"));
  ASSERT_EQ(chmod(Path("indicators.csv").c_str(), 0644), 0);
  ASSERT_EQ(chmod(Path("alpha.pub").c_str(), 0600), 0);
  ExpectOne(CheckLevel::kError, "", "", "user nobody cannot read " + Path("alpha.pub"));
  ASSERT_EQ(chmod(Path("alpha.pub").c_str(), 0644), 0);
  Write("sensor.yaml", "");
  ASSERT_EQ(chmod(Path("sensor.yaml").c_str(), 0600), 0);
  ExpectOne(CheckLevel::kError, "", "", "user nobody cannot read " + Path("sensor.yaml"));
  ASSERT_EQ(chmod(Path("sensor.yaml").c_str(), 0644), 0);
  // In a folder: one is missed, all of them are the end.
  std::filesystem::create_directory(folder_ / "lists");
  for (const char* name : {"lists/a.csv", "lists/b.csv"}) Write(name, "type,value\ndomain,bad.example\n");
  ASSERT_EQ(chmod(Path("lists/a.csv").c_str(), 0), 0);
  ExpectOne(CheckLevel::kWarning, "[indicators.csv]", "[lists]", "user nobody cannot read " + Path("lists/a.csv"));
  ASSERT_EQ(chmod(Path("lists/b.csv").c_str(), 0), 0);
  ExpectOne(CheckLevel::kError, "[indicators.csv]", "[lists]", "can read none of the files");
  ASSERT_EQ(chmod(Path("state").c_str(), 0755), 0);
  const CheckReport report = Check(Config());
  EXPECT_NE(TextOf(report, CheckLevel::kError).find("user nobody cannot write " + Path("state")), std::string::npos);
  EXPECT_NE(TextOf(report, CheckLevel::kWarning).find("mutes, so that they survive a restart"), std::string::npos);
}

}  // namespace
}  // namespace vedette
