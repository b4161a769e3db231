#include "signatures/last_label.h"

#include <libpsl.h>

#include <algorithm>

#include "parsers/base/hash.h"

namespace vedette {
namespace {

// RFC 6761, 6762, 7686, 9476, ICANN's `internal`, and what RFC 6762 appendix G saw in use.
constexpr std::array<std::string_view, 14> kSpecialUse = {"alt",       "corp",     "example", "home", "i2p",
                                                          "internal",  "intranet", "invalid", "lan",  "local",
                                                          "localhost", "onion",    "private", "test"};

// Endings that are top-level domains too (com, zip, sh, py, app …) are found as such before.
constexpr std::array<std::string_view, 220> kFileEndings = {
    "accdb",   "ace",   "action", "apk",   "appx", "arj",  "asc",    "ashx",   "asmx", "asp",  "aspx",  "avi",
    "axd",     "bak",   "bat",    "bin",   "bmp",  "bz",   "bz2",    "cab",    "cer",  "cfg",  "cfm",   "cgi",
    "chm",     "class", "cmd",    "conf",  "cpl",  "crt",  "crx",    "csproj", "css",  "csv",  "dat",   "db",
    "deb",     "dex",   "dll",    "dmg",   "dmp",  "doc",  "docb",   "docm",   "docx", "dot",  "dotm",  "dotx",
    "drv",     "dwg",   "dxf",    "dylib", "efi",  "egg",  "elf",    "eml",    "eps",  "etl",  "evtx",  "exe",
    "flac",    "flv",   "gem",    "gif",   "gz",   "gzip", "h",      "hlp",    "hta",  "htm",  "html",  "hwp",
    "ico",     "ics",   "img",    "inf",   "ini",  "ipa",  "iqy",    "iso",    "jar",  "jpeg", "jpg",   "js",
    "jse",     "json",  "jsp",    "jspa",  "jspx", "key",  "ko",     "lnk",    "log",  "lst",  "lua",   "lz",
    "lzh",     "lzma",  "m4a",    "md5",   "mdb",  "mht",  "mhtml",  "mkv",    "mp3",  "mp4",  "mpeg",  "mpg",
    "msg",     "msi",   "msix",   "msp",   "mui",  "nfo",  "nupkg",  "ocx",    "odg",  "odp",  "ods",   "odt",
    "ogg",     "old",   "ova",    "ovpn",  "oxps", "p12",  "pcap",   "pdb",    "pdf",  "pem",  "pfx",   "php",
    "php3",    "php5",  "php7",   "phtml", "pif",  "png",  "pot",    "potm",   "potx", "ppa",  "ppam",  "pps",
    "ppsx",    "ppt",   "pptm",   "pptx",  "prg",  "ps1",  "psd",    "psd1",   "psm1", "pyc",  "pyd",   "rar",
    "reg",     "rpm",   "rtf",    "scr",   "sct",  "sha1", "sha256", "shtml",  "sig",  "sln",  "so",    "sql",
    "sqlite",  "svg",   "swf",    "sys",   "tar",  "tbz",  "tbz2",   "tgz",    "tif",  "tiff", "tmp",   "toml",
    "torrent", "ttf",   "txt",    "url",   "vba",  "vbe",  "vbproj", "vbs",    "vcf",  "vdi",  "vhd",   "vhdx",
    "vmdk",    "war",   "wav",    "webm",  "webp", "whl",  "wim",    "wma",    "wmv",  "woff", "woff2", "wsf",
    "xhtml",   "xla",   "xlam",   "xll",   "xls",  "xlsb", "xlsm",   "xlsx",   "xltm", "xltx", "xml",   "xps",
    "xz",      "yaml",  "yml",    "zst"};

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
