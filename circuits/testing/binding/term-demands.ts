/** Test support: what the terms of a table's equation are made of, read from rows, and which of it C leaves free. */
import type { Combination, Row } from "../rows/r1cs-rows.ts";

/** Known wires, by the source of the knowledge. */
interface KnownWires {
  /** Wires that C's elements fix. */
  readonly byC: ReadonlySet<number>;
  /** Functions of z, `powers` and `gamma` among them. */
  readonly challenges: ReadonlySet<number>;
  /** Powers of alpha. */
  readonly powers: ReadonlySet<number>;
  readonly gamma: number;
}

interface TermDemands {
  /** Inverses and products with a power of alpha. */
  readonly terms: ReadonlySet<number>;
  readonly products: ReadonlySet<number>;
  /** Weights, and coefficients of points, that C does not fix. */
  readonly problems: string[];
}

/** Requires that C alone fixes each weight and each coefficient of a point. */
export function demandTerms(
  rows: readonly Row[],
  names: ReadonlyMap<number, string>,
  { byC, challenges, powers, gamma }: KnownWires,
): TermDemands {
  const problems: string[] = [];
  const terms = new Set<number>();
  const products = new Set<number>();
  const of = (side: Combination) => [...side.keys()].filter((wire) => wire !== 0);
  const demand = (wires: readonly number[], what: string, allowed: (wire: number) => boolean) => {
    for (const wire of wires)
      if (!allowed(wire)) problems.push(`${what}: ${names.get(wire)} is free after C`);
  };
  const isPower = (side: Combination) => side.size === 1 && of(side).every((wire) => powers.has(wire));
  for (const { a, b, c } of rows)
    for (const [power, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!isPower(power) || power.size === 0 || of(c).every((wire) => challenges.has(wire))) continue;
      if (!of(c).every((wire) => !challenges.has(wire)) || of(other).some((wire) => challenges.has(wire)))
        continue;
      const [product] = of(c);
      products.add(product!);
      terms.add(product!);
      demand(of(other), `the factor of ${names.get(product!)}`, (wire) => byC.has(wire));
    }
  for (const { a, b, c } of rows)
    for (const [point, inverse] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!point.has(gamma) || inverse.size === 0) continue;
      const [x, ...more] = of(inverse);
      if (x === undefined || more.length > 0 || inverse.has(0)) throw new Error("an inverse that is no wire");
      terms.add(x);
      const name = names.get(x)!;
      demand(of(c), `the weight of ${name}`, (wire) => byC.has(wire));
      demand(of(point), `the point of ${name}`, (w) => challenges.has(w) || products.has(w) || byC.has(w));
    }
  return { terms, products, problems };
}
