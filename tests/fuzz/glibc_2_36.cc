// The C++23 parsing functions of glibc 2.38, for a libFuzzer that was built against it (Debian
// 13's) and a system that is older (Debian 12 has 2.36). Newer systems have the same behaviour
// anyway.
#include <cstdlib>

extern "C" {
unsigned long __isoc23_strtoul(const char* text, char** end, int base) {
  return std::strtoul(text, end, base);
}
long __isoc23_strtol(const char* text, char** end, int base) {
  return std::strtol(text, end, base);
}
}
