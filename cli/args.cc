#include "args.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "vitrine/cpu.h"
#include "vitrine/text.h"

namespace vitrine::cli {
namespace {

/// Levenshtein's distance: insertions, deletions and replacements that turn `a` into `b`.
int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);  // distances of a's first i letters to every start of b
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string Quoted(std::string_view text) { return Concat("\"", text, "\""); }

}  // namespace

std::string Suggestion(std::string_view word, std::span<const std::string_view> choices) {
  const auto closest = std::min_element(choices.begin(), choices.end(), [&](auto a, auto b) {
    return EditDistance(word, a) < EditDistance(word, b);
  });
  if (closest == choices.end()) return "";
  const bool is_start = word.size() > 2 && closest->starts_with(word);
  if (!is_start && EditDistance(word, *closest) > 3) return "";
  return Concat(", did you mean ", Quoted(*closest), "?");
}

Result<Args> Args::Parse(const Command& command, std::span<char* const> words) {
  Args args;
  bool flags_ended = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (flags_ended || word == "-" || !word.starts_with("-")) {
      args.operands_.emplace_back(word);
      continue;
    }
    if (word == "--") {
      flags_ended = true;
      continue;
    }
    const size_t equals = word.find('=');
    const bool has_value = equals != word.npos;
    const std::string_view name = word.substr(0, equals);
    const auto flag = std::find_if(command.flags.begin(), command.flags.end(),
                                   [&](const Flag& f) { return f.name == name; });
    if (flag == command.flags.end()) {
      std::vector<std::string_view> names;
      for (const Flag& known : command.flags) names.push_back(known.name);
      return Fail(Status::kInvalidArgument, Concat("unknown flag ", Quoted(name), " of vitrine ",
                                                   command.name, Suggestion(name, names)));
    }
    std::string value;
    if (flag->value.empty()) {
      if (has_value) {
        return Fail(Status::kInvalidArgument, Concat(name, " takes no value"));
      }
    } else if (has_value) {
      value = word.substr(equals + 1);
    } else if (++i < words.size()) {
      value = words[i];
    } else {
      return Fail(Status::kInvalidArgument,
                  Concat(name, " needs a value: ", name, " ", flag->value));
    }
    args.values_[std::string(name)] = std::move(value);
  }
  return args;
}

std::string_view Args::Text(std::string_view flag, std::string_view otherwise) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? otherwise : std::string_view(found->second);
}

Result<int> Args::Integer(std::string_view flag, int otherwise, int least, int most) const {
  if (!Has(flag)) return otherwise;
  const std::string_view text = Text(flag, "");
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return Fail(Status::kInvalidArgument,
                Expected(flag, Quoted(text), Concat("a whole number from ", least, " to ", most)));
  }
  return number;
}

Result<int> ThreadsOf(const Args& args) {
  const int available = static_cast<int>(std::thread::hardware_concurrency());
  return args.Integer("--threads", std::clamp(available, 1, kMaxThreads), 1, kMaxThreads);
}

std::string_view IsaOf(const Args& args) {
  const char* of_environment = std::getenv("VITRINE_ISA");
  return args.Text("--isa", of_environment == nullptr ? "" : of_environment);
}

}  // namespace vitrine::cli
