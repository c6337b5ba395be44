// SPDX-License-Identifier: GPL-2.0-only
// Runs during the build and is not part of bpftrap. Makes the page of the timeline one file without
// network: modules become one deflated script, and a Content-Security-Policy allows only that
// script and style, by their hashes. Writes the page as C++ for timeline_page.cpp, and as an HTML
// file whose element `data` is empty, for tests.
//
//     embed_page DIRECTORY PAGE.inc PAGE.html
//
// A module has its imports and exports at the beginning of lines, and exports only functions,
// classes and constants. No template literal spans lines, because indentation and comments are
// dropped.
#include <fcntl.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "embed_page: %s\n", message.c_str());
  std::exit(1);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fail("cannot read " + path);
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) {
    fail("cannot write " + path);
  }
}

// FIPS 180-4.
class Sha256 {
 public:
  static std::string of(std::string message) {
    Sha256 hash;
    std::uint64_t bits = message.size() * 8;
    message += '\x80';
    message.append((120 - message.size() % 64) % 64, '\0');
    for (int shift = 56; shift >= 0; shift -= 8) {
      message += static_cast<char>(bits >> shift);
    }
    for (std::size_t at = 0; at < message.size(); at += 64) {
      hash.add_block(message.data() + at);
    }
    std::string digest;
    for (std::uint32_t word : hash.state_) {
      for (int shift = 24; shift >= 0; shift -= 8) {
        digest += static_cast<char>(word >> shift);
      }
    }
    return digest;
  }

 private:
  static std::uint32_t rotate(std::uint32_t x, int n) { return x >> n | x << (32 - n); }

  void add_block(const char* block) {
    std::array<std::uint32_t, 64> w{};
    for (std::size_t i = 0; i < 64; ++i) {
      w[i] = static_cast<std::uint8_t>(block[i]);
    }
    std::array<std::uint32_t, 64> words{};
    for (std::size_t i = 0; i < 16; ++i) {
      words[i] = w[4 * i] << 24 | w[4 * i + 1] << 16 | w[4 * i + 2] << 8 | w[4 * i + 3];
    }
    for (std::size_t i = 16; i < 64; ++i) {
      std::uint32_t a = words[i - 15];
      std::uint32_t b = words[i - 2];
      words[i] = words[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + words[i - 7] +
                 (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t i = 0; i < 64; ++i) {
      std::uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
                         constants[i] + words[i];
      std::uint32_t t2 =
          (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    std::array<std::uint32_t, 8> add{a, b, c, d, e, f, g, h};
    std::transform(add.begin(), add.end(), state_.begin(), state_.begin(), std::plus<>());
  }

  static constexpr std::array<std::uint32_t, 64> constants{
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
      0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
      0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
      0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
      0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
      0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
      0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
      0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
      0xc67178f2};

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
};

std::string base64(const std::string& bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    }
    for (int shift = 18; shift >= 0; shift -= 6) {
      out += digits[group >> shift & 63];
    }
  }
  std::size_t missing = (3 - bytes.size() % 3) % 3;
  return out.replace(out.size() - missing, missing, missing, '=');
}

// A raw stream, as Inflater reads it.
std::string deflate(std::string bytes) {
  z_stream stream{};
  if (::deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    fail("cannot prepare compression");
  }
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) {
    fail("cannot compress");
  }
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

// Drops indentation, empty lines, and lines that are comments.
std::string strip(const std::string& source, const std::string& name) {
  std::string out;
  std::istringstream lines(source);
  for (std::string line; std::getline(lines, line);) {
    if (std::count(line.begin(), line.end(), '`') % 2 != 0) {
      fail(name + ": a template literal spans lines: " + line);
    }
    std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line.compare(begin, 2, "//") == 0) {
      continue;
    }
    out += line.substr(begin) + '\n';
  }
  return out;
}

class Bundle {
 public:
  explicit Bundle(std::string directory) : directory_(std::move(directory)) {}

