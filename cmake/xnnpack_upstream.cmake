# XNNPACK by its own CMake project, for machines that cmake/xnnpack.cmake does not cover (64-bit Arm,
# macOS). It fetches cpuinfo itself.

set(XNNPACK_LIBRARY_TYPE static CACHE STRING "")
set(XNNPACK_BUILD_TESTS OFF CACHE BOOL "")
set(XNNPACK_BUILD_BENCHMARKS OFF CACHE BOOL "")
set(XNNPACK_BUILD_ALL_MICROKERNELS OFF CACHE BOOL "")
set(XNNPACK_ENABLE_KLEIDIAI OFF CACHE BOOL "")
set(FXDIV_SOURCE_DIR ${fxdiv_SOURCE_DIR} CACHE PATH "")
set(PTHREADPOOL_SOURCE_DIR ${pthreadpool_SOURCE_DIR} CACHE PATH "")
add_subdirectory(${xnnpack_SOURCE_DIR} ${CMAKE_BINARY_DIR}/xnnpack-upstream EXCLUDE_FROM_ALL)
add_library(xnnpack ALIAS XNNPACK)
