// Text for the commands to print: aligned tables, numbers with units, JSON strings.
#ifndef VITRINE_CLI_OUTPUT_H_
#define VITRINE_CLI_OUTPUT_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::cli {

/// Columns as wide as their widest cell, two spaces apart.
class Table {
 public:
  struct Column {
    std::string header;
    bool right = false;  // numbers are aligned to the right
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell per column.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// A line of text across the columns.
  void AddNote(std::string text) { rows_.push_back({std::move(text)}); }

  void Print(FILE* out) const;

 private:
  void PrintRow(FILE* out, const std::vector<std::string>& cells,
                const std::vector<int>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// How many terminal cells a UTF-8 text takes (one per code point).
int DisplayWidth(std::string_view utf8);

/// A number with `decimals` digits after the point.
std::string Fixed(double value, int decimals);
/// "5,717,416".
std::string Grouped(int64_t number);
/// "22.9 MB" (10^6 bytes), or in kB below that.
std::string ByteSize(double bytes);
/// A quoted JSON string.
std::string JsonString(std::string_view text);

}  // namespace vitrine::cli

#endif  // VITRINE_CLI_OUTPUT_H_
