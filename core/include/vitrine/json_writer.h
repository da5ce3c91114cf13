// JSON out; base/json.h reads it.
#ifndef VITRINE_JSON_WRITER_H_
#define VITRINE_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace vitrine {

/// Builds compact JSON: JsonWriter json; json.BeginObject().Key("index").Int(7).EndObject();
class JsonWriter {
 public:
  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view text);  // bytes that are not UTF-8 become U+FFFD
  JsonWriter& Int(int64_t value);
  JsonWriter& Number(double value);  // rounded to six decimals; null when not finite
  JsonWriter& Float(float value);    // reads back as the same float; null when not finite
  JsonWriter& Bool(bool value);
  std::string Take() { return std::move(out_); }

 private:
  void Separate();
  void Quote(std::string_view text);

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace vitrine

#endif  // VITRINE_JSON_WRITER_H_
