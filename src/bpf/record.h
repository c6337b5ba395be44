/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The frame of everything that crosses the ring buffer. Shared by the BPF programs (C) and the
 * decoder (C++): fixed-width integers and char arrays only, no implicit padding, sizes a multiple
 * of 8. Integers are in host byte order, for both sides run on one machine.
 */
#ifndef BPFTRAP_RECORD_H
#define BPFTRAP_RECORD_H

#include <linux/types.h>

/* Raised whenever any wire struct changes. */
#define BPFTRAP_WIRE_VERSION 1

/* Kinds are numbered per command, from 1: each has a ring buffer of its own. */
#define BPFTRAP_KINDS_MOST 8

/* First member of every record. */
struct bpftrap_record_header {
  __u32 size;    /* bytes in use, this header included; what a record reserved beyond it is noise */
  __u16 version; /* BPFTRAP_WIRE_VERSION */
  __u16 kind;    /* which event struct this is the head of */
  __u64 boot_ns; /* CLOCK_BOOTTIME when it happened */
};

/* Value of the per-CPU array `lost`. Both are indexed by kind. */
struct bpftrap_lost {
  __u64 records[BPFTRAP_KINDS_MOST]; /* records that found no room */
  __u64 rescued[BPFTRAP_KINDS_MOST]; /* events that a program's second copy saw, not the first */
};

#ifdef __cplusplus
static_assert(sizeof(bpftrap_record_header) == 16);
static_assert(sizeof(bpftrap_lost) == 128);
#endif

#endif
