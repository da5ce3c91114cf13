#include "base/json.h"

#include <algorithm>
#include <climits>

#include "base/order.h"
#include "vitrine/text.h"
#include "yyjson.h"

namespace vitrine {

std::string Excerpt(std::string_view text) {
  constexpr size_t kLongest = 120;
  if (text.size() <= kLongest) return std::string(text);
  size_t end = kLongest;
  // Not within a UTF-8 sequence.
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return Concat(text.substr(0, end), "...");
}

namespace {

std::string_view StringOf(yyjson_val* value) {
  return {yyjson_get_str(value), yyjson_get_len(value)};
}

}  // namespace

bool Json::present() const { return value_ != nullptr && !yyjson_is_null(value_); }
bool Json::is_object() const { return yyjson_is_obj(value_); }
bool Json::is_array() const { return yyjson_is_arr(value_); }
bool Json::is_string() const { return yyjson_is_str(value_); }
bool Json::is_number() const { return yyjson_is_num(value_); }
bool Json::is_bool() const { return yyjson_is_bool(value_); }

std::string Json::Describe() const {
  if (!present()) return value_ == nullptr ? "nothing" : "null";
  if (is_object()) return "an object";
  if (is_array()) return "an array";
  if (is_string()) return Concat("the string \"", Excerpt(StringOf(value_)), "\"");
  if (is_bool()) return yyjson_get_bool(value_) ? "true" : "false";
  if (yyjson_is_uint(value_)) return Concat("the number ", yyjson_get_uint(value_));
  if (yyjson_is_sint(value_)) return Concat("the number ", yyjson_get_sint(value_));
  return "a number with a fraction";
}

void Json::Fail(Status status, std::string_view message) const {
  if (!document_->ok()) return;
  document_->Fail(status, path_.empty() ? Concat(document_->name(), ": ", message)
                                        : Concat(document_->name(), ": ", path_, ": ", message));
}

void Json::FailExpected(std::string_view expected) const {
  Fail(document_->status(), Concat(Describe(), ", expected ", expected));
}

Json Json::Get(std::string_view key) const {
  std::string path = path_.empty() ? Excerpt(key) : Concat(path_, ".", Excerpt(key));
  if (present() && !is_object()) FailExpected("an object");
  return Json(document_, yyjson_obj_getn(value_, key.data(), key.size()), std::move(path));
}

std::vector<Json> Json::Items() const {
  std::vector<Json> items;
  if (present() && !is_array()) FailExpected("an array");
  items.reserve(yyjson_arr_size(value_));
  yyjson_arr_iter iterator = yyjson_arr_iter_with(value_);
  while (yyjson_val* item = yyjson_arr_iter_next(&iterator)) {
    items.push_back(Json(document_, item, Concat(path_, "[", items.size(), "]")));
  }
  return items;
}

std::vector<Json::Member> Json::Members() const {
  std::vector<Member> members;
  if (present() && !is_object()) FailExpected("an object");
  members.reserve(yyjson_obj_size(value_));
  yyjson_obj_iter iterator = yyjson_obj_iter_with(value_);
  while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
    std::string_view name = StringOf(key);
    std::string path = path_.empty() ? Excerpt(name) : Concat(path_, ".", Excerpt(name));
    members.push_back({name, Json(document_, yyjson_obj_iter_get_val(key), std::move(path))});
  }
  return members;
}

void Json::CheckUniqueKeys() const {
  if (!is_object()) return;
  std::vector<std::string_view> keys;
  keys.reserve(yyjson_obj_size(value_));
  yyjson_obj_iter iterator = yyjson_obj_iter_with(value_);
  while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) keys.push_back(StringOf(key));
  std::vector<int> order =
      SortedOrder(keys.size(), [&](int a, int b) { return keys[a] < keys[b]; });
  for (size_t i = 1; i < order.size(); ++i) {
    std::string_view key = keys[order[i]];
    if (key != keys[order[i - 1]]) continue;
    Fail(document_->status(), Concat("has the key \"", Excerpt(key), "\" twice"));
  }
}

int Json::Int(int fallback) const {
  if (!present()) return fallback;
  if (yyjson_is_int(value_)) {
    // Above INT64_MAX an unsigned value would read as a negative one.
    int64_t number = yyjson_get_sint(value_);
    bool fits = number >= INT_MIN && number <= INT_MAX && (number < 0) == yyjson_is_sint(value_);
    if (fits) return static_cast<int>(number);
    FailExpected("an integer of 32 bits");
  } else {
    FailExpected("an integer");
  }
  return fallback;
}

uint64_t Json::Uint64(uint64_t fallback) const {
  if (!present()) return fallback;
  if (yyjson_is_uint(value_)) return yyjson_get_uint(value_);
  FailExpected("an integer of at least 0");
  return fallback;
}

double Json::Number(double fallback) const {
  if (!present()) return fallback;
  if (is_number()) return yyjson_get_num(value_);
  FailExpected("a number");
  return fallback;
}

bool Json::Bool(bool fallback) const {
  if (!present()) return fallback;
  if (is_bool()) return yyjson_get_bool(value_);
  FailExpected("true or false");
  return fallback;
}

std::string_view Json::String(std::string_view fallback) const {
  if (!present()) return fallback;
  if (is_string()) return StringOf(value_);
  FailExpected("a string");
  return fallback;
}

JsonDocument::JsonDocument(std::string_view text, std::string_view name, Status status,
                           size_t max_bytes)
    : name_(name), status_(status) {
  if (text.size() > max_bytes) {
    Fail(Status::kTooLarge,
         Concat(name, ": ", text.size(), " bytes, expected at most ", max_bytes));
    return;
  }
  // Windows tools write the mark before UTF-8 too.
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.starts_with("\x1F\x8B")) {
    Fail(status, Concat(name, ": a gzip file, expected JSON; unpack it, or serve it with ",
                        "Content-Encoding: gzip"));
    return;
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    Fail(status, Concat(name, ": UTF-16 text, expected JSON in UTF-8; save it as UTF-8"));
    return;
  }
  yyjson_read_err error;
  // Without YYJSON_READ_INSITU the text is copied, not written to.
  document_ = yyjson_read_opts(const_cast<char*>(text.data()), text.size(), 0, nullptr, &error);
  if (document_ != nullptr) return;
  if (error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
    Fail(Status::kOutOfMemory, Concat(name, ": no memory to parse ", text.size(), " bytes"));
    return;
  }
  auto line = 1 + std::count(text.begin(), text.begin() + std::min(error.pos, text.size()), '\n');
  Fail(status, Concat(name, ": not valid JSON: ", std::string_view(error.msg), " (line ", line,
                      ", byte ", error.pos, ")"));
}

JsonDocument::~JsonDocument() { yyjson_doc_free(document_); }

Json JsonDocument::root() { return Json(this, yyjson_doc_get_root(document_), ""); }

void JsonDocument::Fail(Status status, std::string message) {
  if (!error_.has_value()) error_ = Error{status, std::move(message)};
}

Result<void> JsonDocument::result() const {
  if (error_.has_value()) return std::unexpected<Error>(*error_);
  return {};
}

}  // namespace vitrine
