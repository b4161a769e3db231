#include "parsers/base/text.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(Text, ForTerminalLeavesNothingThatATerminalObeys) {
  EXPECT_EQ(ForTerminal("plain text, déjà vu … \xf0\x9f\x98\x80"), "plain text, déjà vu … \xf0\x9f\x98\x80");
  EXPECT_EQ(ForTerminal("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(ForTerminal("a\r\nb\tc\x7f"), "a\\x0d\\nb\\tc\\x7f");
  EXPECT_EQ(ForTerminal("\xc2\x9b 2J"), "\\xc2\\x9b 2J");   // U+009B begins a sequence as ESC [ does
  EXPECT_EQ(ForTerminal("\xc2\xa0\xc2"), "\xc2\xa0\\xc2");  // U+00A0 does not; half of one is no UTF-8
  EXPECT_EQ(ForTerminal("fdp.\xe2\x80\xaegpj"), "fdp.\\xe2\\x80\\xaegpj");
  EXPECT_EQ(ForTerminal("\xd8\x9c\xe2\x81\xa9\xe2\x80\x8e"), "\\xd8\\x9c\\xe2\\x81\\xa9\\xe2\\x80\\x8e");
  // What was escaped before stays as it is.
  const std::string hostile = "\\d+ \x1b \xff\n";
  EXPECT_EQ(ForTerminal(ForTerminal(hostile)), ForTerminal(hostile));
  EXPECT_EQ(ForTerminal(Escaped(hostile)), Escaped(hostile));
}

}  // namespace
}  // namespace vedette
