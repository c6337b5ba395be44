// SPDX-License-Identifier: GPL-2.0-only
#include "core/process/genealogy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "core/record/process_fields.h"

namespace bpftrap {
namespace {

constexpr std::uint64_t tick = 10'000'000;

// A process in the initial pid namespace. The start follows from the pid.
struct Person {
  Pid pid = 0;
  std::string comm = {};

  ProcessId id() const { return pid != 0 ? ProcessId{pid, pid * tick + 3} : ProcessId{}; }
};

Process process_of(const Person& self, const Person& parent) {
  Process process;
  process.id = self.id();
  process.parent = parent.id();
  process.local_pid = self.pid;
  process.local_parent = parent.pid;
  process.comm = self.comm;
  process.parent_comm = parent.comm;
  return process;
}

ListedProcess listed(const Person& self, Pid parent) {
  return {.pid = self.pid,
          .parent = parent,
          .local_pid = self.pid,
          .start_ticks = self.pid,
          .comm = self.comm};
}

std::string ancestors(Genealogy& genealogy, const Person& self, const Person& parent) {
  std::string text;
  append_ancestors(text, genealogy.ancestors_of(process_of(self, parent)));
  return text;
}

class GenealogyTest : public testing::Test {
 protected:
  const Person init_{1, "init"}, shell_{100, "bash"}, make_{101, "make"}, sub_{102, "sh"},
      compiler_{103, "cc1"}, other_{104, "ld"};
  Genealogy genealogy_{Genealogy::Levels::programs};
};

TEST_F(GenealogyTest, ChainLeadsToTheFirstProcess) {
  genealogy_.add_older(ProcessList({listed(shell_, 1), listed(init_, 0)}));
  genealogy_.forked(process_of({101, "bash"}, shell_));
  genealogy_.executed(process_of(make_, shell_), true);
  genealogy_.forked(process_of({102, "make"}, make_));
  genealogy_.executed(process_of(sub_, make_), false);
  EXPECT_EQ(ancestors(genealogy_, sub_, make_), "make[101] < bash[100] < init[1]");
  EXPECT_EQ(ancestors(genealogy_, make_, shell_), "bash[100] < init[1]");
  EXPECT_EQ(ancestors(genealogy_, init_, {}), "-");
}

TEST_F(GenealogyTest, DeadAncestorsStayWhileADescendantLives) {
  genealogy_.add_older(ProcessList({listed(init_, 0), listed(shell_, 1)}));
  genealogy_.forked(process_of(make_, shell_));
  genealogy_.forked(process_of(sub_, make_));
  genealogy_.forked(process_of(compiler_, sub_));
  genealogy_.forked(process_of(other_, sub_));
  genealogy_.ended(make_.id());
  genealogy_.ended(sub_.id());
  EXPECT_EQ(ancestors(genealogy_, compiler_, init_), "sh[102] < make[101] < bash[100] < init[1]")
      << "by birth, although the real parent is init now";
  EXPECT_EQ(genealogy_.size(), 6U);
  genealogy_.ended(compiler_.id());
  EXPECT_EQ(genealogy_.size(), 5U);
  genealogy_.ended(other_.id());
  genealogy_.ended(other_.id());
  EXPECT_EQ(genealogy_.size(), 2U) << "only those that live";
}

TEST_F(GenealogyTest, OneThatHasThePidOfAnAncestorIsAnother) {
  genealogy_.forked(process_of(make_, shell_));
  genealogy_.forked(process_of(sub_, make_));
  genealogy_.ended(make_.id());
  const Person other{101, "other"};
  Process again = process_of(other, init_);
  again.id.start_ns += tick;
  genealogy_.forked(again);
  EXPECT_EQ(ancestors(genealogy_, sub_, init_), "make[101] < bash[100]");
}

TEST_F(GenealogyTest, ANewNameOfTheParentIsShown) {
  genealogy_.forked(process_of(make_, shell_));
  EXPECT_EQ(ancestors(genealogy_, make_, {100, "renamed"}), "renamed[100]");
  genealogy_.forked(process_of(sub_, {101, "gmake"}));
  genealogy_.forked(process_of(compiler_, sub_));
  EXPECT_EQ(ancestors(genealogy_, compiler_, sub_), "sh[102] < gmake[101] < bash[100]");
}

TEST_F(GenealogyTest, AProcessWhoseBirthWasLostHasTheParentOfItsRecord) {
  EXPECT_EQ(ancestors(genealogy_, sub_, make_), "make[101] < …");
  genealogy_.executed(process_of(sub_, make_), true);
  EXPECT_EQ(ancestors(genealogy_, sub_, make_), "make[101]");
}

TEST_F(GenealogyTest, AParentOutsideThePidNamespaceIsUnknown) {
  genealogy_.add_older(ProcessList({listed(shell_, 50)}));
  EXPECT_EQ(ancestors(genealogy_, make_, shell_), "bash[100] < …");
}

TEST_F(GenealogyTest, OnlyTheNextAncestorsAreNamed) {
  constexpr Pid many = 1000;
  for (Pid pid = 2; pid <= many; ++pid) {
    genealogy_.forked(process_of({pid, "x"}, {pid - 1, "x"}));
    genealogy_.ended(Person{pid - 1}.id());
  }
  Ancestors found = genealogy_.ancestors_of(process_of({many, "x"}, init_));
  EXPECT_EQ(found.known.size(), Genealogy::ancestors_most);
  EXPECT_TRUE(found.more);
  EXPECT_EQ(genealogy_.size(), many);
  genealogy_.ended(Person{many}.id());
  EXPECT_EQ(genealogy_.size(), 0U);
}

TEST(Genealogy, WithoutRoomTheDeadAreForgottenFirst) {
  constexpr std::size_t most = 100;
  Genealogy genealogy(Genealogy::Levels::programs, most * Genealogy::bytes_of_entry);
  Person init{1, "init"};
  // An endless chain: each forks and ends.
  for (Pid pid = 2; pid <= 1000; ++pid) {
    genealogy.forked(process_of({pid, "x"}, {pid - 1, "x"}));
    genealogy.ended(Person{pid - 1}.id());
    ASSERT_LE(genealogy.size(), most);
  }
  EXPECT_EQ(genealogy.refused(), 0U);
  EXPECT_TRUE(ancestors(genealogy, {1000, "x"}, init).starts_with("x[999] < x[998] < "));
  // More processes live than there is room for.
  for (Pid pid = 2000; pid < 2000 + 2 * most; ++pid) {
    genealogy.forked(process_of({pid, "y"}, init));
    ASSERT_LE(genealogy.size(), most);
  }
  EXPECT_GE(genealogy.refused(), most);
  EXPECT_EQ(ancestors(genealogy, {2000 + 2 * most - 1, "y"}, init), "init[1]");
  for (Pid pid = 2; pid < 2000 + 2 * most; ++pid) {
    genealogy.ended(Person{pid}.id());
  }
  EXPECT_EQ(genealogy.size(), 1U) << "init lives";
}

TEST_F(GenealogyTest, SubshellsMakeNoLevelAmongPrograms) {
  genealogy_.forked(process_of(make_, shell_));
  genealogy_.executed(process_of(make_, shell_), true);
  genealogy_.forked(process_of(sub_, make_));
  genealogy_.forked(process_of(compiler_, sub_));
  genealogy_.executed(process_of(compiler_, sub_), true);
  genealogy_.forked(process_of(other_, compiler_));
  genealogy_.executed(process_of(other_, compiler_), true);
  EXPECT_EQ(genealogy_.level_of(process_of(make_, shell_)), 0U) << "the shell has no row";
  genealogy_.ended(sub_.id());
  EXPECT_EQ(genealogy_.level_of(process_of(compiler_, init_)), 1U);
  EXPECT_EQ(genealogy_.level_of(process_of(other_, compiler_)), 2U);
  // It executes again, and its own level stays.
  genealogy_.executed(process_of(other_, compiler_), true);
  EXPECT_EQ(genealogy_.level_of(process_of(other_, compiler_)), 2U);
}

TEST_F(GenealogyTest, ExecsThatAreFilteredOutMakeNoLevel) {
  genealogy_.forked(process_of(make_, shell_));
  genealogy_.executed(process_of(make_, shell_), false);
  genealogy_.forked(process_of(compiler_, make_));
  genealogy_.executed(process_of(compiler_, make_), true);
  EXPECT_EQ(genealogy_.level_of(process_of(compiler_, make_)), 0U);
}

TEST_F(GenealogyTest, EachProcessMakesALevelIfEachHasARow) {
  Genealogy genealogy(Genealogy::Levels::processes);
  genealogy.forked(process_of(make_, shell_));
  genealogy.forked(process_of(sub_, make_));
  genealogy.forked(process_of(compiler_, sub_));
  EXPECT_EQ(genealogy.level_of(process_of(make_, shell_)), 0U);
  EXPECT_EQ(genealogy.level_of(process_of(sub_, make_)), 1U);
  genealogy.ended(sub_.id());
  EXPECT_EQ(genealogy.level_of(process_of(compiler_, init_)), 2U);
}

TEST_F(GenealogyTest, ASweepFindsEndsThatWereLost) {
  Person self{static_cast<Pid>(::getpid()), "self"}, gone{4194304, "gone"};
  genealogy_.forked(process_of(self, {}));
  genealogy_.forked(process_of(gone, self));
  genealogy_.mark_dead();
  genealogy_.forked(process_of({4194305, "late"}, gone));
  genealogy_.forget_dead();
  EXPECT_EQ(ancestors(genealogy_, {4194305, "late"}, self),
            "gone[4194304] < self[" + std::to_string(self.pid) + "]");
  genealogy_.mark_dead();
  genealogy_.forget_dead();
  EXPECT_EQ(genealogy_.size(), 1U);
}

// bpftrap cannot ask for a process outside its pid namespace.
TEST_F(GenealogyTest, ASweepKeepsOneProcessPerPidOutsideItsNamespace) {
  const Person person{4194304, "outside"}, nobody;
  Process outside = process_of(person, nobody);
  outside.local_pid = 0;
  for (std::uint64_t start : {3 * tick, tick, 2 * tick}) {
    outside.id.start_ns = start;
    genealogy_.forked(outside);
  }
  genealogy_.mark_dead();
  genealogy_.forget_dead();
  EXPECT_EQ(genealogy_.size(), 1U);
  genealogy_.ended({4194304, 3 * tick});
  EXPECT_EQ(genealogy_.size(), 0U) << "the latest one was left";
}

}  // namespace
}  // namespace bpftrap
