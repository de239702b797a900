/**
 * Straight-line formulas over a field, written once and emitted in either style: as WGSL statements for
 * graphics cards, or as a table that one loop interprets. SwiftShader inlines every call and its compiler
 * needs minutes for a point addition with its twenty products; the loop has a single one.
 */
type FieldOperation = "Mul" | "AddLazy" | "SubLazy" | "SubLazy4";

/** A value of a program, by its number: the inputs first, then the operations' results in order. */
export type Value = number;

interface Line {
  operation: FieldOperation;
  /** Brings a result below 4 p below 2 p. */
  isReduced: boolean;
  a: Value;
  b: Value;
  /**
   * For a product: whether the next line's is added to it or subtracted. The next line's value is the two products' sum,
   * which a card reduces once; this line's own value is for the interpreter alone.
   */
  next?: "Add" | "Sub";
}

/** Lines from `start` up to `end`, and the values they leave for the caller. */
export interface Segment {
  start: number;
  end: number;
  outputs: readonly Value[];
}

export class FieldProgram {
  readonly inputCount: number;
  readonly #lines: Line[] = [];

  constructor(inputCount: number) {
    this.inputCount = inputCount;
  }

  apply(operation: FieldOperation, a: Value, b: Value, isReduced = false): Value {
    this.#lines.push({ operation, isReduced, a, b });
    return this.inputCount + this.#lines.length - 1;
  }

  /** a b + c d, or a b - c d, below 2 p: see field-shader.ts for the factors' bounds. */
  applyTwo(next: "Add" | "Sub", [a, b]: readonly [Value, Value], [c, d]: readonly [Value, Value]): Value {
    this.#lines.push({ operation: "Mul", isReduced: false, a, b, next });
    return this.apply("Mul", c, d);
  }

  /** Ends the lines since the last segment. Segments may use all that came before them. */
  segment(build: () => readonly Value[]): Segment {
    const start = this.#lines.length;
    const outputs = build();
    return { start, end: this.#lines.length, outputs };
  }

  /** Statements that define v<number> for each of a segment's lines. */
  statements({ start, end }: Segment): string {
    return this.#lines
      .slice(start, end)
      .flatMap(({ operation, isReduced, a, b, next }, i) => {
        if (next !== undefined) return [];
        const before = this.#lines[start + i - 1];
        const call =
          before?.next !== undefined
            ? `FqMul${before.next}(v${before.a}, v${before.b}, v${a}, v${b})`
            : operation === "Mul" && a === b
              ? `FqSquare(v${a})`
              : `Fq${operation}(v${a}, v${b})`;
        return `    let v${this.inputCount + start + i} = ${isReduced ? `FqReduce(${call})` : call};`;
      })
      .join("\n");
  }

  /**
   * Registers for an interpreter that runs the segments in order, each perhaps skipped: a register is free
   * after its value's last use in any of them, inputs and outputs keep theirs.
   */
  registers(segments: readonly Segment[]): { of: (value: Value) => number; count: number } {
    const allOutputs = new Set(segments.flatMap(({ outputs }) => outputs));
    const lastUse = new Map<Value, number>();
    for (const [at, { a, b }] of this.#lines.entries()) {
      lastUse.set(a, at);
      lastUse.set(b, at);
    }
    const registers = Array.from({ length: this.inputCount }, (_, i) => i);
    const free: number[] = [];
    let count = this.inputCount;
    for (const [at, { a, b }] of this.#lines.entries()) {
      for (const value of new Set([a, b])) {
        if (value >= this.inputCount && !allOutputs.has(value) && lastUse.get(value) === at)
          free.push(registers[value]!);
      }
      registers.push(free.pop() ?? count++);
    }
    return { of: (value) => registers[value]!, count };
  }

  /**
   * A line as one word: operation 2 bits, reduction 1, whether the last line's product is added 1 or has this one
   * subtracted 1, then from bit 8 registers of a, b and the result.
   */
  encode(of: (value: Value) => number): number[] {
    const codes: readonly FieldOperation[] = ["Mul", "AddLazy", "SubLazy", "SubLazy4"];
    return this.#lines.map(({ operation, isReduced, a, b }, i) => {
      const left = of(a);
      const right = of(b);
      const result = of(this.inputCount + i);
      const before = this.#lines[i - 1]?.next;
      const code =
        codes.indexOf(operation) | (isReduced ? 4 : 0) | (before === "Add" ? 8 : before === "Sub" ? 16 : 0);
      return (code | (left << 8) | (right << 16) | (result << 24)) >>> 0;
    });
  }
}

/** `<name>Interpret(first, end)` on `<name>Registers`, for programs in the compact style. */
export function interpreter(name: string, program: FieldProgram, segments: readonly Segment[]): string {
  const { of, count } = program.registers(segments);
  const words = program.encode(of);
  return `
var<private> ${name}Registers: array<Fq, ${count}>;
var<private> ${name}Program: array<u32, ${words.length}> = array<u32, ${words.length}>(${words
    .map((word) => `${word}u`)
    .join(", ")});
fn ${name}Interpret(first: u32, end: u32) {
  var last: Fq;
  for (var line = first; line < end; line++) {
    let word = ${name}Program[line];
    let a = ${name}Registers[(word >> 8u) & 255u];
    let b = ${name}Registers[(word >> 16u) & 255u];
    var result: Fq;
    switch (word & 3u) {
      case 0u: { result = FqMul(a, b); }
      case 1u: { result = FqAddLazy(a, b); }
      case 2u: { result = FqSubLazy(a, b); }
      default: { result = FqSubLazy4(a, b); }
    }
    if ((word & 8u) != 0u) { result = FqAddLazy(last, result); }
    if ((word & 16u) != 0u) { result = FqSubLazy(last, result); }
    if ((word & 28u) != 0u) { result = FqReduce(result); }
    last = result;
    ${name}Registers[word >> 24u] = result;
  }
}`;
}
