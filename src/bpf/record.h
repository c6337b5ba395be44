/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The frame of each record in the ring buffer, shared by the BPF programs (C) and the decoder
 * (C++). Integers are little-endian, as on all processors that bpftrap runs on. Recordings hold the
 * same records: docs/recording.md.
 */
#ifndef BPFTRAP_RECORD_H
#define BPFTRAP_RECORD_H

#include <linux/types.h>

/*
 * Raise this number when a wire struct changes in another way than by new members at its end. A
 * decoder ignores members that it does not know (bpftrap_record_header::fixed).
 */
#define BPFTRAP_WIRE_VERSION 3

/* Kinds are numbered per command, from 1, because each command has its own ring buffer. */
#define BPFTRAP_KINDS_MOST 16

/* Ring buffer size in bytes: of a tracer without --buffer-size, and the default of that option. */
#define BPFTRAP_BUFFER_SMALL   (256 << 10)
#define BPFTRAP_BUFFER_DEFAULT (8 << 20)

/*
 * Check a wire struct: its size is `bytes`, a multiple of 8. In C++, check that it has no implicit
 * padding as well. Each header of wire structs uses this macro for each of its structs, and
 * read_wire() in core/record/decode.h accepts no other struct.
 */
#ifdef __cplusplus
#include <type_traits>
#define BPFTRAP_WIRE_STRUCT(name, bytes)                                           \
  constexpr bool is_wire_struct(const struct name *)                               \
  {                                                                                \
    return true;                                                                   \
  }                                                                                \
  static_assert(sizeof(struct name) == (bytes), #name " has another size");        \
  static_assert((bytes) % 8 == 0, "the size of " #name " is not a multiple of 8"); \
  static_assert(std::has_unique_object_representations_v<name>, #name " has hidden padding")
#else
#define BPFTRAP_WIRE_STRUCT(name, bytes)                                     \
  _Static_assert(sizeof(struct name) == (bytes), #name " has another size"); \
  _Static_assert((bytes) % 8 == 0, "the size of " #name " is not a multiple of 8")
#endif

/* First member of every record. */
struct bpftrap_record_header {
  __u32 size;    /* bytes in use, with this header; the reserved bytes beyond it are undefined */
  __u16 fixed;   /* bytes of the event struct that begins with this header; data follow it */
  __u8 version;  /* BPFTRAP_WIRE_VERSION */
  __u8 kind;     /* selects the event struct */
  __u64 boot_ns; /* CLOCK_BOOTTIME of the event */
};

/* Value of the per-CPU array `lost`. Both arrays are indexed by kind. */
struct bpftrap_lost {
  __u64 records[BPFTRAP_KINDS_MOST]; /* records for which the ring buffer had no room */
  __u64 rescued[BPFTRAP_KINDS_MOST]; /* events that only a second copy saw: recursion.bpf.h */
};

BPFTRAP_WIRE_STRUCT(bpftrap_record_header, 16);
BPFTRAP_WIRE_STRUCT(bpftrap_lost, 256);

#endif
