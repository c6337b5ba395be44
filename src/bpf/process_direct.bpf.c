// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs of process.bpf.c, which read memory of the kernel by plain loads: read.bpf.h. Loaded
 * since 6.17.
 */
#define BPFTRAP_DIRECT_READS
#include "process.bpf.c"
