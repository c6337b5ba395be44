// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string_view>

namespace bpftrap {

namespace {

constexpr int links_most = 40;  // as the kernel: MAXSYMLINKS, include/linux/namei.h
constexpr int write_flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr int look_flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;

bool is_trusted(const struct stat& status) {
  return status.st_uid == ::geteuid() || status.st_uid == 0;
}

// One attempt. Walks the path by itself: what is checked is then what is opened, whatever others
// rename meanwhile, and openat2() would refuse links of any owner.
class Walk {
 public:
  Walk(const std::string& path, const std::optional<FileOwner>& owner, OldContent content,
       std::string_view option)
      : path_(path), owner_(owner), content_(content), option_(option), rest_(path) {}

  // None where it is a FIFO that nobody reads.
  UniqueFd open();

  // Instead of opening a file that exists, puts it aside.
  struct Replacement {
    const std::function<bool(int fd)>& may_replace;
    std::string_view kind;
  };
  void replace_existing(const Replacement& replacement) { replacement_ = &replacement; }

 private:
  [[noreturn]] void fail(int err) const {
    throw Error(fmt::format("cannot write to '{}' ({})", path_, option_), err);
  }
  [[noreturn]] void refuse(std::string_view what) const {
    throw Error(fmt::format("refuse to write to '{}' ({})", path_, option_), 0,
                fmt::format("{} in a sticky directory is another user's: give another name, or "
                            "remove it",
                            what));
  }

  struct stat status_of(const UniqueFd& fd) const {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) {
      fail(errno);
    }
    return status;
  }

  // Cuts the next name off.
  std::string take_name();
  void enter(const std::string& name);
  UniqueFd open_last(const std::string& name);
  UniqueFd create(const std::string& name) const;
  // Goes on where the link points to.
  void follow(const std::string& name);
  bool in_proc() const;
  void check(const UniqueFd& fd) const;
  // Empties the file, or makes it ready to be continued.
  void prepare(const UniqueFd& fd) const;
  // None if there is no such file.
  UniqueFd open_existing(const std::string& name) const;
  void put_aside(const std::string& name) const;

