// The walls of the C++ rooms: which headers the sources of each folder may include. `npm run lint` holds them.
import path from 'node:path';

const base = ['base/', 'vitrine/error.h', 'vitrine/buffer.h', 'vitrine/text.h', 'vitrine/json_writer.h'];
const plan = ['vitrine/config.h', 'vitrine/plan.h', 'vitrine/tensor.h'];

/** A folder or file -> what it may include: a header, or a folder of core/src with all in it. */
export const rooms = {
  'core/include/vitrine': ['vitrine/'],
  'core/src/base': [...base, 'yyjson.h'],
  'core/src/config': [...base, 'config/', 'vitrine/config.h'],
  'core/src/plan': [...base, 'plan/', ...plan],
  'core/src/weights': [
    ...base,
    'weights/',
    ...plan,
    'vitrine/executor.h',
    'vitrine/safetensors.h',
    'vitrine/weights.h',
  ],
  'core/src/image': [...base, 'image/', 'vitrine/config.h', 'vitrine/image.h', 'stb_image.h'],
  'core/src/cpu': [...base, 'cpu/', ...plan, 'vitrine/cpu.h', 'vitrine/executor.h', 'xnnpack.h', 'xnnpack/'],
  // Everything but the inside of cpu: an executor is known by its interface alone.
  'core/src/model': ['base/', 'config/', 'plan/', 'weights/', 'image/', 'model/', 'vitrine/'],
  'core/src/c_abi.cc': ['base/', 'vitrine/'],
  cli: ['cli/', 'vitrine/'],
};

/** The C ABI is for those outside; in the core only its implementation knows it. */
const abi = { header: 'vitrine/vitrine.h', users: ['core/src/c_abi.cc', 'core/include/vitrine/vitrine.h'] };

const includeRoots = ['core/include', 'core/src', 'cli'];

/**
 * Looks at the includes of C++ files, a map of path -> text. Returns a message for each that its room may not
 * have. System headers pass.
 */
export function checkRooms(files) {
  const problems = [];
  for (const [file, text] of Object.entries(files)) {
    const room = Object.keys(rooms).find((name) => file === name || file.startsWith(`${name}/`));
    if (!room) {
      problems.push(`${file}: is in no room that scripts/lib/rooms.mjs names`);
      continue;
    }
    for (const [index, line] of text.split('\n').entries()) {
      const [, bracket, written] = /^\s*#\s*include\s*(["<])([^">]+)[">]/.exec(line) ?? [];
      if (!written) continue;
      const header = resolve(file, written, files);
      if (bracket === '<' && !isOurs(header)) continue;
      if (mayInclude(room, header) && (header !== abi.header || abi.users.includes(file) || room === 'cli')) {
        continue;
      }
      const allowed = rooms[room].filter((name) => name !== abi.header).join(', ');
      problems.push(`${file}:${index + 1}: includes ${header}; ${room} may include only ${allowed}`);
    }
  }
  return problems;
}

const mayInclude = (room, header) =>
  rooms[room].some((name) => (name.endsWith('/') ? header.startsWith(name) : header === name));

/** A header by its name under core/include or core/src, or from the repository: found as compilers do. */
function resolve(file, written, files) {
  const candidates = [path.posix.dirname(file), ...includeRoots].map((folder) =>
    path.posix.join(folder, written),
  );
  const found = candidates.find((candidate) => candidate in files);
  return (found ?? path.posix.normalize(written)).replace(/^core\/(include|src)\//, '');
}

/** Whether a header in angle brackets belongs to the core or to a dependency that a room names. */
const isOurs = (header) =>
  Object.values(rooms)
    .flat()
    .some((name) => (name.endsWith('/') ? header.startsWith(name) : header === name));
