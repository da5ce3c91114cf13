// Writing an ONNX model: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
// The number in each call is the field's number there.
import { Message } from './protobuf.mjs';

const IR_VERSION = 8;
const OPSET_VERSION = 17;
const DATA_TYPES = new Map([
  [Float32Array, 1],
  [BigInt64Array, 7],
]);
const FLOAT = 1;
const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 };

/** A graph under construction. Values go by name; nodes must be added in an order that can be run. */
export class OnnxGraph {
  #nodes = [];
  #initializers = [];
  #inputs = [];
  #outputs = [];

  /** A float32 input of the model. */
  input(name, dims) {
    this.#inputs.push(valueInfo(name, dims));
    return name;
  }

  /** Declares that the value `name` is a float32 output of the model. */
  output(name, dims) {
    this.#outputs.push(valueInfo(name, dims));
  }

  /** A constant: a Float32Array or, for shapes and indices, a BigInt64Array. `dims` [] is a scalar. */
  constant(name, dims, data) {
    const tensor = new Message();
    for (const dim of dims) tensor.varint(1, dim);
    tensor.varint(2, DATA_TYPES.get(data.constructor)).string(8, name).bytes(9, data);
    this.#initializers.push(tensor);
    return name;
  }

  /** A constant list of integers. */
  integers(name, values) {
    return this.constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Adds a node of one output, which gets the node's name. An attribute is a number or a list of integers. */
  node(name, op, inputs, attributes = {}) {
    return this.nodeOf([name], op, inputs, attributes)[0];
  }

  /** Adds a node of several outputs. */
  nodeOf(outputs, op, inputs, attributes = {}) {
    const node = new Message();
    for (const input of inputs) node.string(1, input);
    for (const output of outputs) node.string(2, output);
    node.string(3, outputs[0]).string(4, op);
    for (const [key, value] of Object.entries(attributes)) node.message(5, attribute(key, value));
    this.#nodes.push(node);
    return outputs;
  }

  /** The file's bytes, in chunks. */
  encode() {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, 'main');
    for (const tensor of this.#initializers) graph.message(5, tensor);
    for (const value of this.#inputs) graph.message(11, value);
    for (const value of this.#outputs) graph.message(12, value);
    const opset = new Message().string(1, '').varint(2, OPSET_VERSION);
    return new Message().varint(1, IR_VERSION).message(7, graph).message(8, opset).chunks;
  }
}

function attribute(name, value) {
  const message = new Message().string(1, name);
  if (Array.isArray(value)) {
    for (const element of value) message.varint(8, element);
    return message.varint(20, ATTRIBUTE_TYPES.ints);
  }
  if (Number.isInteger(value)) return message.varint(3, value).varint(20, ATTRIBUTE_TYPES.int);
  return message.float(2, value).varint(20, ATTRIBUTE_TYPES.float);
}

function valueInfo(name, dims) {
  const shape = new Message();
  for (const dim of dims) shape.message(1, new Message().varint(1, dim));
  const tensorType = new Message().varint(1, FLOAT).message(2, shape);
  return new Message().string(1, name).message(2, new Message().message(1, tensorType));
}
