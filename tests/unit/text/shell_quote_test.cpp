// SPDX-License-Identifier: GPL-2.0-only
// Shell quoting in core/text/text.h: its output, and how real shells read it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/text/text.h"

namespace bpftrap {
namespace {

using Words = std::vector<std::string>;

std::string shell_word(std::string_view arg, WordPlace place = WordPlace::argument) {
  std::string out;
  append_shell_quoted(out, arg, place);
  return out;
}

std::string command_line(std::string_view args, bool truncated = false) {
  std::string out;
  append_command_line(out, args, truncated);
  return out;
}

std::string nul_separated(const Words& words) {
  std::string joined;
  for (const auto& word : words) {
    joined += word;
    joined += '\0';
  }
  return joined;
}

struct ClosePipe {
  void operator()(std::FILE* pipe) const { pclose(pipe); }
};

// The output of `command SCRIPTFILE`, with `script` as the file's content.
std::string output_of(const std::string& command, const std::string& script) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("bpftrap-shell-test." + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary) << script;
  std::string out;
  {
    const std::unique_ptr<std::FILE, ClosePipe> pipe(
        popen((command + " " + path + " 2>&1").c_str(), "r"));
    std::string buffer(65536, '\0');
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
      out.append(buffer, 0, size);
    }
  }
  std::filesystem::remove(path);
  return out;
}

bool have(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// Quotes the words and returns those that a shell reads from them.
std::string read_back(const std::string& shell, const Words& words) {
  std::string script = "printf '%s\\0'";
  for (const auto& word : words) {
    script += ' ';
    script += shell_word(word);
  }
  return output_of(shell, script + "\n");
}

TEST(ShellQuoted, KnownWords) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "''"},
      {"ls", "ls"},
      {"/usr/bin/g++-12", "/usr/bin/g++-12"},
      {"--opt=a,b:c@d%e_f.g", "--opt=a,b:c@d%e_f.g"},
      {"A=b", "A=b"},
      {"=ls", "'=ls'"},
      {"~", "'~'"},
      {"~root/x", "'~root/x'"},
      {"a=~", "'a=~'"},
      {"#x", "'#x'"},
      {"!x", "'!x'"},
      {"a b", "'a b'"},
      {"it's", "'it'\\''s'"},
      {"'", "''\\'''"},
      {"$HOME `id` $(id)", "'$HOME `id` $(id)'"},
      {"a\\b", "'a\\b'"},
      {"*.[ch]", "'*.[ch]'"},
      {"{a,b}", "'{a,b}'"},
      {"^a^b", "'^a^b'"},
      {"a;b&c|d<e>f(g)\"", "'a;b&c|d<e>f(g)\"'"},
      {"caf\xC3\xA9", "'caf\xC3\xA9'"},
      {"a\nb", "$'a\\nb'"},
      {"\t\r\x1b\x7f", "$'\\t\\r\\x1b\\x7f'"},
      {"it's a \\\n", "$'it\\'s a \\\\\\n'"},
      {"a\n!!", "$'a\\n\\x21\\x21'"},
      {"\xFF"
       "beef",
       "$'\\xffbeef'"},
      {"caf\xC3\xA9\n", "$'caf\xC3\xA9\\n'"},
      {"\xE2\x80\xAEtxt", "$'\\xe2\\x80\\xaetxt'"},
      {"\xC2\x9B", "$'\\xc2\\x9b'"},
  };
  for (const auto& [word, expected] : cases) {
    EXPECT_EQ(shell_word(word), expected) << testing::PrintToString(word);
  }
}

TEST(ShellQuoted, FirstWordOfACommand) {
  EXPECT_EQ(shell_word("make", WordPlace::command), "make");
  EXPECT_EQ(shell_word("/usr/bin/time", WordPlace::command), "/usr/bin/time");
  EXPECT_EQ(shell_word("time", WordPlace::command), "'time'");
  EXPECT_EQ(shell_word("time"), "time");
  EXPECT_EQ(shell_word("if", WordPlace::command), "'if'");
  EXPECT_EQ(shell_word("A=b", WordPlace::command), "'A=b'");
  EXPECT_EQ(shell_word("[", WordPlace::command), "'['");
}

Words every_single_byte() {
  Words words;
  for (int byte = 1; byte < 256; ++byte) {
    words.emplace_back(1, static_cast<char>(byte));
    words.push_back("a" + words.back() + "0");
    words.push_back(words[words.size() - 2] + "f");
  }
  return words;
}

Words random_words(std::uint64_t seed, bool printable) {
  std::mt19937_64 random(seed);
  Words words;
  for (int i = 0; i < 3000; ++i) {
    std::string word;
    const auto size = random() % 20;
    while (word.size() < size) {
      const auto byte = printable ? 0x20 + random() % 0x5F : 1 + random() % 255;
      word += static_cast<char>(byte);
    }
    words.push_back(word);
  }
  return words;
}

