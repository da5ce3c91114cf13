# Instrumentation of our own code, and of the parser it trusts with foreign text. The other
# dependencies were added before and stay as they are: sanitized kernels take minutes to compile.

if(VITRINE_SANITIZE)
  set(flags -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1)
  if(VITRINE_BUILD_FUZZERS)
    list(APPEND flags -fsanitize=fuzzer-no-link)
  endif()
  add_compile_options(${flags})
  target_compile_options(yyjson PRIVATE ${flags})
  add_link_options(-fsanitize=address,undefined)
endif()
