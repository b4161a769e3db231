#include "exporter/alert/roles.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {
namespace {

Roles Decide(const Alert& alert, std::span<const IpAddress> resolvers = {}) { return DecideRoles(alert, resolvers); }

void Expect(const Roles& roles, End matched, End suspect, End affected, std::string_view rule) {
  EXPECT_EQ(roles.matched_side, matched) << rule;
  EXPECT_EQ(roles.suspect, suspect) << rule;
  EXPECT_EQ(roles.affected, affected) << rule;
  EXPECT_EQ(roles.rule, rule);
}

TEST(Roles, ListedServer) {
  const Roles roles = Decide(MakeAlert(ObservableKind::kIp, "89.160.20.112", {0}));
  Expect(roles, End::kServer, End::kServer, End::kClient, "address-is-server");
  EXPECT_FALSE(roles.suspect_address);
}

TEST(Roles, ListedClient) {
  Alert alert = MakeAlert(ObservableKind::kIp, "10.1.2.3", {0});
  Expect(Decide(alert), End::kClient, End::kClient, End::kServer, "address-is-client");
  alert.direction = Direction::kToClient;  // whose packet showed it does not matter
  Expect(Decide(alert), End::kClient, End::kClient, End::kServer, "address-is-client");
}

TEST(Roles, ListedAddressAtBothEnds) {
  Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  alert.flow.client = alert.flow.server;
  const Roles roles = Decide(alert);
  Expect(roles, End::kNone, End::kNone, End::kNone, "address-is-both-ends");
  EXPECT_TRUE(roles.matched_both);
}

TEST(Roles, NobodyIsToldInAGroup) {
  for (const char* group : {"224.0.0.251", "239.255.255.250", "255.255.255.255"}) {
    Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
    alert.flow.client = Address("89.160.20.112");
    alert.flow.server = Address(group);
    Expect(Decide(alert), End::kClient, End::kClient, End::kNone, "address-is-client");
  }
  Alert alert = MakeAlert(ObservableKind::kIp, "2a02:cf40::1", {0});
  alert.flow.client = Address("2a02:cf40::1");
  alert.flow.server = Address("ff02::fb");
  Expect(Decide(alert), End::kClient, End::kClient, End::kNone, "address-is-client");
}

TEST(Roles, AddressInsideATunnel) {
  const Roles roles = Decide(MakeAlert(ObservableKind::kIpInner, "81.2.69.142", {0}));
  Expect(roles, End::kNone, End::kNone, End::kNone, "address-in-tunnel");
  EXPECT_EQ(roles.suspect_address, Address("81.2.69.142"));
}

TEST(Roles, QuotedAddressWasTalkedToByWhoGetsTheError) {
  Alert alert = MakeAlert(ObservableKind::kIpQuoted, "81.2.69.142", {0});  // sent by the flow's client, a router
  Roles roles = Decide(alert);
  Expect(roles, End::kNone, End::kNone, End::kServer, "address-quoted");
  EXPECT_EQ(roles.suspect_address, Address("81.2.69.142"));
  alert.direction = Direction::kToClient;
  Expect(Decide(alert), End::kNone, End::kNone, End::kClient, "address-quoted");
}

TEST(Roles, NameLookedUp) {
  Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0});
  Expect(Decide(alert), End::kNone, End::kNone, End::kClient, "name-looked-up");
  // The question as the answer repeats it.
  alert.direction = Direction::kToClient;
  alert.message = {{ObservableKind::kDnsRcode, "NXDOMAIN"}};
  Expect(Decide(alert), End::kNone, End::kNone, End::kClient, "name-looked-up");
}

TEST(Roles, CaptureWithAnswersOnly) {
  Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0});
  alert.flow.client = Address("8.8.8.8");  // the first packet seen was the answer
  alert.flow.client_port = 53;
  alert.flow.server = Address("10.1.2.3");
  alert.flow.server_port = 50'123;
  alert.message = {{ObservableKind::kDnsRcode, "NOERROR"}};
  Expect(Decide(alert), End::kNone, End::kNone, End::kServer, "name-looked-up");
}

TEST(Roles, ResolverIsNeither) {
  Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0});
  const std::vector<IpAddress> resolvers = {Address("10.0.0.1"), Address("10.1.2.3")};
  Expect(Decide(alert, resolvers), End::kNone, End::kNone, End::kNone, "name-looked-up-by-resolver");
  alert.flow.client_port = 53;
  Expect(Decide(alert), End::kNone, End::kNone, End::kNone, "name-looked-up-by-resolver");
}

TEST(Roles, AliasInAnswer) {
  Alert alert = MakeAlert(ObservableKind::kDnsCname, "bad.example", {0});
  alert.direction = Direction::kToClient;
  Expect(Decide(alert), End::kNone, End::kNone, End::kClient, "name-in-answer");
}

