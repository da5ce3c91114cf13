#include "vitrine/json_writer.h"

#include <cmath>

namespace vitrine {
namespace {

/// Length of the UTF-8 sequence at the start of `text`, 0 when there is no valid one (RFC 3629).
size_t Utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  int first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogates
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (first == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void JsonWriter::Separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

void JsonWriter::Quote(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out_ += '"';
  while (!text.empty()) {
    size_t length = Utf8Length(text);
    auto c = static_cast<uint8_t>(text[0]);
    if (length == 0) {
      out_ += "\xEF\xBF\xBD";
      length = 1;
    } else if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += text[0];
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (c < 0x20 || c == 0x7F) {
      out_ += "\\u00";
      out_ += kHex[c >> 4];
      out_ += kHex[c & 15];
    } else {
      out_ += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out_ += '"';
}

JsonWriter& JsonWriter::BeginObject() {
  Separate();
  out_ += '{';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  out_ += '}';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::BeginArray() {
  Separate();
  out_ += '[';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  out_ += ']';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  Quote(key);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  Quote(text);
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  Separate();
  out_ += std::to_string(value);
  return *this;
}

// The C library's printing of floating point would be a tenth of the WebAssembly module.
JsonWriter& JsonWriter::Number(double value) {
  Separate();
  if (!std::isfinite(value) || std::fabs(value) >= 9e18) {
    out_ += "null";
    return *this;
  }
  double magnitude = std::fabs(value);
  double whole = std::floor(magnitude);
  auto integer = static_cast<uint64_t>(whole);
  auto millionths = static_cast<uint32_t>(std::lround((magnitude - whole) * 1e6));
  if (millionths == 1000000) {
    millionths = 0;
    ++integer;
  }
  if (value < 0 && (integer != 0 || millionths != 0)) out_ += '-';
  out_ += std::to_string(integer);
  if (millionths != 0) {
    std::string digits = std::to_string(1000000 + millionths);  // "1" and six decimals
    digits.erase(digits.find_last_not_of('0') + 1);
    out_ += '.';
    out_ += digits.substr(1);
  }
  return *this;
}

// Nine digits tell any two floats apart.
JsonWriter& JsonWriter::Float(float value) {
  if (value == 0 || !std::isfinite(value)) return Number(value);
  Separate();
  double magnitude = std::fabs(static_cast<double>(value));
  int exponent = 0;  // magnitude = the value's * 10^-exponent, in [1, 10)
  for (; magnitude >= 10; ++exponent) magnitude /= 10;
  for (; magnitude < 1; --exponent) magnitude *= 10;
  std::string digits = std::to_string(std::llround(magnitude * 1e8));  // 9, or 10 when rounded up
  exponent += static_cast<int>(digits.size()) - 9;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (value < 0) out_ += '-';
  out_ += digits[0];
  if (digits.size() > 1) out_ += '.';
  out_ += digits.substr(1);
  if (exponent != 0) out_ += 'e' + std::to_string(exponent);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  Separate();
  out_ += value ? "true" : "false";
  return *this;
}

}  // namespace vitrine
