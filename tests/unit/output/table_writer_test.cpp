// SPDX-License-Identifier: GPL-2.0-only
#include "core/output/table_writer.h"

#include <gtest/gtest.h>

namespace bpftrap {
namespace {

TEST(TableWriter, PadsAllColumnsButTheLast) {
  std::string out = "before\n";
  TableWriter writer(out, {{"NAME", 6}, {"N", 4, Align::right}, {"TEXT", 9}}, {});
  writer.header();
  for (std::string_view text : {"é", "12", "x", "longer name", "12345", ""}) {
    writer.cell(text);
  }
  EXPECT_EQ(out,
            "before\n"
            "NAME      N TEXT\n"
            "é        12 x\n"
            "longer name 12345 \n");
}

TEST(TableWriter, ColoursTheTextOfACellOnly) {
  std::string out;
  TableWriter writer(out, {{"A", 4}, {"B", 4, Align::right}}, {true, 2, false});
  writer.cell("x", Style::failure);
  writer.begin_cell(Style::success) += "yy";
  writer.end_cell();
  writer.cell("plain");
  writer.cell("");
  EXPECT_EQ(out,
            "\x1b[31mx\x1b[0m       \x1b[32myy\x1b[0m\n"
            "plain      \n");
}

TEST(TableWriter, HasNoColourUnlessAsked) {
  std::string out;
  TableWriter writer(out, {{}}, {});
  writer.cell("x", Style::failure);
  EXPECT_EQ(out, "x\n");
}

std::string limited(std::size_t columns, std::string_view first, std::string_view last,
                    Style style = Style::plain) {
  std::string out;
  TableWriter writer(out, {{"A", 4}, {"B", 4}}, {.color = style != Style::plain});
  writer.limit_rows(columns);
  writer.cell(first);
  writer.cell(last, style);
  return out;
}

TEST(TableWriter, CutsRowsAtTheLimit) {
  EXPECT_EQ(limited(10, "abcd", "efghi"), "abcd efghi\n");
  EXPECT_EQ(limited(10, "abcd", "efghij"), "abcd efgh…\n");
  EXPECT_EQ(limited(3, "abcd", "efghij"), "ab…\n");
  EXPECT_EQ(limited(1, "abcd", "efghij"), "…\n");
  EXPECT_EQ(limited(0, "abcd", "efghij"), "abcd efghij\n");
}

TEST(TableWriter, CutsBetweenCharacters) {
  EXPECT_EQ(limited(8, "日本", "日本"), "日本 日…\n") << "a wide character would not fit";
  EXPECT_EQ(limited(9, "é", "ééééé"), "é    ééé…\n");
}

TEST(TableWriter, CutsBehindAStyle) {
  EXPECT_EQ(limited(8, "abcd", "efghij", Style::failure), "abcd \x1b[31mef\x1b[0m…\n");
  EXPECT_EQ(limited(4, "abcd", "efghij", Style::failure), "abc…\n");
  EXPECT_EQ(limited(11, "abcd", "efghij", Style::failure), "abcd \x1b[31mefghij\x1b[0m\n");
}

TEST(MeasuredTable, ColumnsAreAsWideAsTheirWidestCell) {
  MeasuredTable table({{"A", 1}, {"B", 2, Align::right}});
  table.cell("x");
  table.cell("1");
  table.cell("日本");
  table.cell("100", Style::warning);
  std::string out;
  table.write(out, {.ragged = false});
  EXPECT_EQ(out,
            "A      B\n"
            "x      1\n"
            "日本 100\n");
}

TEST(MeasuredTable, ColumnsAreAsWideAsTheirHeader) {
  MeasuredTable table({{"STARTED BY"}, {"N"}});
  table.cell("-");
  table.cell("1");
  std::string out;
  table.write(out, {});
  EXPECT_EQ(out,
            "STARTED BY N\n"
            "-          1\n");
}

TEST(MeasuredTable, HasNoHeaderWithoutNames) {
  MeasuredTable table({{}, {}});
  table.cell("a");
  table.cell("b");
  std::string out;
  table.write(out, {.gap = 2});
  EXPECT_EQ(out, "a  b\n");
}

}  // namespace
}  // namespace bpftrap
