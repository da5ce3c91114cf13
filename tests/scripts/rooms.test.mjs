// The walls of the C++ rooms, on made-up files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRooms } from '../../scripts/lib/rooms.mjs';

const headers = {
  'core/include/vitrine/config.h': '#include "vitrine/error.h"\n',
  'core/include/vitrine/error.h': '#include <string>\n',
  'core/include/vitrine/vitrine.h': '#include <stdint.h>\n',
  'core/src/base/json.h': '#include "vitrine/error.h"\n',
  'core/src/cpu/linear.h': '',
};
const check = (file, text) => checkRooms({ ...headers, [file]: text });

test('what the table allows passes', () => {
  assert.deepEqual(check('core/src/config/timm.cc', '#include <map>\n#include "base/json.h"\n'), []);
  assert.deepEqual(check('core/src/cpu/linear.cc', '#include "linear.h"\n#include <xnnpack.h>\n'), []);
  assert.deepEqual(check('core/src/c_abi.cc', '#include "vitrine/vitrine.h"\n'), []);
  assert.deepEqual(check('cli/main.cc', '#include "vitrine/config.h"\n'), []);
});

test('an error names file, line, header and what is allowed', () => {
  assert.deepEqual(check('core/src/base/json.cc', '// JSON\n\n#include "vitrine/config.h"\n'), [
    'core/src/base/json.cc:3: includes vitrine/config.h; core/src/base may include only base/, ' +
      'vitrine/error.h, vitrine/buffer.h, vitrine/text.h, vitrine/json_writer.h, yyjson.h',
  ]);
});

for (const [what, file, text] of [
  ['another room', 'core/src/image/rgb.cc', '#include "cpu/linear.h"'],
  ['another room by a relative path', 'core/src/model/model.cc', '#include "../cpu/linear.h"'],
  ['another room in angle brackets', 'core/src/model/model.cc', '#  include <cpu/linear.h>'],
  ['a room that is not there yet', 'core/src/plan/plan.cc', '#include "gpu/shader.h"'],
  ["a room's dependency", 'core/src/config/config.cc', '#include <yyjson.h>'],
  ['the C ABI', 'core/src/model/model.cc', '#include "vitrine/vitrine.h"'],
  ['the inside, from a public header', 'core/include/vitrine/image.h', '#include "base/json.h"'],
  ['the inside, from the command', 'cli/main.cc', '#include "base/json.h"'],
]) {
  test(`refused: ${what}`, () => assert.equal(check(file, text).length, 1));
}

test('a folder that the table does not name is named', () => {
  assert.match(check('core/src/gpu/shader.cc', '')[0], /core\/src\/gpu\/shader.cc: is in no room/);
});
