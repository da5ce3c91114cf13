// Protocol Buffers' wire format, as far as writing needs it: https://protobuf.dev/programming-guides/encoding

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** A message under construction. It is kept as a list of chunks, so that large fields are never copied. */
export class Message {
  chunks = [];
  length = 0;

  /** A bool, an enum or an integer; negative ones in 64 bits, two's complement. */
  varint(field, value) {
    return this.#tag(field, VARINT).#append(varint(value));
  }

  /** A 32-bit float. */
  float(field, value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.#tag(field, FIXED32).#append(bytes);
  }

  /** A string in UTF-8. */
  string(field, text) {
    return this.bytes(field, Buffer.from(text));
  }

  /** The bytes of any typed array. */
  bytes(field, array) {
    return this.#tag(field, BYTES).#append(varint(array.byteLength)).#append(asBytes(array));
  }

  /** A message within this one; `child` must be complete. */
  message(field, child) {
    this.#tag(field, BYTES).#append(varint(child.length));
    for (const chunk of child.chunks) this.#append(chunk);
    return this;
  }

  #tag(field, wireType) {
    return this.#append(varint(field * 8 + wireType));
  }

  #append(bytes) {
    this.chunks.push(bytes);
    this.length += bytes.length;
    return this;
  }
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function asBytes(array) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
