// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/file_capabilities.h"

#include <linux/capability.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

namespace e2e {

bool set_file_capabilities(const std::string& path, std::uint64_t permitted) {
  struct statvfs system {};
  vfs_cap_data data{};
  data.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  data.data[0].permitted = static_cast<__u32>(permitted);
  data.data[1].permitted = static_cast<__u32>(permitted >> 32);
  return ::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOSUID) == 0 &&
         ::setxattr(path.c_str(), "security.capability", &data, XATTR_CAPS_SZ_2, 0) == 0;
}

}  // namespace e2e
