import { type Bn254Image, Bn254Instance, fieldBytes } from "./bn254-wasm.ts";

/** Bits of a scalar below the group's order. */
const scalarBits = 254;
const batchSize = 1024;

/**
 * Bits of a window for so many points. Wider windows need fewer additions a point, but 2^bits table entries
 * for each of their 254 / bits positions; 13 bits in G1 are 20 * 8192 points, 10 MB. Measured on two cores.
 */
export function chooseWindowBits(group: Group, pointCount: number): number {
  if (pointCount < 1 << 14) return 7;
  if (pointCount < 1 << 19) return group === "g1" ? 13 : 12;
  return group === "g1" ? 15 : 13;
}

export type Group = "g1" | "g2";

/** Multiplies the generator of one group with many scalars, through tables of its multiples. */
export class FixedBase {
  readonly pointBytes: number;
  readonly #wasm: Bn254Instance;
  readonly #prefix: string;
  readonly #windowBits: number;
  readonly #pTables: number[] = [];
  readonly #pScalars: number;
  readonly #pAcc: number;
  readonly #pPairs: number;
  readonly #pDen: number;
  readonly #pPrefix: number;

  /** Builds the tables: about 0.3 s in G1 at 13 bits, 0.5 s in G2 at 12. windowBits is at most 16. */
  constructor(image: Bn254Image, group: Group, windowBits: number) {
    const coordinateBytes = group === "g1" ? fieldBytes : 2 * fieldBytes;
    this.pointBytes = 2 * coordinateBytes;
    this.#prefix = group === "g1" ? "g1m" : "g2m";
    this.#windowBits = windowBits;
    const windowCount = Math.ceil(scalarBits / this.#windowBits);
    const tableSize = 1 << this.#windowBits;
    const tableBytes = windowCount * tableSize * this.pointBytes;
    const jacobianBytes = 3 * coordinateBytes;
    this.#wasm = new Bn254Instance(image, tableBytes + tableSize * jacobianBytes * 2 + (4 << 20));
    this.#pScalars = this.#wasm.allocate(batchSize * fieldBytes + 8); // a digit is loaded as 4 bytes
    this.#pAcc = this.#wasm.allocate(batchSize * this.pointBytes);
    this.#pPairs = this.#wasm.allocate(batchSize * 8);
    this.#pDen = this.#wasm.allocate(batchSize * coordinateBytes);
    this.#pPrefix = this.#wasm.allocate((batchSize + 1) * coordinateBytes);
    this.#buildTables(
      group === "g1" ? image.generatorG1 : image.generatorG2,
      windowCount,
      tableSize,
      jacobianBytes,
    );
  }

  /** Affine points in Montgomery form for scalars of 32 bytes each, little-endian, below r. */
  multiply(scalars: Uint8Array): Uint8Array {
    const count = scalars.length / fieldBytes;
    const points = new Uint8Array(count * this.pointBytes);
    for (let start = 0; start < count; start += batchSize) {
      const n = Math.min(batchSize, count - start);
      this.#wasm.bytes.set(scalars.subarray(start * fieldBytes, (start + n) * fieldBytes), this.#pScalars);
      this.#wasm.bytes.fill(0, this.#pAcc, this.#pAcc + n * this.pointBytes);
      for (const [window, pTable] of this.#pTables.entries()) this.#addWindow(window, pTable, n);
      points.set(
        this.#wasm.bytes.subarray(this.#pAcc, this.#pAcc + n * this.pointBytes),
        start * this.pointBytes,
      );
    }
    return points;
  }

  #addWindow(window: number, pTable: number, n: number): void {
    const bit = window * this.#windowBits;
    const width = Math.min(this.#windowBits, scalarBits - bit);
    this.#wasm.call[`${this.#prefix}_fixedBaseWindow`]!(
      pTable,
      this.#pScalars + (bit >> 3),
      bit & 7,
      (1 << width) - 1,
      n,
      this.#pAcc,
      this.#pPairs,
      this.#pDen,
      this.#pPrefix,
    );
  }

  #buildTables(generator: number, windowCount: number, tableSize: number, jacobianBytes: number): void {
    const { call } = this.#wasm;
    const prefix = this.#prefix;
    const pMultiples = this.#wasm.allocate(tableSize * jacobianBytes);
    const pBase = this.#wasm.allocate(jacobianBytes);
    const pBaseAffine = this.#wasm.allocate(this.pointBytes);
    call[`${prefix}_copy`]!(generator, pBase);
    for (let window = 0; window < windowCount; window++) {
      call[`${prefix}_toAffine`]!(pBase, pBaseAffine);
      call[`${prefix}_zero`]!(pMultiples);
      for (let i = 1; i < tableSize; i++) {
        const at = pMultiples + i * jacobianBytes;
        call[`${prefix}_addMixed`]!(at - jacobianBytes, pBaseAffine, at);
      }
      const pTable = this.#wasm.allocate(tableSize * this.pointBytes);
      this.#pTables.push(pTable);
      call[`${prefix}_batchToAffine`]!(pMultiples, tableSize, pTable);
      // The next window's base: one more step than the last entry.
      call[`${prefix}_addMixed`]!(pMultiples + (tableSize - 1) * jacobianBytes, pBaseAffine, pBase);
    }
  }
}
