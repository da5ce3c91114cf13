# How every target is compiled: language level, instruction set, threads, sanitizers, warnings.

set(CMAKE_C_STANDARD 11)
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT EMSCRIPTEN)  # in WebAssembly it would send every address through a global
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(VITRINE_CCACHE ccache)
if(VITRINE_CCACHE AND NOT EMSCRIPTEN)
  set(CMAKE_C_COMPILER_LAUNCHER ${VITRINE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VITRINE_CCACHE})
endif()

# XNNPACK's tables of kernels name every data type; dropping unused sections drops those kernels too.
add_compile_options(-ffunction-sections -fdata-sections)
if(APPLE)
  add_link_options(-Wl,-dead_strip)
elseif(NOT EMSCRIPTEN)
  add_link_options(-Wl,--gc-sections)
endif()

if(EMSCRIPTEN)
  set(VITRINE_ISA_FLAGS -msimd128)
  if(VITRINE_WASM_SIMD STREQUAL "relaxed")
    list(APPEND VITRINE_ISA_FLAGS -mrelaxed-simd)
  endif()
  add_compile_options(-pthread ${VITRINE_ISA_FLAGS})
  add_link_options(-pthread)
else()
  find_package(Threads REQUIRED)
endif()

# What our own targets add; dependencies are compiled as they come.
add_library(vitrine_warnings INTERFACE)
# Designated initialisers may leave out what has its default; gcc 12 warns falsely of overlapping
# copies in "text" + std::string (its bug 105651).
target_compile_options(vitrine_warnings INTERFACE -Wall -Wextra -Werror
  -Wno-missing-field-initializers $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

# Exceptions and run-time type information stay out of everything that is shipped in the wasm.
add_library(vitrine_lean INTERFACE)
target_compile_options(vitrine_lean INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti>)
