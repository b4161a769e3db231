#include "signatures/literal_database.h"

#include <hs.h>

#include <vector>

#include "parsers/text.h"

namespace vedette {

void LiteralScratch::Free::operator()(hs_scratch* scratch) const { hs_free_scratch(scratch); }
void LiteralDatabase::Free::operator()(hs_database* database) const { hs_free_database(database); }

std::unique_ptr<const LiteralDatabase> LiteralDatabase::Compile(std::span<const Literal> literals, std::string& error) {
  if (hs_valid_platform() != HS_SUCCESS) {
    error = "this machine's processor lacks SSSE3, which Hyperscan needs to search for contents";
    return nullptr;
  }
  // As \xhh, because hs_compile_lit_multi of 5.4.0 fails on literals that hold NULs.
  std::vector<std::string> escaped;
  std::vector<const char*> expressions;
  std::vector<unsigned> flags, ids;
  escaped.reserve(literals.size());
  for (const Literal& literal : literals) {
    std::string& expression = escaped.emplace_back();
    expression.reserve(literal.bytes.size() * 4);
    for (const char c : literal.bytes) expression.append("\\x").append(ToHex({&c, 1}));
    expressions.push_back(expression.c_str());
    flags.push_back(HS_FLAG_CASELESS | (literal.every ? 0 : HS_FLAG_SINGLEMATCH));
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* compile_error = nullptr;
  if (hs_compile_multi(expressions.data(), flags.data(), ids.data(), static_cast<unsigned>(expressions.size()),
                       HS_MODE_BLOCK, nullptr, &database, &compile_error) != HS_SUCCESS) {
    error = "Hyperscan could not compile the contents";
    if (compile_error != nullptr) {
      error.append(": ").append(compile_error->message);
      hs_free_compile_error(compile_error);
    }
    return nullptr;
  }
  std::unique_ptr<LiteralDatabase> out(new LiteralDatabase);
  out->database_.reset(database);
  if (hs_database_size(database, &out->memory_bytes_) != HS_SUCCESS) out->memory_bytes_ = 0;
  return out;
}

bool LiteralDatabase::PrepareScratch(LiteralScratch& scratch) const {
  hs_scratch_t* raw = scratch.scratch_.release();
  const bool prepared = hs_alloc_scratch(database_.get(), &raw) == HS_SUCCESS;
  if (prepared) scratch.scratch_.reset(raw);  // on failure Hyperscan has freed it
  return prepared;
}

bool LiteralDatabase::Scan(Bytes data, LiteralScratch& scratch, OnMatch on_match, void* context) const {
  return hs_scan(database_.get(), reinterpret_cast<const char*>(data.data()), static_cast<unsigned>(data.size()), 0,
                 scratch.scratch_.get(), on_match, context) == HS_SUCCESS;
}

}  // namespace vedette
