#include "output.h"

#include <algorithm>
#include <array>

#include "vitrine/json_writer.h"
#include "vitrine/text.h"

namespace vitrine::cli {

void Table::Print(FILE* out) const {
  std::vector<std::string> headers;
  std::vector<int> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    headers.push_back(columns_[c].header);
    int width = DisplayWidth(columns_[c].header);
    for (const auto& row : rows_) {
      if (row.size() == columns_.size()) width = std::max(width, DisplayWidth(row[c]));
    }
    widths.push_back(width);
  }
  PrintRow(out, headers, widths);
  for (const auto& row : rows_) PrintRow(out, row, widths);
}

void Table::PrintRow(FILE* out, const std::vector<std::string>& cells,
                     const std::vector<int>& widths) const {
  std::string line;
  for (size_t c = 0; c < cells.size(); ++c) {
    const std::string padding(std::max(0, widths[c] - DisplayWidth(cells[c])), ' ');
    line += "  ";
    line += columns_[c].right ? padding + cells[c] : cells[c] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  std::fprintf(out, "%s\n", line.c_str());
}

int DisplayWidth(std::string_view utf8) {
  return static_cast<int>(
      std::count_if(utf8.begin(), utf8.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::string Fixed(double value, int decimals) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string Grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (int at = static_cast<int>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    text.insert(at, ",");
  return text;
}

std::string ByteSize(double bytes) {
  return bytes < 1e6 ? Concat(Fixed(bytes / 1e3, 1), " kB") : Concat(Fixed(bytes / 1e6, 1), " MB");
}

std::string JsonString(std::string_view text) { return JsonWriter().String(text).Take(); }

}  // namespace vitrine::cli
