// Text for messages: std::format is absent from gcc 12 and heavy in WebAssembly.
#ifndef VITRINE_TEXT_H_
#define VITRINE_TEXT_H_

#include <concepts>
#include <span>
#include <string>
#include <string_view>

namespace vitrine {

inline void AppendPiece(std::string& out, std::string_view text) { out += text; }
inline void AppendPiece(std::string& out, std::integral auto number) {
  out += std::to_string(number);
}

/// Concat("depth: ", 3) == "depth: 3".
template <typename... Pieces>
std::string Concat(const Pieces&... pieces) {
  std::string out;
  (AppendPiece(out, pieces), ...);
  return out;
}

/// "avx2, avx512".
template <typename Names>
std::string ListText(const Names& names) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += ", ";
    AppendPiece(out, name);
  }
  return out;
}

/// "[1, 197, 192]".
template <typename Range>
std::string ShapeText(const Range& shape) {
  return "[" + ListText(shape) + "]";
}

/// "depth: 0, expected 1 to 256; is config.json damaged?": the form of a message, from what it is
/// about, what was found, what was expected and, where there is more to say, what to do.
template <typename Found, typename Wanted>
std::string Expected(std::string_view what, const Found& found, const Wanted& expected,
                     std::string_view advice = {}) {
  const std::string_view separator = advice.empty() ? "" : "; ";
  return Concat(what, ": ", found, ", expected ", expected, separator, advice);
}

}  // namespace vitrine

#endif  // VITRINE_TEXT_H_
