// A key of the configuration file: declared once, in the table of its section, with its type, its bounds,
// one line of help and whether a reload takes it. Its default is that of the member. The reader, the message about an
// unknown key, what a reload says of changes, deploy/vedette.example.yaml and vedette.yaml(5) come from the tables.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sensor/config/section.h"

namespace vedette {

// What people read of a key.
struct KeyText {
  std::string name;
  std::string type;                // what its value has to be: "a whole number from 64 to 262144"
  std::string standard;            // the default, as the file has it; empty: there is none
  std::string help;                // one sentence without its full stop; backquotes around keys and values
  std::string example = {};        // what the example file shows in place of the default
  bool in_use = false;             // in the example file it is not commented out
  bool at_reload = false;          // a reload takes it; all others hold from the next start on
  std::vector<KeyText> keys = {};  // of a section, or of each entry of a list
  bool is_list = false;            // `keys` are those of its entries
};

// `Values`: where a key's value is stored.
template <class Values>
struct Key {
  KeyText text;
  // Called whether the key is there or not.
  std::function<void(const Section&, Values&)> read;
  // Appends the paths of what differs: "capture: filter". `path`: that of this key.
  std::function<void(const Values& before, const Values& now, const std::string& path, std::vector<std::string>&)>
      compare;

  Key Example(std::string value) && {
    text.example = std::move(value);
    return std::move(*this);
  }
  Key InUse() && {
    text.in_use = true;
    return std::move(*this);
  }
  Key AtReload() && {
    text.at_reload = true;
    return std::move(*this);
  }
};

template <class Values>
using Keys = std::vector<Key<Values>>;

template <class Values>
std::vector<KeyText> TextsOf(const Keys<Values>& keys) {
  std::vector<KeyText> texts;
  for (const Key<Values>& key : keys) texts.push_back(key.text);
  return texts;
}

template <class Values>
std::vector<std::string> NamesOf(const Keys<Values>& keys) {
  std::vector<std::string> names;
  for (const Key<Values>& key : keys) names.push_back(key.text.name);
  return names;
}

template <class Values>
void ReadKeys(const Section& section, const Keys<Values>& keys, Values& values) {
  for (const Key<Values>& key : keys) key.read(section, values);
}

template <class Values>
void CompareKeys(const Keys<Values>& keys, const Values& before, const Values& now, const std::string& path,
                 std::vector<std::string>& changed) {
  for (const Key<Values>& key : keys) {
    if (!key.text.at_reload) key.compare(before, now, path + key.text.name, changed);
  }
}

// Forms of values, as texts of the file.
std::string TextForm(const std::string& value);
std::string NumberForm(uint64_t value);
std::string FlagForm(bool value);
std::string PercentForm(double value);
std::string DurationForm(std::chrono::seconds value);

std::string NumberType(uint64_t low, uint64_t high);
std::string DurationType(std::chrono::seconds low, std::chrono::seconds high, bool may_be_off);

// A key that is read in a way of its own; `member(values)` is what is compared.
template <class Values, class Member>
Key<Values> OwnKey(KeyText text, Member member, std::function<void(const Section&, Values&)> read) {
  return {
      std::move(text), std::move(read),
      [member](const Values& before, const Values& now, const std::string& path, std::vector<std::string>& changed) {
        if (!(std::invoke(member, before) == std::invoke(member, now))) changed.push_back(path);
      }};
}

template <class Values>
Key<Values> TextKey(std::string name, std::string Values::*member, std::string type, std::string help) {
  KeyText text = {name, type, TextForm(Values().*member), std::move(help)};
  return OwnKey<Values>(std::move(text), member, [=](const Section& section, Values& values) {
    section.Read(name, values.*member, type.c_str());
  });
}

template <class Values>
Key<Values> FlagKey(std::string name, bool Values::*member, std::string help) {
  KeyText text = {name, "true or false", FlagForm(Values().*member), std::move(help)};
  return OwnKey<Values>(std::move(text), member,
                        [=](const Section& section, Values& values) { section.Read(name, values.*member); });
}

// `Unit`: how much one of the file's is in the member's: mebibytes of a number of bytes, seconds of a duration.
template <class Values, std::integral Number>
Key<Values> NumberKey(std::string name, Number Values::*member, uint64_t low, uint64_t high, std::string help,
                      uint64_t unit = 1) {
  KeyText text = {name, NumberType(low, high), NumberForm(static_cast<uint64_t>(Values().*member) / unit),
                  std::move(help)};
  return OwnKey<Values>(std::move(text), member, [=](const Section& section, Values& values) {
    uint64_t number = static_cast<uint64_t>(values.*member) / unit;
    section.ReadNumber(name, low, high, number);
    values.*member = static_cast<Number>(number * unit);
  });
}
template <class Unit, class Values, class Rep, class Period>
Key<Values> NumberKeyOf(std::string name, std::chrono::duration<Rep, Period> Values::*member, uint64_t low,
                        uint64_t high, std::string help) {
  const auto count = [member](const Values& values) {
    return static_cast<uint64_t>(std::chrono::duration_cast<Unit>(values.*member).count());
  };
  KeyText text = {name, NumberType(low, high), NumberForm(count(Values())), std::move(help)};
  return OwnKey<Values>(std::move(text), member, [=](const Section& section, Values& values) {
    uint64_t number = count(values);
    section.ReadNumber(name, low, high, number);
    values.*member = Unit(number);
  });
}

// One word of a few; each says in the file what a value of `Choice` is.
template <class Values, class Choice>
Key<Values> ChoiceKey(std::string name, Choice Values::*member, std::vector<std::pair<std::string, Choice>> words,
                      std::string help) {
  std::string type, standard;
  for (size_t i = 0; i < words.size(); ++i) {
    type += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i].first;
    if (words[i].second == Values().*member) standard = words[i].first;
  }
  KeyText text = {name, type, std::move(standard), std::move(help)};
  return OwnKey<Values>(std::move(text), member, [=](const Section& section, Values& values) {
    if (!section.Find(name)) return;
    std::string given;
    section.Read(name, given, type.c_str());
    for (const auto& [word, choice] : words) {
      if (given != word) continue;
      values.*member = choice;
      return;
    }
    if (!given.empty()) section.Fail(name, "`" + name + "` has to be " + type);
  });
}

