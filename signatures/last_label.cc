#include "signatures/last_label.h"

#include <libpsl.h>

#include <algorithm>

#include "signatures/hash.h"

namespace vedette {
namespace {

// RFC 6761, 6762, 7686, 9476, ICANN's `internal`, and what RFC 6762 appendix G saw in use.
constexpr std::array<std::string_view, 14> kSpecialUse = {"alt",       "corp",     "example", "home", "i2p",
                                                          "internal",  "intranet", "invalid", "lan",  "local",
                                                          "localhost", "onion",    "private", "test"};

// Endings that are top-level domains too (com, zip, sh, py, app …) are found as such before.
constexpr std::array<std::string_view, 126> kFileEndings = {
    "accdb", "apk",   "asp",  "aspx", "avi",  "bak",  "bat",  "bin", "bmp",  "bz",   "cab",  "cer",     "cfg",   "cgi",
    "chm",   "class", "cmd",  "conf", "cpl",  "crt",  "crx",  "css", "csv",  "dat",  "db",   "deb",     "dex",   "dll",
    "dmg",   "doc",   "docm", "docx", "dot",  "dotm", "elf",  "eml", "eps",  "exe",  "flv",  "gif",     "gz",    "gzip",
    "hlp",   "hta",   "htm",  "html", "ico",  "img",  "inf",  "ini", "ipa",  "iqy",  "iso",  "jar",     "jpeg",  "jpg",
    "js",    "jse",   "json", "jsp",  "jspx", "lnk",  "log",  "lua", "lzh",  "mdb",  "mht",  "mhtml",   "mpeg",  "mpg",
    "msg",   "msi",   "msp",  "ocx",  "ods",  "odt",  "old",  "one", "pcap", "pdb",  "pdf",  "php",     "phtml", "pif",
    "png",   "pot",   "ppa",  "pps",  "ppt",  "pptm", "pptx", "prg", "psd",  "pub",  "rar",  "rpm",     "rtf",   "scr",
    "sct",   "so",    "sql",  "svg",  "swf",  "sys",  "tar",  "tgz", "tif",  "tiff", "tmp",  "torrent", "txt",   "url",
    "vba",   "vbe",   "vbs",  "vhd",  "vhdx", "war",  "wav",  "wsf", "xla",  "xls",  "xlsb", "xlsm",    "xlsx",  "xml"};

template <size_t N>
bool IsOneOf(const std::array<std::string_view, N>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

LastLabel KindOf(const std::string& label) {
  if (IsOneOf(kSpecialUse, label)) return LastLabel::kSpecialUse;
  if (!label.empty() && label.front() >= '0' && label.front() <= '9') return LastLabel::kNumber;
  if (psl_is_public_suffix2(psl_builtin(), label.c_str(), PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0)
    return LastLabel::kTopLevel;
  return IsOneOf(kFileEndings, label) ? LastLabel::kFileEnding : LastLabel::kUnknown;
}

}  // namespace

LastLabel LastLabels::Of(std::string_view host) {
  const std::string_view label = host.substr(host.rfind('.') + 1);  // npos + 1 is 0
  Entry& entry = entries_[FinishHash(HashText(label, 0)) % kEntries];
  if (entry.label != label || label.empty()) {
    entry.label = label;
    entry.kind = KindOf(entry.label);
  }
  return entry.kind;
}

}  // namespace vedette
