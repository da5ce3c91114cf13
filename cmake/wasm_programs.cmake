# How WebAssembly is linked: the module for the browser and programs for Node.

# A little at a time, so that the heap stays close to what the model needs.
set(VITRINE_WASM_MEMORY
  -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=16MB -sMAXIMUM_MEMORY=4GB -sMEMORY_GROWTH_LINEAR_STEP=4MB
  -sMALLOC=dlmalloc -Wno-pthreads-mem-growth)

# A program with main(), files and threads for Node, run with
# `node --experimental-wasm-relaxed-simd NAME.js` (the flag is needed by Node 20 alone).
# VITRINE_POOL_SIZE in the environment allows more threads than there are processors.
function(vitrine_node_program target)
  target_link_options(${target} PRIVATE ${VITRINE_WASM_MEMORY}
    --pre-js ${PROJECT_SOURCE_DIR}/cmake/node_environment.js
    -sENVIRONMENT=node -sNODERAWFS=1 -sEXIT_RUNTIME=1 -sSTACK_SIZE=1MB
    "-sPTHREAD_POOL_SIZE=+(process.env.VITRINE_POOL_SIZE||require(\"os\").cpus().length)"
    -sPTHREAD_POOL_SIZE_STRICT=2 -sDEFAULT_PTHREAD_STACK_SIZE=256KB)
  set_target_properties(${target} PROPERTIES SUFFIX .js)
endfunction()

# The programs are CommonJS modules, whatever the package.json above says.
file(WRITE ${CMAKE_BINARY_DIR}/package.json "{ \"type\": \"commonjs\" }\n")