template <class Values>
Key<Values> PercentKey(std::string name, double Values::*member, std::string help) {
  KeyText text = {name, "a number of percent from 0 to 100, or off", PercentForm(Values().*member), std::move(help)};
  return OwnKey<Values>(std::move(text), member,
                        [=](const Section& section, Values& values) { section.ReadPercent(name, values.*member); });
}

template <class Values>
Key<Values> DurationKey(std::string name, std::chrono::seconds Values::*member, std::chrono::seconds low,
                        std::chrono::seconds high, bool may_be_off, std::string help) {
  KeyText text = {name, DurationType(low, high, may_be_off), DurationForm(Values().*member), std::move(help)};
  return OwnKey<Values>(std::move(text), member, [=](const Section& section, Values& values) {
    section.ReadDuration(name, low, high, may_be_off, values.*member);
  });
}

template <class Values>
Key<Values> ListKey(std::string name, std::vector<std::string> Values::*member, std::string type, std::string help) {
  return OwnKey<Values>(KeyText{name, std::move(type), "[]", std::move(help)}, member,
                        [=](const Section& section, Values& values) { values.*member = section.ReadList(name); });
}

// A section of the file: a mapping whose values are `part` of `Values`.
template <class Values, class Part, class PartOf>
Key<Values> SectionKey(std::string name, std::string help, Keys<Part> keys, PartOf part) {
  KeyText text = {name, "a section", "", std::move(help)};
  text.in_use = true;
  text.keys = TextsOf(keys);
  return {std::move(text),
          [=](const Section& outer, Values& values) {
            const YAML::Node node = outer.Find(name);
            if (node) ReadKeys(Section(node, name, NamesOf(keys), outer.file()), keys, std::invoke(part, values));
          },
          [=](const Values& before, const Values& now, const std::string& path, std::vector<std::string>& changed) {
            CompareKeys<Part>(keys, std::invoke(part, before), std::invoke(part, now), path + ": ", changed);
          }};
}

}  // namespace vedette
