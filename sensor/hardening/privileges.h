// Giving up rights before the first packet is parsed.
#pragma once

#include <string>

namespace vedette {

struct DroppedPrivileges {
  std::string user;  // who the process is now
  unsigned uid = 0;
  unsigned gid = 0;
  bool changed_user = false;  // it was root
};

// Makes the process an ordinary one, for good: no capability, no way back, no new privileges through programs that it
// starts (PR_SET_NO_NEW_PRIVS). To be called once the interface, sockets and output files are open, and before any
// thread is started: capabilities belong to threads, so it refuses when another thread still has some.
//
// A process of root becomes `user` (a name or a number), with that user's primary group and no other. Where `user` is
// empty: who called sudo (SUDO_UID and SUDO_GID), so that what it writes belongs to them; else `nobody`. A process of
// another user keeps it and loses its capabilities.
//
// Verifies the outcome. False, with `error` saying what to do, where a right remains; the process must then end.
bool DropPrivileges(const std::string& user, DroppedPrivileges& dropped, std::string& error);

// As DropPrivileges, except for one right that stays: CAP_NET_RAW. For a process that does nothing but open packet
// sockets (sensor/hardening/processes/socket_opener.h). False, with `error`, where it does not have that right.
bool DropPrivilegesButNetRaw(const std::string& user, DroppedPrivileges& dropped, std::string& error);

// Whom DropPrivileges would make of this process; false, with `error` as it says it, where it would not. Changes
// nothing.
bool WhoIsLeft(const std::string& user, DroppedPrivileges& left, std::string& error);

}  // namespace vedette
