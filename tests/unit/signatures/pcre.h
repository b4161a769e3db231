// PCRE2 as the judge of what a regular expression means: slow, and written by others.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <gtest/gtest.h>
#include <pcre2.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

class Pcre {
 public:
  explicit Pcre(const std::string& expression, bool caseless = false) {
    const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
        pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE where = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                              caseless ? PCRE2_CASELESS : 0, &error, &where, context.get()));
    if (code_ == nullptr) ADD_FAILURE() << expression << ": PCRE2 does not take it at " << where;
    data_.reset(pcre2_match_data_create(1, nullptr));
  }

  bool IsIn(std::string_view text) const { return Match(text, 0); }
  bool Is(std::string_view text) const { return Match(text, PCRE2_ANCHORED | PCRE2_ENDANCHORED); }

  struct Found {
    size_t end, length;
    friend bool operator==(const Found&, const Found&) = default;
  };
  // The match that ends first, and of those that end there the longest; of at most `width` bytes.
  std::optional<Found> FirstIn(std::string_view text, size_t width) const {
    for (size_t end = 1; end <= text.size(); ++end) {
      for (size_t length = std::min(end, width); length > 0; --length) {
        if (Is(text.substr(end - length, length))) return Found{end, length};
      }
    }
    return std::nullopt;
  }

 private:
  bool Match(std::string_view text, uint32_t options) const {
    // Its other matcher tries one way after the other, and some of the tests' expressions have too many of them.
    const int result = pcre2_dfa_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0,
                                       options | ((options & PCRE2_ENDANCHORED) != 0 ? 0u : PCRE2_DFA_SHORTEST),
                                       data_.get(), nullptr, work_.data(), work_.size());
    EXPECT_TRUE(result >= 0 || result == PCRE2_ERROR_NOMATCH) << result;
    return result >= 0;
  }

  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> data_;
  mutable std::vector<int> work_ = std::vector<int>(20'000);
};

}  // namespace vedette
