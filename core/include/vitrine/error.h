// Status codes and the error value that every fallible call of the core returns.
#ifndef VITRINE_ERROR_H_
#define VITRINE_ERROR_H_

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine {

/// What kind of thing went wrong. The values are part of the C ABI (negated there) and the names,
/// as `StatusName` gives them, part of the JSON that the command line and the web package show.
enum class Status : int32_t {
  kOk = 0,
  kInvalidArgument = 1,  // the caller's mistake: a top-k of -1, a call out of order
  kInvalidConfig = 2,  // config.json or a sibling is not JSON, or its values contradict each other
  kInvalidCheckpoint = 3,  // model.safetensors is malformed, truncated, or not this model's
  kUnsupported = 4,   // well-formed, but this build has no code for it (an architecture, a dtype)
  kInvalidImage = 5,  // the picture is corrupt, empty, or of a format the core does not read
  kTooLarge = 6,      // over a documented limit (header bytes, pixels, memory)
  kOutOfMemory = 7,
  kIo = 8,        // a file could not be read
  kInternal = 9,  // a defect of Vitrine: please report it
};

/// "invalid_config" for Status::kInvalidConfig, and so on.
std::string_view StatusName(Status status);

/// `message` names what was found, what was expected and what to do about it.
struct Error {
  Status status;
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

/// `return Fail(Status::kInvalidConfig, Concat("depth: ", depth, ", expected at least 1"));`
[[nodiscard]] inline std::unexpected<Error> Fail(Status status, std::string message) {
  return std::unexpected<Error>(Error{status, std::move(message)});
}

/// Passes a failed call's error on: `if (!plan) return Forward(plan);`
template <typename T>
[[nodiscard]] std::unexpected<Error> Forward(const Result<T>& failed) {
  return std::unexpected<Error>(failed.error());
}

}  // namespace vitrine

#endif  // VITRINE_ERROR_H_
