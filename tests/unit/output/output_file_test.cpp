// SPDX-License-Identifier: GPL-2.0-only
// Opening --output in a directory where other users can prepare files.
#include "core/output/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "core/os/file.h"

namespace bpftrap {
namespace {

constexpr uid_t other_user = 54321;

class OutputFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "bpftrap-output-file-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path;
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
    shared_ = directory_ + "/shared";
    ASSERT_EQ(::mkdir(shared_.c_str(), 0755), 0);
    ASSERT_EQ(::chmod(shared_.c_str(), 01777), 0);
    write(directory_ + "/precious", "precious");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static void write(const std::string& path, const std::string& text, mode_t mode = 0600) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_EQ(::fchmod(fd.get(), mode), 0);
  }
  static void link(const std::string& target, const std::string& path) {
    ASSERT_EQ(::symlink(target.c_str(), path.c_str()), 0);
  }
  static void give_away(const std::string& path, uid_t user = other_user) {
    ASSERT_EQ(::lchown(path.c_str(), user, user), 0);
  }
  static UniqueFd open(const std::string& path, const WaitForReader& wait = {},
                       const std::optional<FileOwner>& owner = {}) {
    return open_output_file(path, wait, owner);
  }
  // The error message, or "" if the file can be opened.
  static std::string refusal(const std::string& path, const std::optional<FileOwner>& owner = {}) {
    try {
      WaitForReader wait;
      wait.timeout = std::chrono::seconds(0);
      open_output_file(path, wait, owner);
      return "";
    } catch (const Error& error) {
      return error.message();
    }
  }
  std::string precious() const { return read_file(directory_ + "/precious").value_or("?"); }

  std::string directory_;
  std::string shared_;
};

// OutputFile, with files of several users.
class OutputFileOfOthers : public OutputFile {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can create files of other users";
    }
    OutputFile::SetUp();
  }
  void TearDown() override {
    if (!directory_.empty()) {
      OutputFile::TearDown();
    }
  }

  void expect_refused(const std::string& path) const {
    EXPECT_EQ(refusal(path).rfind("refuse to write to '" + path + "' (--output); ", 0), 0U)
        << refusal(path);
    EXPECT_EQ(precious(), "precious");
  }
  // Runs `body` as another user.
  static int as_other(const std::function<bool()>& body) {
    pid_t pid = ::fork();
    if (pid == 0) {
      ::_exit(::setresuid(other_user, other_user, other_user) == 0 && body() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(pid, &status, 0);
    return status;
  }
};

TEST_F(OutputFile, IsCreatedForItsOwnerAndKeepsItsMode) {
  const mode_t mask = ::umask(0);
  struct stat status {};
  for (const std::string& place : {directory_ + "/new", shared_ + "/new"}) {
    UniqueFd fd = open(place);
    ASSERT_EQ(::fstat(fd.get(), &status), 0);
    EXPECT_EQ(status.st_mode, S_IFREG | 0600U);
    EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
  ::umask(mask);
  write(directory_ + "/old", "old text", 0640);
  UniqueFd fd = open(directory_ + "/old");
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFREG | 0640U);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(OutputFile, LinksOfOnesOwnAreFollowed) {
  link("precious", directory_ + "/link");
  link(directory_ + "/link", shared_ + "/to-link");
  EXPECT_EQ(refusal(shared_ + "/to-link"), "");
  EXPECT_EQ(precious(), "");
  link("../new", shared_ + "/to-new");
  EXPECT_EQ(refusal(shared_ + "/to-new"), "");
  EXPECT_EQ(read_file(directory_ + "/new"), "");
  link(directory_, shared_ + "/up");
  EXPECT_EQ(refusal(shared_ + "/up//shared/./up/newer"), "");
  EXPECT_EQ(read_file(directory_ + "/newer"), "");
}

TEST_F(OutputFile, WhatIsNoFileIsAnErrorThatNamesIt) {
  link("loop", directory_ + "/loop");
  const std::pair<std::string, const char*> cases[] = {
      {directory_ + "/loop", "Too many levels of symbolic links"},
      {directory_ + "/none/file", "No such file or directory"},
      {directory_ + "/precious/file", "Not a directory"},
      {directory_ + "/precious/", "Is a directory"},
      {directory_, "Is a directory"},
      {"/", "Is a directory"},
      {".", "Is a directory"},
  };
  for (const auto& [path, reason] : cases) {
    EXPECT_EQ(refusal(path), "cannot write to '" + path + "' (--output): " + reason);
  }
}

TEST_F(OutputFile, PathsThatNameADescriptorLeadToIt) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  for (const char* directory : {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"}) {
    UniqueFd fd = open(directory + std::to_string(ends[1]));
    ASSERT_EQ(::write(fd.get(), "x", 1), 1) << directory;
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 1) << directory;
  }
  UniqueFd file(::open((directory_ + "/precious").c_str(), O_WRONLY | O_CLOEXEC));
  UniqueFd kept(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10));
  ::fflush(stdout);
  ::dup2(file.get(), STDOUT_FILENO);
  std::string said = refusal("/dev/stdout");
  ::dup2(kept.get(), STDOUT_FILENO);
  EXPECT_EQ(said, "");
  EXPECT_EQ(precious(), "");
}

