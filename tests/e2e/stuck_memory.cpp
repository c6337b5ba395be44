// SPDX-License-Identifier: GPL-2.0-only
#include "e2e/stuck_memory.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "e2e/failure.h"

namespace e2e {

namespace {

using namespace std::chrono_literals;

constexpr int no_fuse = 77;
constexpr uid_t other_user = 65534;
constexpr std::uint64_t file_node = 2;  // the only file; the root is 1
const char* const ready_name = "stuck-ready";

fuse_attr attributes_of(std::uint64_t node) {
  fuse_attr attributes{};
  attributes.ino = node;
  attributes.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
  attributes.nlink = 1;
  attributes.size = node == FUSE_ROOT_ID ? 0 : 1 << 20;
  attributes.blksize = 4096;
  return attributes;
}

void reply(int device, const fuse_in_header& to, int err, const void* data = nullptr,
           std::size_t size = 0) {
  char message[1024];
  fuse_out_header header{};
  header.len = static_cast<std::uint32_t>(sizeof header + size);
  header.error = err;
  header.unique = to.unique;
  std::memcpy(message, &header, sizeof header);
  if (size != 0) {
    std::memcpy(message + sizeof header, data, size);
  }
  [[maybe_unused]] ssize_t written = ::write(device, message, header.len);
}

// Answers every request but one to read.
void answer(int device, const char* request) {
  fuse_in_header in{};
  std::memcpy(&in, request, sizeof in);
  if (in.opcode == FUSE_INIT) {
    fuse_init_in asked{};
    std::memcpy(&asked, request + sizeof in, 16);  // older kernels send no more
    fuse_init_out out{};
    out.major = FUSE_KERNEL_VERSION;
    out.minor = std::min<std::uint32_t>(asked.minor, FUSE_KERNEL_MINOR_VERSION);
    out.max_write = 4096;
    reply(device, in, 0, &out, sizeof out);
  } else if (in.opcode == FUSE_LOOKUP) {
    fuse_entry_out out{};
    out.nodeid = file_node;
    out.attr_valid = out.entry_valid = 1000;
    out.attr = attributes_of(file_node);
    reply(device, in, 0, &out, sizeof out);
  } else if (in.opcode == FUSE_GETATTR) {
    fuse_attr_out out{};
    out.attr_valid = 1000;
    out.attr = attributes_of(in.nodeid);
    reply(device, in, 0, &out, sizeof out);
  } else if (in.opcode == FUSE_OPEN || in.opcode == FUSE_OPENDIR) {
    fuse_open_out out{};
    reply(device, in, 0, &out, sizeof out);
  } else if (in.opcode == FUSE_RELEASE || in.opcode == FUSE_FLUSH) {
    reply(device, in, 0);
  } else if (in.opcode != FUSE_READ && in.opcode != FUSE_INTERRUPT && in.opcode != FUSE_FORGET &&
             in.opcode != FUSE_BATCH_FORGET) {
    reply(device, in, -ENOSYS);
  }
}

// Mounts the file system in a mount namespace of its own. Returns the device, or -1.
int mount_silent_files(const std::string& directory) {
  std::string device = directory + "/device";
  std::string root = directory + "/mount";
  ::mknod(device.c_str(), S_IFCHR | 0600, ::makedev(10, 229));
  ::mkdir(root.c_str(), 0755);
  ::chmod(directory.c_str(), 0755);  // for the other user
  int fd = ::open(device.c_str(), O_RDWR | O_CLOEXEC);
  std::string options = "fd=" + std::to_string(fd) +
                        ",rootmode=40000,user_id=" + std::to_string(other_user) +
                        ",group_id=" + std::to_string(other_user);
  if (fd < 0 || ::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("silent", root.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return -1;
  }
  return fd;
}

// The environment puts argv and the path of the program on different pages.
void become_stuck(const std::string& directory, const std::string& way) {
  std::string self = self_path();
  std::string padding = "PADDING=" + std::string(40'000, 'x');
  std::string words[] = {"stuck", "--workload", "stuck-memory", directory, way};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(),
                  words[3].data(), words[4].data(), nullptr};
  char* environment[] = {padding.data(), nullptr};
  ::execve(self.c_str(), argv, environment);
}

int serve(const std::string& directory, const std::string& way, SharedWords& words) {
  int device = mount_silent_files(directory);
  if (device < 0) {
    return no_fuse;
  }
  pid_t pid = ::fork();
  if (pid == 0) {
    become_stuck(directory, way);
    return 127;
  }
  words[0] = static_cast<std::uint64_t>(pid);
  static char request[1 << 18];
  while (true) {
    ssize_t size = ::read(device, request, sizeof request);
    if (size > 0) {
      answer(device, request);
    } else if (errno != EINTR && errno != ENOENT) {
      return 1;
    }
  }
}

}  // namespace

StuckMemory::StuckMemory(const std::string& way) {
  server_ = std::make_unique<Child>([&] { return serve(scratch_.path(), way, words_); });
  for (std::uint64_t begin = boot_ns_now(); boot_ns_now() - begin < 20'000'000'000;
       sleep_for(5ms)) {
    if (words_[0] != 0 && lines_of_file("/proc/" + std::to_string(pid()) + "/comm") ==
                              std::vector<std::string>{ready_name}) {
      return;
    }
    if (lines_of_file("/proc/" + std::to_string(server_->pid()) + "/cmdline").empty()) {
      missing_ = "FUSE cannot be mounted here";  // a zombie has no command line
      return;
    }
  }
  throw Failure("the process with stuck memory did not get ready");
}

int workload_stuck_memory(const std::vector<std::string>& arguments) {
  if (::setresgid(other_user, other_user, other_user) != 0 ||
      ::setresuid(other_user, other_user, other_user) != 0) {
    return 1;
  }
  ::prctl(PR_SET_DUMPABLE, 1);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of user clears it
  int file = ::open((arguments.at(0) + "/mount/file").c_str(), O_RDONLY | O_CLOEXEC);
  bool lock = arguments.at(1) == "lock";
  void* at = lock ? nullptr : reinterpret_cast<void*>(::getauxval(AT_EXECFN) & ~4095UL);
  void* page = ::mmap(at, 4096, PROT_READ, MAP_PRIVATE | (lock ? 0 : MAP_FIXED), file, 0);
  if (page == MAP_FAILED) {
    return 1;
  }
  if (lock) {
    std::thread([page] {
      char byte = 0;
      int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
      [[maybe_unused]] ssize_t count = ::pread(memory, &byte, 1, reinterpret_cast<off_t>(page));
    }).detach();
    std::thread([] {
      sleep_for(200ms);
      ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }).detach();
    ::usleep(400'000);
  }
  ::prctl(PR_SET_NAME, ready_name);
  for (;;) {
    ::pause();
  }
}

}  // namespace e2e
