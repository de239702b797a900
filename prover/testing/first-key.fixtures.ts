import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zKey } from "snarkjs";
import { fieldBytes, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { makeFirstKey } from "../keys/first-key.ts";
import { FixedBase, type Group, pointBytesOf } from "../keys/fixed-base.ts";
import { POWER_SECTIONS, writePowers } from "../powers/powers-file.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";

/** Of a linear combination: wire and coefficient. */
type Terms = readonly (readonly [wire: number, coefficient: bigint])[];

export interface SmallR1cs {
  readonly wireCount: number;
  readonly publicCount: number;
  readonly constraints: readonly (readonly [Terms, Terms, Terms])[];
}

/** A file as circom writes it, without names of wires. */
export function writeR1cs(path: string, { constraints, publicCount, wireCount }: SmallR1cs): void {
  const u32 = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
  const section = (id: number, content: Buffer) => Buffer.concat([u32(id, content.length, 0), content]);
  const counts = u32(
    wireCount,
    publicCount,
    0,
    wireCount - publicCount - 1,
    wireCount,
    0,
    constraints.length,
  );
  const rows = constraints
    .flat()
    .flatMap((terms) => [
      u32(terms.length),
      ...terms.flatMap(([wire, value]) => [u32(wire), toBytesLe(value)]),
    ]);
  const head = Buffer.concat([Buffer.from("r1cs"), u32(1, 2)]);
  const header = Buffer.concat([u32(fieldBytes), toBytesLe(scalarModulus), counts]);
  writeFileSync(path, Buffer.concat([head, section(1, header), section(2, Buffer.concat(rows))]));
}

/** Of the form of prepared powers, but any points: a first key takes them as they are. */
export function writeAnyPowers(path: string, power: number): void {
  const image = buildKernelImage();
  const scalars = Array.from({ length: 1_009 }, (_, i) =>
    toBytesLe((7n * BigInt(i) + 1n) ** 60n % scalarModulus),
  );
  const base = (group: Group) => new FixedBase(image, group, 8).multiply(Buffer.concat(scalars));
  const some = { g1: base("g1"), g2: base("g2") };
  const pointsOf = (group: Group, count: number, first: number) => {
    const bytes = pointBytesOf(group);
    const out = new Uint8Array(count * bytes);
    for (let i = 0; i < count; i++) {
      const from = ((first + 10 * i) % scalars.length) * bytes;
      out.set(some[group].subarray(from, from + bytes), i * bytes);
    }
    return out;
  };
  const size = 2 ** power;
  const points = POWER_SECTIONS.map(({ countOf, group }, i) => pointsOf(group, countOf(size), i));
  const prepared = POWER_SECTIONS.flatMap(({ group, prepared: id }, i): [number, Uint8Array][] =>
    id === null ? [] : [[id, pointsOf(group, (i === 0 ? 4 : 2) * size - 1, id)]],
  );
  writePowers(path, { power, points, contributions: Buffer.from([1, 0, 0, 0]) }, new Map(prepared));
}

/** Whether `makeFirstKey` makes the bytes that snarkjs writes, and names the same circuit hash. */
export async function isFirstKeyOfSnarkjs(
  folder: string,
  r1csPath: string,
  ptauPath: string,
): Promise<boolean> {
  const theirs = join(folder, "theirs.zkey");
  const hash = await zKey.newZKey(r1csPath, ptauPath, theirs);
  const { bytes, circuitHash } = await makeFirstKey({ name: "compared", r1csPath }, ptauPath, () => {});
  return readFileSync(theirs).equals(bytes) && Buffer.from(circuitHash).equals(hash as Uint8Array);
}
