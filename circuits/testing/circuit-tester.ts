/** Harness for tests of circom templates: compiles one, runs it on inputs, and tampers with its witness. */
import { readFile } from "node:fs/promises";
import { RollupError } from "@openledger/foundation/rollup-error";
import { type CompiledCircuit, compileCircuit } from "../compiler/compile.ts";
import { type R1csHeader, readR1cs } from "../compiler/r1cs-reader.ts";
import { type CircuitInputs, WitnessCalculator } from "../compiler/witness-calculator.ts";
import { ConstraintRows } from "./rows/constraint-rows.ts";

/** A wire that took another value and no constraint noticed. */
interface TamperFinding {
  signal: string;
  wire: number;
  from: bigint;
  to: bigint;
}

interface TamperOptions {
  /**
   * Selects the signals to alter, by their full names (main.a.b[3]). Default: every wire that is not an
   * input.
   */
  only?: (signal: string) => boolean;
  /** Powers k to try as additions of 2^k: the alias that a missing range check of k bits lets through. */
  aliasBits?: readonly number[];
  /** Further values to add. */
  changes?: readonly bigint[];
  /** Field elements that replace the signal, and that are added to it. */
  aliases?: readonly bigint[];
}

/** Each holds tens of megabytes. */
const MAX_LOADED = 4;
const loaded = new Map<string, Promise<CircuitTester>>();

/**
 * Tester of the constraints themselves, not of the witness program: a dishonest prover has to satisfy the
 * constraints alone.
 */
export class CircuitTester {
  readonly circuit: CompiledCircuit;
  readonly header: R1csHeader;
  readonly #calculator: WitnessCalculator;
  readonly #wireOfSignal = new Map<string, number>();
  #readRows: ConstraintRows | null = null;
  #signalOfWire: ReadonlyMap<number, string> | null = null;

  /** Compiles the source (from the cache where possible) with symbols and loads the result. */
  static async compile(name: string, mainSource: string): Promise<CircuitTester> {
    return CircuitTester.load(await compileCircuit({ name, mainSource, keepSym: true }));
  }

  /**
   * Compiles a circuit, as `compile` does. Files of one process share the newest testers: to read a large circuit takes
   * seconds.
   */
  static compileSpec({ name, mainSource }: { name: string; mainSource: string }): Promise<CircuitTester> {
    const key = `${name}\n${mainSource}`;
    const tester = loaded.get(key) ?? CircuitTester.compile(name, mainSource);
    loaded.delete(key);
    loaded.set(key, tester);
    for (const oldest of loaded.keys()) {
      if (loaded.size <= MAX_LOADED) break;
      loaded.delete(oldest);
    }
    return tester;
  }

  static async load(circuit: CompiledCircuit): Promise<CircuitTester> {
    const calculator = new WitnessCalculator(await readFile(circuit.wasmPath));
    return new CircuitTester(circuit, calculator, await readFile(circuit.symPath, "utf8"));
  }

