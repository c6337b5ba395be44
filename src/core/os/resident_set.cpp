// SPDX-License-Identifier: GPL-2.0-only
#include "core/os/resident_set.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace bpftrap {

namespace {

// Called with the executable first (dl_iterate_phdr(3)). Other values than 0 end the iteration.
int release(dl_phdr_info* object, std::size_t /*size*/, void* /*unused*/) {
  auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0) {
      std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
      std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
      // It may fail, for locked memory, without harm.
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells addresses as numbers
      ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
  }
  return 1;
}

}  // namespace

void release_executable() noexcept {
  ::dl_iterate_phdr(&release, nullptr);
}

}  // namespace bpftrap