TEST_F(OutputFileOfOthers, NewFileBelongsToTheGivenOwnerOnly) {
  const FileOwner owner{other_user, other_user + 1};
  struct stat status {};
  for (const std::string& place : {directory_ + "/new", shared_ + "/new"}) {
    ASSERT_EQ(::fstat(open(place, {}, owner).get(), &status), 0);
    EXPECT_EQ(status.st_uid, owner.uid);
    EXPECT_EQ(status.st_gid, owner.gid);
    EXPECT_EQ(status.st_mode, S_IFREG | 0600U);
    EXPECT_EQ(refusal(place, owner), "") << "a second run";
  }
  ASSERT_EQ(::fstat(open(directory_ + "/precious", {}, owner).get(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U) << "existed";
}

TEST_F(OutputFileOfOthers, LinksOfTheGivenOwnerAreNotFollowed) {
  const FileOwner owner{other_user, other_user};
  link(directory_ + "/precious", shared_ + "/link");
  give_away(shared_ + "/link");
  EXPECT_NE(refusal(shared_ + "/link", owner), "");
  write(shared_ + "/hers", "");
  give_away(shared_ + "/hers", other_user + 1);
  EXPECT_NE(refusal(shared_ + "/hers", owner), "");
  write(shared_ + "/his", "");
  give_away(shared_ + "/his");
  ASSERT_EQ(::link((shared_ + "/his").c_str(), (shared_ + "/second-name").c_str()), 0);
  EXPECT_NE(refusal(shared_ + "/his", owner), "");
  EXPECT_EQ(precious(), "precious");
}

TEST_F(OutputFileOfOthers, LinksInStickyDirectoriesAreNotFollowed) {
  link(directory_ + "/precious", shared_ + "/link");
  give_away(shared_ + "/link");
  expect_refused(shared_ + "/link");
  link(directory_, shared_ + "/up");
  give_away(shared_ + "/up");
  expect_refused(shared_ + "/up/precious");
  // Through a link of the caller.
  link("link", shared_ + "/own");
  expect_refused(shared_ + "/own");
}

TEST_F(OutputFileOfOthers, NoLinksAreFollowedInSomeoneElsesStickyDirectory) {
  link(directory_ + "/precious", shared_ + "/own");
  link(directory_ + "/precious", shared_ + "/link");
  give_away(shared_ + "/link");
  give_away(shared_);
  expect_refused(shared_ + "/own");
  expect_refused(shared_ + "/link");
}

TEST_F(OutputFileOfOthers, LinksElsewhereAreFollowed) {
  link("precious", directory_ + "/link");
  give_away(directory_ + "/link");
  EXPECT_EQ(refusal(directory_ + "/link"), "");
  EXPECT_EQ(precious(), "");
}

TEST_F(OutputFileOfOthers, FilesInStickyDirectoriesAreLeftAlone) {
  write(shared_ + "/file", "theirs", 0666);
  give_away(shared_ + "/file");
  expect_refused(shared_ + "/file");
  EXPECT_EQ(read_file(shared_ + "/file"), "theirs");
  ASSERT_EQ(::mkfifo((shared_ + "/fifo").c_str(), 0666), 0);
  give_away(shared_ + "/fifo");
  expect_refused(shared_ + "/fifo");
  ASSERT_EQ(::link((directory_ + "/precious").c_str(), (shared_ + "/hard").c_str()), 0);
  expect_refused(shared_ + "/hard");
}

TEST_F(OutputFileOfOthers, AnotherUserMayUseWhatIsTheirsAndRoots) {
  link(directory_ + "/new", shared_ + "/roots");
  link(shared_ + "/new", shared_ + "/own");
  give_away(shared_ + "/own");
  link(shared_ + "/new", shared_ + "/third");
  give_away(shared_ + "/third", other_user + 1);
  EXPECT_EQ(as_other([&] { return refusal(shared_ + "/own").empty(); }), 0);
  EXPECT_EQ(as_other([&] { return refusal(shared_ + "/new").empty(); }), 0);
  EXPECT_EQ(as_other([&] {
              return refusal(shared_ + "/roots").find("Permission denied") != std::string::npos;
            }),
            0)
      << "the target's directory decides";
  EXPECT_EQ(as_other([&] { return refusal(shared_ + "/third").rfind("refuse ", 0) == 0; }), 0);
}

class FifoWithoutReader : public OutputFile {
 protected:
  void SetUp() override {
    OutputFile::SetUp();
    fifo_ = directory_ + "/fifo";
    ASSERT_EQ(::mkfifo(fifo_.c_str(), 0600), 0);
  }
  std::string fifo_;
};

TEST_F(FifoWithoutReader, IsWaitedForUntilInterrupted) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd interrupt(ends[0]);
  UniqueFd writer(ends[1]);
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  testing::internal::CaptureStderr();
  EXPECT_FALSE(open(fifo_, {interrupt.get(), {}}));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bpftrap: waiting for somebody to read '" + fifo_ +
                "' (--output)\nbpftrap: stopped before anybody read '" + fifo_ + "' (--output)\n");
}

