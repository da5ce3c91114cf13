// Command-line arguments: flags declared once, read by name, unknown ones answered with a
// suggestion.
#ifndef VITRINE_CLI_ARGS_H_
#define VITRINE_CLI_ARGS_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"

namespace vitrine::cli {

struct Flag {
  std::string_view name;   // "--top-k"
  std::string_view value;  // what the help calls its value ("N"); "" for a switch
  const char* help;
};

class Args;

/// Exit statuses of every command.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // some picture could not be classified
inline constexpr int kExitUsage = 2;   // wrong arguments, or a model that cannot be loaded

struct Command {
  const char* name;
  const char* operands;  // "IMAGE..."
  const char* summary;
  const char* details;  // more for `vitrine help COMMAND`
  std::span<const Flag> flags;
  int (*run)(const Args& args);
};

/// The arguments after the command's name: `--flag value`, `--flag=value`, switches and operands in
/// any order; everything after `--` is an operand, and so is `-`.
class Args {
 public:
  /// kInvalidArgument for an unknown flag or a missing or superfluous value.
  static Result<Args> Parse(const Command& command, std::span<char* const> words);

  bool Has(std::string_view flag) const { return values_.contains(flag); }
  /// The flag's value, `otherwise` where it was not given.
  std::string_view Text(std::string_view flag, std::string_view otherwise) const;
  /// kInvalidArgument for a value that is no integer in [least, most].
  Result<int> Integer(std::string_view flag, int otherwise, int least, int most) const;

  const std::vector<std::string>& operands() const { return operands_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> operands_;
};

/// `, did you mean "--top-k"?` for the choice closest to `word`, "" where none is close.
std::string Suggestion(std::string_view word, std::span<const std::string_view> choices);

/// --threads: all of the machine's by default.
Result<int> ThreadsOf(const Args& args);
/// --isa, else the environment variable VITRINE_ISA, else "": the best.
std::string_view IsaOf(const Args& args);

}  // namespace vitrine::cli

#endif  // VITRINE_CLI_ARGS_H_
