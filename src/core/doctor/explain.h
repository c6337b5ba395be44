// SPDX-License-Identifier: GPL-2.0-only
// Why BPF programs could not be opened, loaded or attached.
#pragma once

#include "core/os/error.h"

namespace bpftrap {

// The same error with its likely cause and the fix on this machine, if doctor knows them. Its log
// has only the most telling one of libbpf's warnings, or the source line that the verifier rejects.
// Gathers facts: call it before privileges are given up.
Error explain(const Error& error);

}  // namespace bpftrap
