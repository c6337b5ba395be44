// SPDX-License-Identifier: GPL-2.0-only
// The end of a process that is not written, because a filter left it out or it was not recorded.
// Only sinks that draw the lives of processes are told. No record of the stream.
#pragma once

#include "core/record/field.h"

namespace bpftrap {

struct UnwrittenEnd {
  ProcessId id;
  BootTime time;  // or that of the record before
};

FieldTable fields_of(const UnwrittenEnd*);

}  // namespace bpftrap