TEST(ShellQuoted, BashReadsTheVeryBytes) {
  if (!have("bash")) {
    GTEST_SKIP() << "no bash";
  }
  for (const std::string locale : {"C", "C.UTF-8"}) {
    const auto bash = "LC_ALL=" + locale + " bash";
    for (const auto& words : {every_single_byte(), random_words(4, false), random_words(5, true)}) {
      ASSERT_TRUE(read_back(bash, words) == nul_separated(words)) << locale;
    }
  }
}

// History expansion works on single lines, before the shell handles quotes.
TEST(ShellQuoted, BashExpandsNoHistory) {
  if (!have("bash")) {
    GTEST_SKIP() << "no bash";
  }
  const Words words{"!!", "a!b", "a\n!!", "!!\x1b!-1", "it's\t!x", "!"};
  std::string script = "set -o history\nset -H\n: one\nprintf '%s\\0'";
  for (const auto& word : words) {
    script += ' ';
    script += shell_word(word);
  }
  EXPECT_EQ(output_of("bash", script + "\n"), nul_separated(words));
}

TEST(ShellQuoted, ShReadsTheVeryBytesOfPrintableWords) {
  const auto words = random_words(6, true);
  ASSERT_TRUE(read_back("sh", words) == nul_separated(words));
}

TEST(CommandLine, JoinsArguments) {
  using std::string_literals::operator""s;
  EXPECT_EQ(command_line(""), "");
  EXPECT_EQ(command_line("ls\0"s), "ls");
  EXPECT_EQ(command_line("ls\0-l\0/a b\0"s), "ls -l '/a b'");
  EXPECT_EQ(command_line("ls\0-l"s), "ls -l");
  EXPECT_EQ(command_line("echo\0\0\0x\0\0"s), "echo '' '' x ''");
  EXPECT_EQ(command_line("\0"s), "''");
  EXPECT_EQ(command_line("\0A=b\0"s), "'' A=b");
  EXPECT_EQ(command_line("A=b\0A=b\0"s), "'A=b' A=b");
  EXPECT_EQ(command_line("time\0time\0"s), "'time' time");
  EXPECT_EQ(command_line("sh\0-c\0echo 'a'\necho b\0"s), "sh -c $'echo \\'a\\'\\necho b'");
}

TEST(CommandLine, SaysThatItWasCut) {
  using std::string_literals::operator""s;
  EXPECT_EQ(command_line("ls\0-l\0/hom"s, true), "ls -l /hom …");
  EXPECT_EQ(command_line("ls\0-l\0"s, true), "ls -l …");
  EXPECT_EQ(command_line("ls\0\0"s, true), "ls '' …");
  EXPECT_EQ(command_line("", true), "…");
  // The cut is inside a character, so its remaining bytes are not shown.
  EXPECT_EQ(command_line("a\0\xE6\x97\xA5\xE6\x97"s, true), "a '\xE6\x97\xA5' …");
  EXPECT_EQ(command_line("a\0\xE6\x97\xA5\xE6"s, true), "a '\xE6\x97\xA5' …");
  EXPECT_EQ(command_line("a\0x\xF0\x9F\x90"s, true), "a x …");
  EXPECT_EQ(command_line("a\0\xE6\x97\xA5"s, true), "a '\xE6\x97\xA5' …");
  EXPECT_EQ(command_line("a\0\xC3\xA9"s, true), "a '\xC3\xA9' …");
  EXPECT_EQ(command_line("a\0b\x80"s, true), "a $'b\\x80' …");
  // These bytes end with a NUL, so they are the process's own and were not cut.
  EXPECT_EQ(command_line("a\0\xE6\x97\0"s, true), "a $'\\xe6\\x97' …");
  EXPECT_EQ(command_line("a\0\xE6\x97"s, false), "a $'\\xe6\\x97'");
}

TEST(CommandLine, AppendsToWhatIsThere) {
  using std::string_literals::operator""s;
  std::string out = "kept ";
  append_command_line(out, "ls\0-l\0"s, false);
  EXPECT_EQ(out, "kept ls -l");
}

// bash takes the first word for the name of a command, and the rest for its arguments, whatever
// these words are.
TEST(CommandLine, BashRunsIt) {
  if (!have("bash")) {
    GTEST_SKIP() << "no bash";
  }
  for (const std::string first :
       {"if",    "then",  "else", "elif", "fi",       "do",     "done",   "case",   "esac",
        "while", "until", "for",  "in",   "function", "select", "time",   "coproc", "{",
        "}",     "!",     "[[",   "]]",   "A=b",      "A+=b",   "A[1]=b", "",       "#a",
        "a b",   "-x",    "a\nb", "~",    "*",        "(",      "\xFF"}) {
    const Words words{first, "A=b", "if", "", "a'b", "\n", "}"};
    const std::string script =
        "PATH=/nonexistent\n"
        "command_not_found_handle() { printf '%s\\0' \"$@\"; }\n" +
        command_line(nul_separated(words)) + "\n";
    EXPECT_EQ(output_of("bash", script), nul_separated(words)) << testing::PrintToString(first);
  }
}

}  // namespace
}  // namespace bpftrap