TEST_F(FifoWithoutReader, IsWaitedForAsLongAsAsked) {
  EXPECT_NE(refusal(fifo_).find("nobody reads '" + fifo_ + "'"), std::string::npos);
}

TEST_F(FifoWithoutReader, IsOpenedOnceThereIsOne) {
  pid_t child = ::fork();
  if (child == 0) {
    ::usleep(120'000);
    int fd = ::open(fifo_.c_str(), O_RDONLY | O_CLOEXEC);
    char byte = 0;
    ::_exit(::read(fd, &byte, 1) == 1 && byte == 'x' ? 0 : 1);
  }
  UniqueFd fd = open(fifo_);
  EXPECT_EQ(::write(fd.get(), "x", 1), 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// A file of one byte may be replaced.
UniqueFd create(const std::string& path, const std::optional<FileOwner>& owner = {}) {
  auto is_replaceable = [](int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && status.st_size <= 1;
  };
  return create_output_file(path, owner, is_replaceable, "short file");
}

TEST_F(OutputFile, CreatesBesideAnEarlierFile) {
  std::string path = directory_ + "/new";
  EXPECT_TRUE(create(path));
  EXPECT_TRUE(create(path)) << "an empty file is no loss";
  EXPECT_FALSE(std::filesystem::exists(path + ".old"));
  write(directory_ + "/other", "1");
  UniqueFd fd = create(directory_ + "/other");
  struct stat status {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(read_file(directory_ + "/other.old"), "1");
}

TEST_F(OutputFile, RefusesToReplaceOtherFiles) {
  EXPECT_THROW(create(directory_ + "/precious"), Error);
  EXPECT_EQ(read_file(directory_ + "/precious"), "precious");
  EXPECT_THROW(create(shared_), Error);
  ASSERT_EQ(::mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
  EXPECT_THROW(create(directory_ + "/fifo"), Error);
  // The name that an earlier file would get belongs to something else.
  write(directory_ + "/third", "1");
  write(directory_ + "/third.old", "precious");
  EXPECT_THROW(create(directory_ + "/third"), Error);
  EXPECT_EQ(read_file(directory_ + "/third.old"), "precious");
  EXPECT_EQ(read_file(directory_ + "/third"), "1");
}

TEST_F(OutputFile, ReplacesNoFileOfAnotherUserInASharedDirectory) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  write(shared_ + "/theirs", "1");
  give_away(shared_ + "/theirs");
  EXPECT_THROW(create(shared_ + "/theirs"), Error);
  EXPECT_TRUE(create(shared_ + "/theirs", FileOwner{other_user, other_user}));
  link(directory_ + "/precious", shared_ + "/link");
  give_away(shared_ + "/link");
  EXPECT_THROW(create(shared_ + "/link"), Error);
}

}  // namespace
}  // namespace bpftrap