  private constructor(circuit: CompiledCircuit, calculator: WitnessCalculator, symbols: string) {
    this.circuit = circuit;
    this.#calculator = calculator;
    // Label, wire, component, signal: a line each. Large circuits have a hundred thousand.
    for (let at = 0; at < symbols.length; ) {
      const end = (symbols.indexOf("\n", at) + 1 || symbols.length + 1) - 1;
      const wireAt = symbols.indexOf(",", at) + 1;
      const signalAt = symbols.lastIndexOf(",", end) + 1;
      if (wireAt > at && signalAt > wireAt)
        this.#wireOfSignal.set(
          symbols.slice(signalAt, end),
          Number.parseInt(symbols.slice(wireAt, wireAt + 12), 10),
        );
      at = end + 1;
    }
    this.header = readR1cs(circuit.r1csPath);
  }

  /** Rows, read by the first check of a witness: most forgeries have none. */
  get #rows(): ConstraintRows {
    this.#readRows ??= new ConstraintRows(this.circuit.r1csPath);
    return this.#readRows;
  }

  /** Number of constraints, linear ones included, as constraint-counts.json records it. */
  get constraintCount(): number {
    return this.header.constraintCount;
  }

  async calculateWitness(inputs: CircuitInputs): Promise<bigint[]> {
    return this.#calculator.calculate(inputs);
  }

  /** Computes the witness, and reads of it what a test asks for: reading all takes a quarter of the time. Holds to the next call. */
  calculate(inputs: CircuitInputs): { signal(name: string): bigint; witness(): bigint[] } {
    this.#calculator.run(inputs);
    return {
      signal: (name) => this.#calculator.readWire(this.wireOf(name)),
      witness: () =>
        Array.from({ length: this.header.wireCount }, (_, wire) => this.#calculator.readWire(wire)),
    };
  }

  checkConstraints(witness: readonly bigint[]): null | { constraintIndex: number } {
    const constraintIndex = this.#rows.firstBroken(witness);
    return constraintIndex === null ? null : { constraintIndex };
  }

  /** A main output (or input) by its declared name: a value, or the flat array of its values. */
  readOutput(witness: readonly bigint[], name: string): bigint | bigint[] {
    const single = this.#wireOfSignal.get(`main.${name}`);
    if (single !== undefined) return this.readSignal(witness, `main.${name}`);
    const signals = [...this.#wireOfSignal.keys()].filter((signal) => signal.startsWith(`main.${name}[`));
    if (signals.length === 0) throw unknownSignal(`main.${name}`);
    return signals.map((signal) => this.readSignal(witness, signal));
  }

  readSignal(witness: readonly bigint[], signal: string): bigint {
    return witness[this.wireOf(signal)]!;
  }

  /** The wire of a signal, for a test that forges it. Signals that were simplified away have none. */
  wireOf(signal: string): number {
    const wire = this.#wireOfSignal.get(signal);
    if (wire === undefined || wire < 0) throw unknownSignal(signal);
    return wire;
  }

  /** A copy of the witness with some signals replaced. */
  forge(witness: readonly bigint[], changes: Record<string, bigint>): bigint[] {
    const forged = [...witness];
    for (const [signal, value] of Object.entries(changes))
      forged[this.wireOf(signal)] = modulo(value, this.header.prime);
    return forged;
  }

  /**
   * Alters one wire of a valid witness at a time (+1, 0, −1, + 2^k) and returns what went unnoticed.
   * Only constraints that touch the wire can notice, so a circuit of 10,000 takes about a tenth of a second.
   */
  tamper(witness: readonly bigint[], options: TamperOptions = {}): TamperFinding[] {
    const { header } = this;
    const overlookedOf = this.#rows.overlookedChanges(witness);
    const firstInput = 1 + header.publicOutputCount;
    const firstInner = firstInput + header.publicInputCount + header.privateInputCount;
    const findings: TamperFinding[] = [];
    this.#signalOfWire ??= this.#firstSignals();
    for (let wire = 1; wire < header.wireCount; wire++) {
      const signal = this.#signalOfWire.get(wire) ?? `wire ${wire}`;
      const isInput = wire >= firstInput && wire < firstInner;
      if (options.only === undefined ? isInput : !options.only(signal)) continue;
      const isOverlooked = overlookedOf(wire);
      if (isOverlooked === null) continue;
      const from = witness[wire]!;
      const aliases = (options.aliasBits ?? [1, 64]).map((bits) => from + (1n << BigInt(bits)));
      const changed = (options.changes ?? []).map((change) => from + change);
      const input = (options.aliases ?? []).flatMap((alias) => [alias, from + alias]);
      const candidates = [from + 1n, 0n, -1n, ...aliases, ...changed, ...input].map((value) =>
        modulo(value, header.prime),
      );
      for (const to of new Set(candidates)) {
        if (to !== from && isOverlooked(to - from)) findings.push({ signal, wire, from, to });
      }
    }
    return findings;
  }

  #firstSignals(): Map<number, string> {
    const names = new Map<number, string>();
    for (const [signal, wire] of this.#wireOfSignal)
      if (wire >= 0 && !names.has(wire)) names.set(wire, signal);
    return names;
  }
}

function modulo(value: bigint, prime: bigint): bigint {
  return ((value % prime) + prime) % prime;
}

function unknownSignal(signal: string): RollupError {
  return new RollupError("CIR_SIGNAL_UNKNOWN", `${signal} is not a signal with a wire of its own`, {
    data: { signal },
  });
}
