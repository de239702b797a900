/**
 * Runner of circom's witness programs: inputs by name in, one field element for each wire out.
 * composed-copies.ts runs parts with it; statements and tests run whole circuits.
 */
import { circuitError } from "../circuit-errors.ts";
import { quicken } from "./field-functions.ts";
import { keepShort } from "./short-values.ts";

/** A circuit's inputs by name; arrays of any depth are read in row-major order, as circom declares them. */
export type CircuitInputs = Record<string, InputValue>;
export type InputValue = bigint | number | boolean | readonly InputValue[];

/** An input of a part, and its wires: they follow each other from `firstWire` on. */
export interface InputWires {
  readonly name: string;
  readonly firstWire: number;
  readonly count: number;
}

/** Functions that circom's WASM exports; values pass through one shared place in its memory, 32 bits at a time. */
interface WitnessExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  getSharedRWMemoryStart(): number;
  init(sanityCheck: number): void;
  getFieldNumLen32(): number;
  getInputSize(): number;
  getInputSignalSize(hashHigh: number, hashLow: number): number;
  setInputSignal(hashHigh: number, hashLow: number, position: number): void;
  getMessageChar(): number;
  getRawPrime(): void;
  getWitnessSize(): number;
  getWitness(wire: number): void;
}

// Node has WebAssembly; its types for Node 20 come with the DOM library only, which does not belong here.
const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
}

// circom's exception codes, from its witness_calculator.js
const exceptions = ["", "signal not found", "too many signals set", "signal already set", "assertion failed"];

/** Runs circom's witness program (WASM) in this process; one instance serves any number of witnesses. */
export class WitnessCalculator {
  readonly prime: bigint;
  readonly #wasm: WitnessExports;
  readonly #wordCount: number;
  /** Address at which the program reads and writes single values. */
  readonly #sharedAt: number;
  #words = new BigUint64Array();
  #messages: string[] = [];

  /**
   * @param program circom's witness program, compiled here
   * @param isAsWritten for tests: as circom writes it, at a third of the speed
   */
  constructor(program: Uint8Array, isAsWritten = false) {
    const readMessage = () => {
      let text = "";
      for (let char = this.#wasm.getMessageChar(); char !== 0; char = this.#wasm.getMessageChar()) {
        text += String.fromCharCode(char);
      }
      this.#messages.push(text);
    };
    const instance = new Instance(new Module(isAsWritten ? program : quicken(keepShort(program).program)), {
      runtime: {
        exceptionHandler: (code: number) => {
          throw circuitError(
            "CIR_WITNESS_REFUSED",
            `no witness: ${exceptions[code] ?? `exception ${code}`}`,
            {
              data: { exception: exceptions[code] ?? code, trace: this.#messages },
            },
          );
        },
        printErrorMessage: readMessage,
        writeBufferMessage: readMessage,
        showSharedRWMemory: () => {},
      },
    });
    this.#wasm = instance.exports as WitnessExports;
    this.#wordCount = this.#wasm.getFieldNumLen32();
    this.#sharedAt = this.#wasm.getSharedRWMemoryStart();
    this.#wasm.getRawPrime();
    this.prime = this.#readShared();
  }

  /** Number of wires in the witness, the constant 1 included. */
  get wireCount(): number {
    return this.#wasm.getWitnessSize();
  }

  /** Bytes of one value. */
  get valueBytes(): number {
    return 4 * this.#wordCount;
  }

  /**
   * Computes the witness: wire 0 is the constant 1, then outputs, public inputs, private inputs, the rest.
   *
   * @throws as `run`
   */
  calculate(inputs: CircuitInputs): bigint[] {
    this.run(inputs);
    return Array.from({ length: this.wireCount }, (_, wire) => this.readWire(wire));
  }

  /** Returns the last run's value of a wire. */
  readWire(wire: number): bigint {
    this.#wasm.getWitness(wire);
    return this.#readShared();
  }

  /**
   * Computes the witness, which `copyWires` and `readWire` then read.
   *
   * @throws RollupError CIR_WITNESS_REFUSED if an assertion or constraint of the program fails,
   *   CIR_INPUT_MISMATCH where names or sizes are not the circuit's, or a value is outside the field
   */
  run(inputs: CircuitInputs): void {
    const wasm = this.#wasm;
    this.#messages = [];
    wasm.init(0);
    let valueCount = 0;
    for (const [name, value] of Object.entries(inputs)) {
      const { high, low } = hashName(name);
      const values = flatten(value);
      const size = wasm.getInputSignalSize(high, low);
      if (size !== values.length) {
        throw circuitError("CIR_INPUT_MISMATCH", `input ${name} has ${values.length} values`, {
          data: { name, given: values.length, expected: size },
        });
      }
      for (const [position, element] of values.entries()) {
        this.#writeShared(signalValue(element, this.prime));
        wasm.setInputSignal(high, low, position);
      }
      valueCount += values.length;
    }
    if (valueCount !== wasm.getInputSize()) {
      throw circuitError("CIR_INPUT_MISMATCH", `${valueCount} of ${wasm.getInputSize()} input values given`, {
        data: { given: valueCount, expected: wasm.getInputSize() },
      });
    }
  }

  /** Fills `target` with the last run's values from `firstWire` on, `valueBytes` little-endian bytes each. */
  copyWires(firstWire: number, target: Uint8Array): void {
    const { memory, getWitness } = this.#wasm;
    const value = new Uint8Array(memory.buffer, this.#sharedAt, this.valueBytes);
    for (let at = 0, wire = firstWire; at < target.length; at += value.length, wire++) {
      getWitness(wire);
      target.set(value, at);
    }
  }

  #readShared(): bigint {
    const words = this.#sharedWords();
    let top = words.length - 1;
    // Most wires are small.
    while (top > 0 && words[top] === 0n) top--;
    let value = words[top]!;
    for (let i = top - 1; i >= 0; i--) value = (value << 64n) | words[i]!;
    return value;
  }

  #writeShared(value: bigint): void {
    const words = this.#sharedWords();
    let rest = value;
    for (let i = 0; i < words.length; i++, rest >>= 64n) words[i] = rest;
  }

  /** 64 bits each. A memory that has grown since leaves an empty array. */
  #sharedWords(): BigUint64Array {
    if (this.#words.length === 0)
      this.#words = new BigUint64Array(this.#wasm.memory.buffer, this.#sharedAt, this.#wordCount / 2);
    return this.#words;
  }
}

/**
 * Value of an input signal in the field: −1 is r − 1.
 *
 * Attack: a value of r + 5, reduced, proves what holds for 5, and the caller believes that it proved r + 5.
 * @param prime r
 * @throws RollupError CIR_INPUT_MISMATCH for a value that is not between −r and r
 */
export function signalValue(value: bigint, prime: bigint): bigint {
  if (value >= prime || value <= -prime)
    throw circuitError(
      "CIR_INPUT_MISMATCH",
      "an input value is outside the field: it is at least r, or at most -r",
      {
        data: { reason: "range" },
      },
    );
  return value < 0n ? value + prime : value;
}

function flatten(value: InputValue): bigint[] {
  return Array.isArray(value) ? value.flatMap(flatten) : [BigInt(value as bigint | number | boolean)];
}

/** FNV-1a with 64 bits: circom's witness program finds its inputs by it. */
function hashName(name: string): { high: number; low: number } {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffff_ffff_ffff_ffffn;
  }
  return { high: Number(hash >> 32n) | 0, low: Number(hash & 0xffff_ffffn) | 0 };
}
