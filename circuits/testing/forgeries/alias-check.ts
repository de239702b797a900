/**
 * Test support: each input of a circuit alone is altered under the honest z, by small steps and to the field elements that a
 * scaled or packed check would mistake for small numbers (field-aliases.ts). What is left is what a prover can still
 * choose once z is known.
 */
import { expect } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import type { CircuitTester } from "../circuit-tester.ts";
import { fieldAliases, shiftedDown } from "./field-aliases.ts";
import { noteRefusal, refusalOf } from "./refusal-check.ts";

/**
 * Widths of the inputs that the circuit itself bounds, by name: their bits, and the powers of two, in bits,
 * that packings and scaled checks multiply them with.
 */
export type InputWidths = Readonly<Record<string, readonly [width: number, ...shifts: readonly number[]]>>;

interface Position {
  readonly name: string;
  readonly path: readonly number[];
  readonly value: bigint;
}

const modulo = (x: bigint) => ((x % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

/** Positions of all scalars of the inputs but z. */
function* positionsOf(inputs: CircuitInputs): Generator<Position> {
  function* visit(name: string, path: readonly number[], value: unknown): Generator<Position> {
    if (typeof value === "object")
      for (const [i, part] of [...(value as Iterable<unknown>)].entries())
        yield* visit(name, [...path, i], part);
    else yield { name, path, value: BigInt(value as bigint) };
  }
  for (const [name, value] of Object.entries(inputs)) if (name !== "z") yield* visit(name, [], value);
}

/** The inputs with one scalar replaced. */
function withScalar(inputs: CircuitInputs, { name, path }: Position, to: bigint): CircuitInputs {
  const replaced = (value: unknown, [i, ...rest]: readonly number[]): unknown =>
    i === undefined
      ? to
      : [...(value as Iterable<unknown>)].map((part, k) => (k === i ? replaced(part, rest) : part));
  return { ...inputs, [name]: replaced(inputs[name], path) as bigint };
}

/**
 * Alters every input alone. Beyond its width it must be refused. Within, or where the circuit bounds it by a hash only, it must
 * be refused or make another C or y, which is another statement.
 *
 * @param widths of inputs that have a range of their own; every other input is altered, too
 * @param only names of inputs to alter, where others are known from another circuit's test
 * @returns inputs that a prover may choose after z: `name.place`
 */
export async function freeInputs(
  tester: CircuitTester,
  inputs: CircuitInputs,
  widths: InputWidths,
  only?: ReadonlySet<string>,
): Promise<string[]> {
  const { witness: honest } = (await refusalOf(tester, inputs)) as { witness: bigint[] };
  const free = new Set<string>();
  for (const position of positionsOf(inputs)) {
    const { name, path, value } = position;
    if (only?.has(name) === false) continue;
    const [width, ...shifts] = widths[name] ?? [];
    const beyond = width === undefined ? [] : fieldAliases(width, shifts);
    const steps = [value + 1n, value - 1n, value ^ 1n, 0n, -value, value + 0x1234567n];
    const carries = [24, ...shifts].map((shift) => value + shiftedDown(1n, shift));
    // Matrices that a hash binds, paths above all, are large: one other value each.
    const isHashed = width === undefined && path.length > 1;
    const tried = isHashed ? [value + 1n] : [...steps, ...carries, ...beyond];
    for (const to of new Set(tried.map(modulo))) {
      if (to === modulo(value)) continue;
      const outcome = await refusalOf(tester, withScalar(inputs, position, to));
      if (Array.isArray(outcome)) {
        if (to >= 2n ** 128n) noteRefusal(`an alias of ${name}`, outcome, outcome.at(-1)!);
        continue;
      }
      const { witness } = outcome as { witness: bigint[] };
      expect(width === undefined || to < 1n << BigInt(width), `${name}.${path}: ${to}`).toBe(true);
      if (witness[1] === honest[1] && witness[2] === honest[2]) free.add([name, ...path].join("."));
    }
  }
  return [...free];
}

/** Inner wires that could hold an alias, or the honest value and an alias, while all others stay: hints that nothing pins. */
export function looseWires(
  tester: CircuitTester,
  witness: readonly bigint[],
  shifts: readonly number[],
): string[] {
  const aliases = fieldAliases(1, shifts);
  return [...new Set(tester.tamper(witness, { aliases }).map(({ signal }) => signal))];
}
