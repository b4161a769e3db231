// EVE's object about the message that an alert is of: `dns`, `http`, `tls` or `ssh`.
#pragma once

#include "exporter/policy/view.h"
#include "parsers/base/json_writer.h"

namespace vedette {

// Writes it, with its key, into the object that is open; nothing for what EVE has no object for. Of the message's values
// only those that the view may show.
void WriteEveMessage(const View& view, JsonWriter& json);

}  // namespace vedette