  const std::string& path_;
  const std::optional<FileOwner>& owner_;
  OldContent content_;
  std::string_view option_;
  std::string rest_;
  UniqueFd at_;  // the directory that rest_ begins in
  int links_ = 0;
  const Replacement* replacement_ = nullptr;
};

std::string Walk::take_name() {
  rest_.erase(0, rest_.find_first_not_of('/'));
  std::size_t end = std::min(rest_.find('/'), rest_.size());
  std::string name = rest_.substr(0, end);
  rest_.erase(0, end);
  return name;
}

// Links of /proc lead where their text does not: to pipes, to other mount namespaces. Nobody but
// the kernel makes any.
bool Walk::in_proc() const {
  struct statfs system {};
  return ::fstatfs(at_.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

void Walk::follow(const std::string& name) {
  UniqueFd link(::openat(at_.get(), name.c_str(), look_flags));
  if (!link) {
    fail(errno);
  }
  struct stat status = status_of(link);
  if (!S_ISLNK(status.st_mode)) {
    fail(ENOTDIR);
  }
  struct stat directory = status_of(at_);
  if ((directory.st_mode & S_ISVTX) != 0 && !(is_trusted(status) && is_trusted(directory))) {
    refuse(fmt::format("the link '{}'", name));
  }
  if (++links_ > links_most) {
    fail(ELOOP);
  }
  std::string target(PATH_MAX, '\0');
  ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
  if (size <= 0) {
    fail(size < 0 ? errno : ENOENT);
  }
  target.resize(static_cast<std::size_t>(size));
  if (target.front() == '/') {
    at_ = UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  rest_ = target + rest_;
}

void Walk::enter(const std::string& name) {
  int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (in_proc() ? 0 : O_NOFOLLOW);
  UniqueFd next(::openat(at_.get(), name.c_str(), flags));
  if (next) {
    at_ = std::move(next);
  } else if (errno == ENOTDIR || errno == ELOOP) {
    follow(name);
  } else {
    fail(errno);
  }
}

void Walk::check(const UniqueFd& fd) const {
  struct stat status = status_of(fd);
  bool regular = S_ISREG(status.st_mode);
  // The owner's file may be that of an earlier run. Links are another matter: they would lead this
  // user to where the owner cannot write.
  bool trusted = is_trusted(status) || (owner_ && status.st_uid == owner_->uid);
  if ((regular || S_ISFIFO(status.st_mode)) && (status_of(at_).st_mode & S_ISVTX) != 0 &&
      // Another name of a file elsewhere may be anybody's work.
      (!trusted || (regular && status.st_nlink > 1))) {
    refuse("the file");
  }
}

// None, with errno, if there is such a file by now or it cannot be created.
UniqueFd Walk::create(const std::string& name) const {
  UniqueFd fd(::openat(at_.get(), name.c_str(), write_flags | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  // By the descriptor: the name may be another file's by now.
  if (fd && owner_ && ::fchown(fd.get(), owner_->uid, owner_->gid) != 0) {
    say(Error(fmt::format("cannot give '{}' ({}) to user {}", path_, option_, owner_->uid), errno));
  }
  return fd;
}

UniqueFd Walk::open_existing(const std::string& name) const {
  UniqueFd found(
      ::openat(at_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!found && errno != ENOENT) {
    fail(errno);
  }
  bool regular = found && S_ISREG(status_of(found).st_mode);
  if (found && !(regular && replacement_->may_replace(found.get()))) {
    throw Error(fmt::format("refuse to replace '{}'", path_), 0,
                fmt::format("'{}' exists and is no {}: name another FILE with --output", name,
                            regular ? replacement_->kind : "regular file"));
  }
  return found;
}

void Walk::put_aside(const std::string& name) const {
  UniqueFd found = open_existing(name);
  if (!found) {
    return;
  }
  check(found);
  std::string aside = name + ".old";
  bool empty = status_of(found).st_size == 0;
  if (!empty) {
    open_existing(aside);
  }
  int result = empty ? ::unlinkat(at_.get(), name.c_str(), 0)
                     : ::renameat(at_.get(), name.c_str(), at_.get(), aside.c_str());
  if (result != 0) {
    fail(errno);
  }
}

// None, with errno, where it cannot be opened.
UniqueFd Walk::open_last(const std::string& name) {
  if (replacement_ != nullptr) {
    struct stat status {};
    bool is_link = ::fstatat(at_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                   S_ISLNK(status.st_mode);
    if (is_link) {
      errno = ELOOP;
      return UniqueFd();
    }
    put_aside(name);
    return create(name);
  }
  if (in_proc()) {
    return UniqueFd(::openat(at_.get(), name.c_str(), write_flags));
  }
  UniqueFd fd(::openat(at_.get(), name.c_str(), write_flags | O_NOFOLLOW));
  if (fd) {
    check(fd);
  } else if (errno == ENOENT) {
    fd = create(name);
  } else if (errno == ENXIO) {
    UniqueFd found(::openat(at_.get(), name.c_str(), look_flags));
    if (!found || !S_ISFIFO(status_of(found).st_mode)) {
      fail(ENXIO);
    }
    check(found);
    errno = ENXIO;
  }
  return fd;
}

// An earlier run may have left its last line without an end.
void end_last_line(const UniqueFd& fd, off_t size) {
  UniqueFd reader(::open(fmt::format("/proc/self/fd/{}", fd.get()).c_str(), O_RDONLY | O_CLOEXEC));
  char last = '\n';
  if (reader && ::pread(reader.get(), &last, 1, size - 1) == 1 && last != '\n') {
    iovec end{const_cast<char*>("\n"), 1};
    [[maybe_unused]] ssize_t written = ::writev(fd.get(), &end, 1);
  }
}

void Walk::prepare(const UniqueFd& fd) const {
  struct stat status = status_of(fd);
  if (!S_ISREG(status.st_mode)) {
    return;
  }
  if (content_ == OldContent::append_to && status.st_size > 0) {
    end_last_line(fd, status.st_size);
  } else if (content_ == OldContent::drop && ::ftruncate(fd.get(), 0) != 0) {
    fail(errno);
  }
}

UniqueFd Walk::open() {
  at_ = UniqueFd(::open(rest_.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at_) {
    fail(errno);
  }
  for (int created = 0; true;) {
    std::string name = take_name();
    if (!rest_.empty() && rest_.find_first_not_of('/') != std::string::npos) {
      enter(name);
      continue;
    }
    if (name.empty() || !rest_.empty()) {
      fail(EISDIR);  // with a slash at its end
    }
    UniqueFd fd = open_last(name);
    if (fd) {
      prepare(fd);
      return fd;
    }
    if (errno == ENXIO && !in_proc()) {
      return UniqueFd();
    }
    if (errno == ELOOP) {
      follow(name);
    } else if (errno == EEXIST && ++created < links_most) {
      rest_ = name;  // somebody else has created it meanwhile
    } else {
      fail(errno);
    }
  }
}

}  // namespace

UniqueFd create_output_file(const std::string& path, const std::optional<FileOwner>& owner,
                            const std::function<bool(int fd)>& may_replace, std::string_view kind) {
  Walk::Replacement replacement{may_replace, kind};
  Walk walk(path, owner, OldContent::drop, "--output");
  walk.replace_existing(replacement);
  return walk.open();
}

UniqueFd open_output_file(const std::string& path, const WaitForReader& wait,
                          const std::optional<FileOwner>& owner, OldContent content,
                          std::string_view option) {
  using std::chrono::milliseconds;
  auto begin = std::chrono::steady_clock::now();
  for (bool told = false; true; told = true) {
    if (UniqueFd fd = Walk(path, owner, content, option).open()) {
      return fd;
    }
    if (!told) {
      say(fmt::format("waiting for somebody to read '{}' ({})", path, option));
    }
    // The kernel tells nobody but a blocked open() of the reader, and that holds up signals.
    constexpr milliseconds interval{50};
    pollfd interrupt{wait.interrupt_fd, POLLIN, 0};
    if (::poll(&interrupt, 1, interval.count()) > 0) {
      say(fmt::format("stopped before anybody read '{}' ({})", path, option));
      return UniqueFd();
    }
    if (wait.timeout && std::chrono::steady_clock::now() - begin >= *wait.timeout) {
      throw Error(fmt::format("nobody reads '{}' ({})", path, option), 0,
                  "start its reader, or give a longer --timeout");
    }
  }
}

}  // namespace bpftrap
