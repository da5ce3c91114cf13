// Emscripten starts programs with an environment of its own: getenv() shall see the process's.
Module['preRun'] = () => Object.assign(ENV, process.env);
