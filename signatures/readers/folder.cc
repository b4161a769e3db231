#include "signatures/readers/folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "parsers/base/text.h"

namespace vedette {
namespace {

namespace fs = std::filesystem;

struct Other {
  std::string_view name, kind;
};

// In lower case, without what follows a dot.
constexpr std::array<Other, 17> kNames = {{{"license", "a licence"},
                                           {"licence", "a licence"},
                                           {"copying", "a licence"},
                                           {"copyright", "a licence"},
                                           {"unlicense", "a licence"},
                                           {"notice", "a licence"},
                                           {"readme", "a readme"},
                                           {"changelog", "a list of changes"},
                                           {"changes", "a list of changes"},
                                           {"authors", "a list of authors"},
                                           {"contributors", "a list of authors"},
                                           {"contributing", "a readme"},
                                           {"code_of_conduct", "a readme"},
                                           {"codeowners", "a list of authors"},
                                           {"makefile", "a script"},
                                           {"dockerfile", "a script"},
                                           {"requirements", "a script's list of packages"}}};

constexpr std::array<Other, 33> kEndings = {
    {{"py", "a script"},     {"pyc", "a script"},    {"sh", "a script"},    {"bash", "a script"},
     {"pl", "a script"},     {"pm", "a script"},     {"rb", "a script"},    {"js", "a script"},
     {"ts", "a script"},     {"lua", "a script"},    {"go", "a script"},    {"rs", "a script"},
     {"c", "a script"},      {"cc", "a script"},     {"cpp", "a script"},   {"h", "a script"},
     {"java", "a script"},   {"ps1", "a script"},    {"bat", "a script"},   {"cmd", "a script"},
     {"awk", "a script"},    {"sed", "a script"},    {"php", "a script"},   {"md", "a document"},
     {"rst", "a document"},  {"html", "a document"}, {"htm", "a document"}, {"pdf", "a document"},
     {"adoc", "a document"}, {"css", "a document"},  {"png", "a picture"},  {"jpg", "a picture"},
     {"svg", "a picture"}}};

// A name that is one of kNames may end so, or have no ending.
constexpr std::array<std::string_view, 7> kTextEndings = {"", "txt", "md", "rst", "html", "adoc", "in"};

template <size_t N>
std::string_view KindIn(const std::array<Other, N>& others, std::string_view name) {
  const auto* const at = std::find_if(others.begin(), others.end(), [&](const Other& one) { return one.name == name; });
  return at == others.end() ? std::string_view() : at->kind;
}

bool BeginsAsScript(const std::string& path) {
  char head[2] = {};
  return static_cast<bool>(std::ifstream(path, std::ios::binary).read(head, 2)) && head[0] == '#' && head[1] == '!';
}

class Lister {
 public:
  Lister(std::string root, IndicatorFolder& out) : root_(std::move(root)), out_(out) {}

  void List(const std::string& path, size_t depth) {
    std::error_code failure;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at(path, failure), end; !failure && at != end; at.increment(failure)) {
      const std::string name = at->path().filename().string();
      if (name.starts_with('.') || name.ends_with('~')) continue;
      if (++num_entries_ > kMaxFolderEntries) {
        out_.error = path + ": holds more than " + std::to_string(kMaxFolderEntries) + " files; name another folder";
        return;
      }
      entries.push_back(*at);
    }
    if (failure) {
      const std::string reason = "cannot be listed: " + failure.message();
      if (depth == 0) {
        out_.error = path + ": " + reason;
      } else {
        PassOver(path, reason, true);
      }
      return;
    }
    std::sort(entries.begin(), entries.end());
    for (const fs::directory_entry& entry : entries) {
      if (!out_.error.empty()) return;
      Take(entry, depth);
    }
  }

  size_t num_unnamed() const { return num_unnamed_; }

 private:
  void Take(const fs::directory_entry& entry, size_t depth) {
    std::error_code ignored;  // what is gone again is none
    const std::string path = entry.path().string();
    if (entry.is_directory(ignored)) {
      if (entry.is_symlink(ignored))
        return PassOver(path, "a link to a folder: name the folder itself", !LeadsInside(path));
      if (depth + 1 >= kMaxFolderDepth) return PassOver(path, "a folder nested too deeply: name it directly", true);
      return List(path, depth + 1);
    }
    // A link that leads nowhere, or to where we may not look, is a file that cannot be opened: that is said.
    if (entry.is_symlink(ignored) && !entry.exists(ignored)) return out_.files.push_back(path);
    if (!entry.is_regular_file(ignored)) return;
    std::string_view kind = KindOfOtherFile(entry.path().filename().string());
    if (kind.empty() && BeginsAsScript(path)) kind = "a script";
    if (kind.empty()) {
      out_.files.push_back(path);
    } else {
      PassOver(path, std::string(kind) + ", by its name or first line: name the file itself if it is a list");
    }
  }

  // Whether a link's folder is listed anyway.
  bool LeadsInside(const std::string& link) const {
    std::error_code failure;
    const fs::path target = fs::canonical(link, failure);
    const fs::path root = failure ? fs::path() : fs::canonical(root_, failure);
    return !failure && std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first == root.end();
  }

  void PassOver(std::string path, std::string reason, bool missed = false) {
    if (out_.passed_over.size() < kMaxPassedOver) {
      out_.passed_over.push_back({std::move(path), std::move(reason), missed});
    } else {
      ++num_unnamed_;
    }
  }

  const std::string root_;
  IndicatorFolder& out_;
  size_t num_entries_ = 0, num_unnamed_ = 0;
};

}  // namespace

std::string_view KindOfOtherFile(std::string_view name) {
  const std::string lowered = LowerAscii(name);
  const std::string_view text = lowered;
  const size_t dot = text.rfind('.');
  const std::string_view ending = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  if (std::find(kTextEndings.begin(), kTextEndings.end(), ending) != kTextEndings.end()) {
    if (const std::string_view kind = KindIn(kNames, text.substr(0, dot)); !kind.empty()) return kind;
  }
  return dot == 0 || dot == std::string_view::npos ? std::string_view() : KindIn(kEndings, ending);
}

IndicatorFolder ListIndicators(const std::string& path) {
  IndicatorFolder out;
  Lister lister(path, out);
  lister.List(path, 0);
  if (lister.num_unnamed() > 0)
    out.passed_over.push_back({path, "and " + std::to_string(lister.num_unnamed()) + " more files and folders"});
  if (out.files.empty() && out.error.empty()) {
    out.error = path +
                ": holds no file that may be a list; name a file, or a folder with files (not names that begin "
                "with . or end in ~, nor licences, readmes and scripts)";
  }
  if (!out.error.empty()) out.files.clear();
  return out;
}

std::vector<std::string> IndicatorFiles(const std::string& path, std::string& error) {
  std::error_code failure;
  if (!fs::is_directory(path, failure)) return {path};
  IndicatorFolder folder = ListIndicators(path);
  error = std::move(folder.error);
  return std::move(folder.files);
}

}  // namespace vedette
