// Dropping privileges before the first packet is parsed.
#pragma once

#include <string>

namespace vedette {

struct DroppedPrivileges {
  std::string user;  // who the process is now
  unsigned uid = 0;
  unsigned gid = 0;
  bool changed_user = false;  // it was root
};

// Makes the process an ordinary one, irrevocably: no capability, no way back, no new privileges through programs that
// it starts (PR_SET_NO_NEW_PRIVS). To be called once the interface, sockets and output files are open, and before any
// thread is started: capabilities belong to threads, so it refuses when another thread still has some.
//
// A process of root becomes `user` (a name or a number), with that user's primary group and no other. If `user` is
// empty: the caller of sudo (SUDO_UID and SUDO_GID), so that its files belong to them; else `nobody`. A process of
// another user keeps that user and loses its capabilities.
//
// Verifies the outcome. False, with `error` saying what to do, if a privilege remains; the process must then end.
bool DropPrivileges(const std::string& user, DroppedPrivileges& dropped, std::string& error);

// As DropPrivileges, except for one privilege that stays: CAP_NET_RAW. For a process that does nothing but open packet
// sockets (sensor/hardening/processes/socket_opener.h). False, with `error`, if it does not have that privilege.
bool DropPrivilegesButNetRaw(const std::string& user, DroppedPrivileges& dropped, std::string& error);

// The user that DropPrivileges would choose; false, with the same `error`, if it would fail. Changes
// nothing.
bool WhoIsLeft(const std::string& user, DroppedPrivileges& left, std::string& error);

}  // namespace vedette
