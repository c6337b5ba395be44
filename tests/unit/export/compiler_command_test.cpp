// SPDX-License-Identifier: GPL-2.0-only
// Which command lines compile which source files.
#include "core/export/compiler_command.h"

#include <gtest/gtest.h>

#include "core/os/split.h"

namespace bpftrap {
namespace {

// The sources and their outputs: `a.c>a.o`.
std::vector<std::string> compiled(const std::string& line, std::string_view file = "/usr/bin/gcc") {
  std::vector<std::string_view> argv = split(line, ' ');
  std::optional<CompilerCommand> command = parse_compiler_command(file, argv);
  if (!command) {
    return {"(no compiler)"};
  }
  std::vector<std::string> found;
  for (std::size_t source : command->sources) {
    found.push_back(std::string(command->arguments[source]) + ">" +
                    command->output_of(source).value_or(""));
  }
  return found;
}

using Found = std::vector<std::string>;

TEST(CompilerCommand, Names) {
  for (const char* name : {"gcc", "g++", "cc", "c++", "clang", "clang++", "gcc-12", "clang-14",
                           "clang++-14", "clang14", "x86_64-linux-gnu-gcc", "arm-none-eabi-g++",
                           "x86_64-linux-gnu-g++-12.2", "c99", "riscv64-unknown-elf-c++"}) {
    EXPECT_TRUE(is_compiler_name(name)) << name;
  }
  for (const char* name : {"",
                           "cc1",
                           "cc1plus",
                           "as",
                           "ld",
                           "collect2",
                           "gcc-ar",
                           "gcc-ar-12",
                           "clang-format",
                           "clang-tidy-14",
                           "distcc",
                           "ccache",
                           "-gcc",
                           "c++filt",
                           "cpp",
                           "clang-cpp-14",
                           "12",
                           "gcc-12-nm",
                           "lto1",
                           "ccc"}) {
    EXPECT_FALSE(is_compiler_name(name)) << name;
  }
}

TEST(CompilerCommand, SourcesAndOutputs) {
  EXPECT_EQ(compiled("gcc -c a.c"), Found{"a.c>a.o"});
  EXPECT_EQ(compiled("gcc -c src/a.c -o obj/a.o"), Found{"src/a.c>obj/a.o"});
  EXPECT_EQ(compiled("gcc -oobj/a.o -c src/a.c"), Found{"src/a.c>obj/a.o"});
  EXPECT_EQ(compiled("gcc -S a.cc"), Found{"a.cc>a.s"});
  EXPECT_EQ(compiled("gcc -c a.c b.cpp"), (Found{"a.c>a.o", "b.cpp>b.o"}));
  EXPECT_EQ(compiled("gcc a.c b.o -lm -o x"), Found{"a.c>x"});
  EXPECT_EQ(compiled("gcc a.c"), Found{"a.c>"});
  EXPECT_EQ(compiled("gcc -fsyntax-only a.c"), Found{"a.c>"});
  EXPECT_EQ(compiled("gcc @words -c a.c"), Found{"a.c>a.o"});
  EXPECT_EQ(compiled("gcc -c -x c++ config -o x.o"), Found{"config>x.o"});
  EXPECT_EQ(compiled("gcc -c -xc config -x none other"), Found{"config>config.o"});
}

TEST(CompilerCommand, ValuesAreNoSources) {
  EXPECT_EQ(compiled("gcc -include b.c -MF d.c -MT t.c -D e.c -I f.c -Xlinker g.c -c a.c"),
            Found{"a.c>a.o"});
  EXPECT_EQ(compiled("gcc -c a.c -o"), Found{"a.c>"});
}

TEST(CompilerCommand, CommandsThatCompileNothing) {
  for (const char* line :
       {"gcc", "gcc --version", "gcc -E a.c", "gcc -MM a.c", "gcc -M a.c", "gcc a.o b.o -o x",
        "gcc -shared x.o libs.a", "gcc -### -c a.c", "gcc -x c -", "gcc @words"}) {
    EXPECT_EQ(compiled(line), Found{}) << line;
  }
}

TEST(CompilerCommand, NoCompilers) {
  EXPECT_EQ(compiled("cc1 -quiet a.c", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1"),
            Found{"(no compiler)"});
  EXPECT_EQ(compiled("clang -cc1 -emit-obj a.c", "/usr/lib/llvm-14/bin/clang"),
            Found{"(no compiler)"});
  EXPECT_EQ(compiled("clang -cc1as a.s", "/usr/bin/clang"), Found{"(no compiler)"});
  EXPECT_EQ(compiled("ccache -s", "/usr/bin/ccache"), Found{"(no compiler)"});
  EXPECT_EQ(compiled("ccache", "/usr/bin/ccache"), Found{"(no compiler)"});
  EXPECT_EQ(compiled("", "/usr/bin/gcc"), Found{"(no compiler)"});
}

TEST(CompilerCommand, Launchers) {
  for (const char* line :
       {"ccache gcc -c a.c", "/usr/bin/ccache distcc x86_64-linux-gnu-gcc -c a.c",
        "sccache /usr/bin/cc -c a.c", "ccache debug=true cc -c a.c"}) {
    EXPECT_EQ(compiled(line, "/usr/bin/ccache"), Found{"a.c>a.o"}) << line;
  }
  std::vector<std::string_view> argv{"ccache", "gcc", "-c", "a.c"};
  EXPECT_EQ(parse_compiler_command("/usr/bin/ccache", argv)->arguments.front(), "gcc");
  // By the name of a link to ccache.
  EXPECT_EQ(compiled("gcc -c a.c", "/usr/bin/ccache"), Found{"a.c>a.o"});
}

TEST(CompilerCommand, FileNamesACompilerIfArgvDoesNot) {
  std::vector<std::string_view> argv{"wrapped", "-c", "a.c"};
  EXPECT_EQ(parse_compiler_command("/opt/bin/gcc", argv)->arguments.front(), "/opt/bin/gcc");
}

}  // namespace
}  // namespace bpftrap