TEST(Roles, ListedAddressInAnswer) {
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", {0});
  alert.direction = Direction::kToClient;
  Roles roles = Decide(alert);
  Expect(roles, End::kNone, End::kNone, End::kClient, "address-in-answer");
  EXPECT_EQ(roles.suspect_address, Address("81.2.69.142"));

  roles = Decide(alert, std::vector<IpAddress>{Address("10.1.2.3")});
  Expect(roles, End::kNone, End::kNone, End::kNone, "address-answered-to-resolver");
  EXPECT_EQ(roles.suspect_address, Address("81.2.69.142"));
}

TEST(Roles, MulticastAnswerNobodyAskedFor) {
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", {0});
  alert.flow.server = Address("224.0.0.251");
  alert.flow.client_port = alert.flow.server_port = 5353;
  Expect(Decide(alert), End::kNone, End::kNone, End::kNone, "address-in-answer");
}

TEST(Roles, RequestToServer) {
  for (const ObservableKind kind : {ObservableKind::kHttpHost, ObservableKind::kHttpHostField, ObservableKind::kHttpUri,
                                    ObservableKind::kHttpUrl}) {
    Expect(Decide(MakeAlert(kind, "/x", {0})), End::kServer, End::kServer, End::kClient, "request-to-server");
  }
}

TEST(Roles, ProxyIsNeither) {
  Alert alert = MakeAlert(ObservableKind::kHttpHost, "bad.example", {0});
  alert.message = {{ObservableKind::kHttpTarget, "http://bad.example/x"}};
  Expect(Decide(alert), End::kNone, End::kNone, End::kClient, "request-through-proxy");
  alert.message = {{ObservableKind::kHttpMethod, "CONNECT"}};
  Expect(Decide(alert), End::kNone, End::kNone, End::kClient, "request-through-proxy");
  alert = MakeAlert(ObservableKind::kHttpHostField, "other.example", {0});
  alert.message = {{ObservableKind::kHttpTarget, "http://bad.example/x"}};
  Expect(Decide(alert), End::kNone, End::kNone, End::kClient, "request-through-proxy");
}

TEST(Roles, NameOfServer) {
  Expect(Decide(MakeAlert(ObservableKind::kTlsSni, "bad.example", {0})), End::kServer, End::kServer, End::kClient,
         "name-of-server");
}

TEST(Roles, SoftwareOfClientIsItsHarm) {
  for (const ObservableKind kind : {ObservableKind::kTlsJa3, ObservableKind::kTlsJa4, ObservableKind::kHttpUserAgent}) {
    Expect(Decide(MakeAlert(kind, "x", {0})), End::kClient, End::kNone, End::kClient, "software-of-client");
  }
}

TEST(Roles, SoftwareOfServer) {
  Expect(Decide(MakeAlert(ObservableKind::kTlsJa3s, "x", {0})), End::kServer, End::kServer, End::kClient,
         "software-of-server");
}

TEST(Roles, CertificateBelongsToItsSender) {
  for (const ObservableKind kind :
       {ObservableKind::kTlsCertSha1, ObservableKind::kTlsCertSha256, ObservableKind::kTlsCertName}) {
    Alert alert = MakeAlert(kind, "x", {0});
    Expect(Decide(alert), End::kClient, End::kClient, End::kServer, "certificate-of-client");
    alert.direction = Direction::kToClient;
    Expect(Decide(alert), End::kServer, End::kServer, End::kClient, "certificate-of-server");
  }
}

TEST(Roles, PayloadAccusesItsSender) {
  Alert alert = MakeAlert(ObservableKind::kPayload, "x", {0});
  Expect(Decide(alert), End::kClient, End::kClient, End::kServer, "sent-by-client");
  alert.direction = Direction::kToClient;
  Expect(Decide(alert), End::kServer, End::kServer, End::kClient, "sent-by-server");
}

TEST(Roles, AddressBehindAProxy) {
  Alert alert = MakeAlert(ObservableKind::kHttpXff, "81.2.69.142", {0});
  alert.address = Address("81.2.69.142");
  const Roles roles = Decide(alert);
  Expect(roles, End::kNone, End::kNone, End::kServer, "address-behind-proxy");
  EXPECT_EQ(roles.suspect_address, Address("81.2.69.142"));
}

TEST(Roles, EveryMatchedKindHasARule) {
  for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
    const auto kind = static_cast<ObservableKind>(i);
    EXPECT_NE(Decide(MakeAlert(kind, "89.160.20.112", {0})).rule, "no-rule") << NameOf(kind);
  }
}

}  // namespace
}  // namespace vedette
