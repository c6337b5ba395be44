// SPDX-License-Identifier: GPL-2.0-only
// CRC32C (Castagnoli), as iSCSI and ext4 use it: polynomial 0x1edc6f41, reflected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bpftrap {

// Continues the checksum of earlier bytes, 0 if there are none.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);

// The same without the processor's instruction, for processors that lack it.
std::uint32_t crc32c_by_table(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace bpftrap
