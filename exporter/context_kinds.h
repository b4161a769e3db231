// Which observables are emitted, by what the indicators look in.
#pragma once

#include "parsers/observable.h"

namespace vedette {

// What a worker has its parsers emit when indicators look in `looked_in`: those, and those that tell about a hit and
// cost next to nothing. Fingerprints, digests and certificate names only where they are wanted.
//
// A partner's alert shows the context that the hits it may see would bring by themselves: what others' indicators make
// the parsers emit stays out, or its presence would tell of them.
ObservableMask KindsEmittedFor(ObservableMask looked_in);

}  // namespace vedette
