/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shared by read.bpf.h and the loader (core/bpf/direct_reads.h). */
#ifndef BPFTRAP_DIRECT_READS_H
#define BPFTRAP_DIRECT_READS_H

/* Stands for bpf_rdonly_cast(). No kernel has a helper with this number. */
#define BPFTRAP_RDONLY_CAST 0x7ffffb1f

#endif
