// SPDX-License-Identifier: GPL-2.0-only
// Why BPF programs could not be opened, loaded or attached.
#pragma once

#include "core/bpf/skeleton.h"

namespace bpftrap {

// The same error with its likely cause and the fix on this machine. Its log has only the most
// telling one of libbpf's warnings, or the source line that the verifier rejects. Gathers facts:
// call it before privileges are given up.
Error explain(const BpfError& error);

}  // namespace bpftrap
