/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Configuration of the process tracers: read-only data, which user space sets before the load. */
#ifndef BPFTRAP_PROCESS_CFG_BPF_H
#define BPFTRAP_PROCESS_CFG_BPF_H

#include "scope.h"

const volatile struct bpftrap_scope cfg = {};

#endif
