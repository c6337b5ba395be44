// SPDX-License-Identifier: GPL-2.0-only
#include "core/export/compiler_command.h"

#include <algorithm>
#include <array>

#include "core/text/paths.h"

namespace bpftrap {

namespace {

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& all, std::string_view text) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

bool is_launcher(std::string_view name) {
  static constexpr std::array<std::string_view, 3> launchers{"ccache", "distcc", "sccache"};
  return is_one_of(launchers, name);
}

// Options whose value is the next word. With a joined value they are words like any other.
bool takes_next_word(std::string_view option) {
  static constexpr std::array<std::string_view, 55> options{"-A",
                                                            "-B",
                                                            "-D",
                                                            "-F",
                                                            "-I",
                                                            "-L",
                                                            "-MF",
                                                            "-MJ",
                                                            "-MQ",
                                                            "-MT",
                                                            "-R",
                                                            "-T",
                                                            "-U",
                                                            "-Xanalyzer",
                                                            "-Xassembler",
                                                            "-Xclang",
                                                            "-Xlinker",
                                                            "-Xopenmp-target",
                                                            "-Xpreprocessor",
                                                            "-arch",
                                                            "-aux-info",
                                                            "-dumpbase",
                                                            "-dumpbase-ext",
                                                            "-dumpdir",
                                                            "-e",
                                                            "-framework",
                                                            "-gcc-toolchain",
                                                            "-idirafter",
                                                            "-iframework",
                                                            "-imacros",
                                                            "-imultilib",
                                                            "-include",
                                                            "-include-pch",
                                                            "-iprefix",
                                                            "-iquote",
                                                            "-isysroot",
                                                            "-isystem",
                                                            "-ivfsoverlay",
                                                            "-iwithprefix",
                                                            "-iwithprefixbefore",
                                                            "-iwithsysroot",
                                                            "-l",
                                                            "-mllvm",
                                                            "-resource-dir",
                                                            "-specs",
                                                            "-stdlib++-isystem",
                                                            "-target",
                                                            "-u",
                                                            "-working-directory",
                                                            "-wrapper",
                                                            "-z",
                                                            "--include",
                                                            "--param",
                                                            "--serialize-diagnostics",
                                                            "--sysroot"};
  return is_one_of(options, option);
}

bool is_source(std::string_view path) {
  static constexpr std::array<std::string_view, 31> suffixes{
      "c",   "i",   "ii",  "m",   "mi",   "mm",  "mii", "M",  "cc", "cp", "cxx",
      "cpp", "CPP", "c++", "C",   "cppm", "ixx", "h",   "hh", "H",  "hp", "hxx",
      "hpp", "HPP", "h++", "tcc", "s",    "S",   "sx",  "cu", "CC"};
  std::string_view name = base_name(path);
  std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos && is_one_of(suffixes, name.substr(dot + 1));
}

// These make the command do something else than to compile.
bool prevents_compiling(std::string_view option) {
  static constexpr std::array<std::string_view, 4> options{"-E", "-M", "-MM", "-###"};
  return is_one_of(options, option);
}

// `12`, `14.0.6`
bool is_version(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Reads the words behind the compiler's name.
class Words {
 public:
  explicit Words(CompilerCommand& command) : command_(command) {}

  void read() {
    const std::vector<std::string_view>& words = command_.arguments;
    bool links = true;
    for (at_ = 1; at_ < words.size(); ++at_) {
      std::string_view word = words[at_];
      if (word == "-c" || word == "-S") {
        links = false;
        command_.suffix = word == "-c" ? ".o" : ".s";
      } else if (word == "-fsyntax-only") {
        links = false;
      } else if (prevents_compiling(word)) {
        compiles_ = false;
      } else {
        read_other(word);
      }
    }
    if (links) {
      command_.suffix = {};
    }
    if (!compiles_) {
      command_.sources.clear();
    }
  }

 private:
  void read_other(std::string_view word) {
    if (!word.starts_with('-')) {
      if (!word.starts_with('@') && (language_ || is_source(word))) {
        command_.sources.push_back(at_);
      }
    } else if (word.starts_with("-x") || word == "--language") {
      std::string_view language = word.size() > 2 && word[1] == 'x' ? word.substr(2) : next();
      language_ = language != "none";
    } else if (word == "-o" || word == "--output") {
      command_.output = next();
    } else if (word.starts_with("-o")) {
      command_.output = word.substr(2);
    } else if (takes_next_word(word)) {
      next();
    }
  }

  std::string_view next() {
    return ++at_ < command_.arguments.size() ? command_.arguments[at_] : std::string_view();
  }

  CompilerCommand& command_;
  std::size_t at_ = 0;
  bool language_ = false;  // -x says what all files are
  bool compiles_ = true;
};

}  // namespace

bool is_compiler_name(std::string_view name) {
  static constexpr std::array<std::string_view, 8> names{"gcc", "g++", "cc",    "c++",
                                                         "c89", "c99", "clang", "clang++"};
  std::size_t dash = name.rfind('-');
  if (dash != std::string_view::npos && is_version(name.substr(dash + 1))) {
    name = name.substr(0, dash);
  }
  if (is_one_of(names, name)) {
    return true;
  }
  // `clang14`, as some systems name it. But cc1 is a part of gcc.
  static constexpr std::array<std::string_view, 4> numbered{"gcc", "g++", "clang", "clang++"};
  std::string_view plain = name.substr(0, name.find_last_not_of("0123456789.") + 1);
  bool has_number = plain.size() < name.size();
  dash = plain.rfind('-');
  std::string_view last = dash == std::string_view::npos ? plain : plain.substr(dash + 1);
  return (has_number ? is_one_of(numbered, last) : is_one_of(names, last)) && dash != 0;
}

std::optional<CompilerCommand> parse_compiler_command(std::string_view file,
                                                      std::span<const std::string_view> argv) {
  if (argv.empty()) {
    return std::nullopt;
  }
  while (!argv.empty() && is_launcher(base_name(argv.front()))) {
    argv = argv.subspan(1);
    // ccache takes settings before the compiler.
    while (!argv.empty() && !argv.front().starts_with('-') &&
           argv.front().find('=') != std::string_view::npos) {
      argv = argv.subspan(1);
    }
  }
  if (argv.empty()) {
    return std::nullopt;
  }
  CompilerCommand command;
  command.arguments.assign(argv.begin(), argv.end());
  if (!is_compiler_name(base_name(argv.front()))) {
    if (!is_compiler_name(base_name(file))) {
      return std::nullopt;
    }
    command.arguments.front() = file;
  }
  if (argv.size() > 1 && argv[1].starts_with("-cc1")) {
    return std::nullopt;
  }
  Words(command).read();
  return command;
}

std::optional<std::string> CompilerCommand::output_of(std::size_t source) const {
  if (output) {
    return std::string(*output);
  }
  if (suffix.empty()) {
    return std::nullopt;
  }
  std::string_view name = base_name(arguments[source]);
  return std::string(name.substr(0, name.rfind('.'))).append(suffix);
}

}  // namespace bpftrap
