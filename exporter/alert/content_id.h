// Ids that derive from content, so that every replay, worker count and restart gives the same ones: name-based UUIDs,
// version 5 (RFC 9562 section 5.5).
#pragma once

#include <string>
#include <string_view>

#include "exporter/alert/alert.h"
#include "exporter/alert/roles.h"
#include "signatures/indicator.h"

namespace vedette {

// Names the alert, whoever looks at it: it depends on nothing that a view hides. Over: sensor name, flow id, packet
// time, kind, direction, value; for payload, where several patterns find the same bytes, the pattern too.
std::string AlertId(const Sighting& alert, std::string_view sensor, const IndicatorRecord& any_hit);

// Groups alerts of one view: the same indicator (type and value, whichever source names it) and the same affected end;
// where no end is affected, the same pair of ends.
std::string IncidentId(const Sighting& alert, const IndicatorRecord& best, const Roles& roles);

}  // namespace vedette