  // Adds a module after those that it imports. Each but the last one is a function that returns
  // its exports, so that the names of modules do not clash.
  void add(const std::string& name, bool is_last) {
    if (!added_.insert(name).second) {
      return;
    }
    std::string source = read_file(directory_ + "/" + name);
    static const std::regex import(R"((^|\n)import \{([^}]*)\} from '\./(\w+)\.js';)");
    for (std::sregex_iterator at(source.begin(), source.end(), import), end; at != end; ++at) {
      add((*at)[3].str() + ".js", false);
    }
    std::string code = std::regex_replace(source, import, "$1const {$2} = module_$3;");
    static const std::regex exported(R"((^|\n)export ((?:async )?(?:function|class|const) (\w+)))");
    std::string names;
    for (std::sregex_iterator at(code.begin(), code.end(), exported), end; at != end; ++at) {
      names += (names.empty() ? "" : ", ") + (*at)[3].str();
    }
    code = strip(std::regex_replace(code, exported, "$1$2"), name);
    static const std::regex other("(^|\n)(import|export)[^\n]*");
    if (std::smatch found; std::regex_search(code, found, other)) {
      fail(name + ": not understood:" + found.str());
    }
    std::string module = name.substr(0, name.rfind('.'));
    text_ += is_last ? code
                     : "const module_" + module + " = (() => {\n" + code + "return { " + names +
                           " };\n})();\n";
  }

  const std::string& text() const { return text_; }

 private:
  std::string directory_;
  std::set<std::string> added_;
  std::string text_;
};

// Replaces a text that must occur once.
void replace_once(std::string& page, const std::string& from, const std::string& to) {
  std::size_t at = page.find(from);
  if (at == std::string::npos || page.find(from, at + 1) != std::string::npos) {
    fail("index.html must have this once: " + from);
  }
  page.replace(at, from.size(), to);
}

std::string source_of(const std::string& content) {
  return "'sha256-" + base64(Sha256::of(content)) + "'";
}

std::string assemble(const std::string& directory) {
  Bundle bundle(directory);
  bundle.add("main.js", true);
  std::string boot = strip(read_file(directory + "/boot.js"), "boot.js");
  static const std::regex css_comment(R"(/\*[^*]*\*/)");
  std::string css =
      strip(std::regex_replace(read_file(directory + "/style.css"), css_comment, ""), "style.css");
  std::string policy = "default-src 'none'; script-src " + source_of(boot) + " " +
                       source_of(bundle.text()) + "; style-src " + source_of(css) +
                       "; base-uri 'none'; form-action 'none'";
  std::string page = strip(read_file(directory + "/index.html"), "index.html");
  static const std::regex html_comment("<!--[^>]*-->\n?");
  page = std::regex_replace(page, html_comment, "");
  replace_once(page, "<meta charset=\"utf-8\">",
               "<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"" +
                   policy + "\">");
  replace_once(page, "<link rel=\"stylesheet\" href=\"style.css\">", "<style>" + css + "</style>");
  replace_once(page, "<script type=\"module\" src=\"main.js\"></script>",
               "<script id=\"code\" type=\"application/octet-stream\">" +
                   base64(deflate(bundle.text())) + "</script>\n<script>" + boot + "</script>");
  return page;
}

// A constant with deflated bytes, and its size when inflated.
std::string as_constant(const std::string& name, const std::string& content) {
  std::string bytes = deflate(content);
  std::string out = "constexpr std::size_t " + name + "_size = " + std::to_string(content.size()) +
                    ";\nconstexpr unsigned char " + name + "[] = {";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out += i % 20 == 0 ? "\n" : "";
    out += std::to_string(static_cast<std::uint8_t>(bytes[i])) + ",";
  }
  return out + "};\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fail("usage: embed_page DIRECTORY PAGE.inc PAGE.html");
  }
  std::string page = assemble(argv[1]);
  const std::string data = "<script id=\"data\" type=\"application/octet-stream\">";
  std::size_t at = page.find(data);
  if (at == std::string::npos) {
    fail("index.html has no element for the data");
  }
  at += data.size();
  write_file(argv[2], as_constant("page_before_data", page.substr(0, at)) +
                          as_constant("page_after_data", page.substr(at)));
  write_file(argv[3], page);
  return 0;
}
