/**
 * Layout of a circuit that is composed of parts, which circom compiles one by one
 * (docs/explanation/composition.md). Two copies that name the same net share its wire; all other wires of a
 * copy are its own. Composition adds no rows: the rows of the whole are those of its copies.
 */

import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";

/**
 * Part's circom text. Its public signals are its ports, which it shares with other copies. All others are its
 * own.
 */
export interface PartSpec {
  readonly name: string;
  readonly mainSource: string;
}

export interface PartCopy {
  /** Index into `parts`. */
  readonly part: number;
  /** The copy's component in the circuit that circom would compile whole, "main.n[3]": for comparing the two. */
  readonly component: string;
  /**
   * The net at a port; ports are named as circom names signals, without the component: "words[3]". A net that is an
   * input or output of the whole has its name. For an input that only this copy has, it gives the name of the whole's
   * input.
   */
  readonly netOf: (port: string) => string;
}

export interface Composition {
  readonly parts: readonly PartSpec[];
  /** Copies in the order of their rows and wires. */
  readonly copies: readonly PartCopy[];
  /** Nets that are the whole's public signals, in order. */
  readonly publicOutputs: readonly string[];
  readonly publicInputs: readonly string[];
  /**
   * True if a part's wires are computed by steps instead of circom's program, if steps could be derived for
   * it (row-steps.ts).
   */
  readonly hasSteps?: boolean;
  /** Plan for the witness step; part of the content hash and of composition.json. */
  readonly plan: Readonly<Record<string, string | number>>;
}

/** Interface of a compiled part. Wires: the constant 1, its ports, then its own. */
export interface PartShape {
  readonly wireCount: number;
  /** The name of the port at wire 1 + index. */
  readonly ports: readonly string[];
  readonly outputCount: number;
  /**
   * Rows that only say that two ports are equal. circom drops such a row and one of the signals, unless both are public:
   * as in the part, but not in the whole. So the whole has one wire for both, and not the row.
   */
  readonly equalities: readonly { readonly row: number; readonly ports: readonly [number, number] }[];
}

interface CopyLayout {
  readonly part: number;
  /** The whole's wire of each port. */
  readonly ports: readonly number[];
  /** The whole's wire of the copy's first own wire; its others follow in the part's order. */
  readonly firstWire: number;
}

/** Wires of the whole: the constant 1, public outputs, public inputs, the other nets, the copies' own wires. */
export interface CompositionLayout {
  readonly wireCount: number;
  readonly publicOutputCount: number;
  readonly publicInputCount: number;
  readonly copies: readonly CopyLayout[];
}

/** @throws RollupError CIR_COMPOSITION_INVALID if a public signal is no net of any copy, or equal to another */
export function layOutComposition(composition: Composition, parts: readonly PartShape[]): CompositionLayout {
  const publicNets = [...composition.publicOutputs, ...composition.publicInputs];
  const joined = new JoinedNets();
  for (const net of publicNets) joined.add(net);
  const isNew = joined.count === publicNets.length;
  const nets = composition.copies.map(({ part, netOf }) => parts[part]!.ports.map(netOf));
  const used = new Set(nets.flat());
  const missing = publicNets.filter((net) => !used.has(net));
  if (missing.length > 0 || !isNew)
    throw compositionError(`no copy has the public signals ${missing.join(", ")}, or one is named twice`);
  for (const net of used) joined.add(net);
  for (const [i, { part }] of composition.copies.entries())
    for (const { ports } of parts[part]!.equalities) joined.join(nets[i]![ports[0]]!, nets[i]![ports[1]]!);

  const firsts = joined.firsts();
  if (publicNets.some((net, i) => firsts[i] !== net)) throw compositionError("two public signals are equal");
  const wireOfNet = new Map(firsts.map((net, i) => [net, 1 + i]));
  let wireCount = 1 + firsts.length;
  const copies = composition.copies.map(({ part }, i) => {
    const { wireCount: partWires, ports } = parts[part]!;
    const portWires = nets[i]!.map((net) => wireOfNet.get(joined.firstOf(net))!);
    const copy = { part, ports: portWires, firstWire: wireCount };
    wireCount += partWires - 1 - ports.length;
    return copy;
  });
  return {
    wireCount,
    publicOutputCount: composition.publicOutputs.length,
    publicInputCount: composition.publicInputs.length,
    copies,
  };
}

/** Nets in the order of their addition. Of joined nets the first stands for all. */
class JoinedNets {
  readonly #order = new Map<string, number>();
  readonly #first = new Map<string, string>();

  get count(): number {
    return this.#order.size;
  }

  add(net: string): void {
    if (!this.#order.has(net)) this.#order.set(net, this.#order.size);
  }

  firstOf(net: string): string {
    let first = net;
    for (let next = this.#first.get(first); next !== undefined; next = this.#first.get(first)) first = next;
    return first;
  }

  join(a: string, b: string): void {
    const [x, y] = [this.firstOf(a), this.firstOf(b)];
    if (x === y) return;
    const isInOrder = this.#order.get(x)! < this.#order.get(y)!;
    this.#first.set(isInOrder ? y : x, isInOrder ? x : y);
  }

  firsts(): string[] {
    return [...this.#order.keys()].filter((net) => !this.#first.has(net));
  }
}

/**
 * The signals of circom's symbol file by wire: a wire may have several, signals that were simplified away have none.
 * Each line is label, wire (−1 if there is none), component's number, name.
 */
export function* readSymbols(text: string): Generator<{ wire: number; signal: string }> {
  for (let from = 0; from < text.length; ) {
    const found = text.indexOf("\n", from);
    const end = found < 0 ? text.length : found;
    const [, wire, , signal] = text.slice(from, end).split(",");
    if (signal !== undefined && wire !== "-1") yield { wire: Number(wire), signal };
    from = end + 1;
  }
}

/** Names of a part's public signals in the order of their wires. @throws RollupError CIR_COMPOSITION_INVALID */
export function portNames(symbols: string, publicCount: number): string[] {
  const names: string[] = [];
  for (const { wire, signal } of readSymbols(symbols)) {
    if (wire < 1 || wire > publicCount || signal.indexOf(".") !== signal.lastIndexOf(".")) continue;
    if (names[wire - 1] !== undefined)
      throw compositionError(`${names[wire - 1]} and ${signal} are one wire`);
    names[wire - 1] = signal.slice(signal.indexOf(".") + 1);
  }
  const known = names.filter((name) => name !== undefined).length;
  if (known !== publicCount) throw compositionError(`${known} of ${publicCount} public signals have a name`);
  return names;
}

export function compositionError(reason: string): RollupError {
  return circuitError("CIR_COMPOSITION_INVALID", `the parts do not make a circuit: ${reason}`, {
    data: { reason },
  });
}
