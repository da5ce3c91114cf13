// JSON in: yyjson behind getters that report what is wrong by key path.
#ifndef VITRINE_BASE_JSON_H_
#define VITRINE_BASE_JSON_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"

struct yyjson_doc;
struct yyjson_val;

namespace vitrine {

/// `text` cut to a length that is fit for an error message, with an ellipsis where cut.
std::string Excerpt(std::string_view text);

class JsonDocument;

/// A value of a document, or its absence, and the key path that leads to it ("model_args.depth").
/// A null counts as absent. Getters give the fallback for an absent value; for one of another type
/// they report to the document and give the fallback too, so that a reader states all its members
/// one after the other and asks JsonDocument::result() once. Valid as long as the document.
class Json {
 public:
  bool present() const;
  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;
  bool is_bool() const;
  const std::string& path() const { return path_; }

  Json Get(std::string_view key) const;  // a member of an object
  std::vector<Json> Items() const;       // of an array
  struct Member;
  std::vector<Member> Members() const;  // of an object
  void CheckUniqueKeys() const;         // reports a key that an object has twice

  int Int(int fallback) const;
  uint64_t Uint64(uint64_t fallback) const;
  double Number(double fallback) const;
  bool Bool(bool fallback) const;
  std::string_view String(std::string_view fallback) const;

  /// Reports "config.json: model_args.depth: <message>" to the document.
  void Fail(Status status, std::string_view message) const;
  /// The same with the document's usual status and "<what the value is>, expected <expected>".
  void FailExpected(std::string_view expected) const;
  /// "the string "swin"", "the number 12", "an array": for messages.
  std::string Describe() const;

 private:
  friend class JsonDocument;
  Json(JsonDocument* document, yyjson_val* value, std::string path)
      : document_(document), value_(value), path_(std::move(path)) {}

  JsonDocument* document_;
  yyjson_val* value_;  // null when absent
  std::string path_;
};

struct Json::Member {
  std::string_view key;
  Json value;
};

/// A parsed text and the first error met in it. yyjson parses without recursion and nothing here
/// recurses either, so nesting needs no limit of its own.
class JsonDocument {
 public:
  /// `name` is the file's, for messages; `status` that of a malformed text or a wrong type.
  JsonDocument(std::string_view text, std::string_view name, Status status, size_t max_bytes);
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  Json root();                                    // absent when the text is not JSON
  void Fail(Status status, std::string message);  // keeps the first
  bool ok() const { return !error_.has_value(); }
  Result<void> result() const;
  const std::string& name() const { return name_; }
  Status status() const { return status_; }

 private:
  std::string name_;
  Status status_;
  std::optional<Error> error_;
  yyjson_doc* document_ = nullptr;
};

}  // namespace vitrine

#endif  // VITRINE_BASE_JSON_H_
