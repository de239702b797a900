import { type Code, i32, v128 } from "@openledger/foundation/wasm/assembler";

/** Constants that kernels read from memory, each in both lanes. */
export class ConstantPool {
  readonly #baseAddress: number;
  readonly #values: number[] = [];

  constructor(baseAddress: number) {
    this.#baseAddress = baseAddress;
  }

  /** Code that loads the constant. */
  load(value: number): Code {
    let index = this.#values.indexOf(value);
    if (index < 0) index = this.#values.push(value) - 1;
    return v128.load(i32.const(this.#baseAddress + 16 * index));
  }

  /** What the host writes at the base address before any kernel runs. */
  get image(): Float64Array {
    return Float64Array.from(this.#values.flatMap((value) => [value, value]));
  }
}
