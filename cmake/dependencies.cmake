# The dependencies, each pinned to one version. Debian 13 ships the same versions as source packages:
# `npm run setup` unpacks those and names their folders in build/setup/sources.cmake as
# FETCHCONTENT_SOURCE_DIR_<NAME>; otherwise they come from their repositories.

include(FetchContent)
set(FETCHCONTENT_QUIET ON)

function(vitrine_fetch name repository commit)
  # No SOURCE_SUBDIR of that name exists, so sources arrive without their own CMake project being run.
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${commit} SOURCE_SUBDIR unused)
  FetchContent_MakeAvailable(${name})
  string(TOLOWER ${name} lower)
  set(${name}_SOURCE_DIR ${${lower}_SOURCE_DIR} PARENT_SCOPE)
endfunction()

vitrine_fetch(xnnpack https://github.com/google/XNNPACK.git 4ea82e595b36106653175dcb04b2aa532660d0d8)
vitrine_fetch(pthreadpool https://github.com/Maratyszcza/pthreadpool.git 560c60d342a76076f0557a3946924c6478470044)
vitrine_fetch(fxdiv https://github.com/Maratyszcza/FXdiv.git b408327ac2a15ec3e43352421954f5b1967701d1)
vitrine_fetch(stb https://github.com/nothings/stb.git 5c205738c191bcb0abc65c4febfa9bd25ff35234)
vitrine_fetch(yyjson https://github.com/ibireme/yyjson.git 0.10.0)

if(EMSCRIPTEN OR (CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64"))
  include(cmake/xnnpack.cmake)
else()
  include(cmake/xnnpack_upstream.cmake)
endif()

# stb_image is one header; core/src compiles it where it is used.
add_library(stb INTERFACE)
target_include_directories(stb SYSTEM INTERFACE ${stb_SOURCE_DIR})

add_library(yyjson STATIC ${yyjson_SOURCE_DIR}/src/yyjson.c)
target_include_directories(yyjson SYSTEM PUBLIC ${yyjson_SOURCE_DIR}/src)
target_compile_definitions(yyjson PUBLIC
  YYJSON_DISABLE_UTILS=1 YYJSON_DISABLE_NON_STANDARD=1 YYJSON_DISABLE_FAST_FP_CONV=1)
# It asks for inlining everywhere, which makes its reader four times as large.
target_compile_options(yyjson PRIVATE -Oz -Dyyjson_inline=__inline__)

if(VITRINE_BUILD_TESTS)
  FetchContent_Declare(catch2 GIT_REPOSITORY https://github.com/catchorg/Catch2.git GIT_TAG v3.7.1)
  FetchContent_MakeAvailable(catch2)
  # A hundred small files in four: a tenth of the time.
  set_target_properties(Catch2 PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 27)
endif()
