/** Powers of tau as snarkjs keeps them (snarkjs/src/powersoftau_new.js), whole in memory. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { baseModulus, fieldBytes, toBytesLe } from "../formats/bn254-numbers.ts";
import { readPtauHeader } from "../formats/ptau-file.ts";
import { fileHeadBytes, sectionHeadBytes } from "../formats/zkey-layout.ts";
import type { Group } from "../keys/fixed-base.ts";
import { shared } from "../keys/setup-pool.ts";

const HEADER = 1;
const CONTRIBUTIONS = 7;

/** Powers of tau in G1 and in G2, times alpha, times beta, and beta in G2: in the order in which they are hashed. */
export const POWER_SECTIONS = [
  { id: 2, group: "g1", prepared: 12, countOf: (size: number) => 2 * size - 1 },
  { id: 3, group: "g2", prepared: 13, countOf: (size: number) => size },
  { id: 4, group: "g1", prepared: 14, countOf: (size: number) => size },
  { id: 5, group: "g1", prepared: 15, countOf: (size: number) => size },
  { id: 6, group: "g2", prepared: null, countOf: () => 1 },
] as const satisfies readonly {
  id: number;
  group: Group;
  /** Of the values of Lagrange's polynomials at tau, for every power of two. */
  prepared: number | null;
  countOf: (size: number) => number;
}[];

export interface Powers {
  readonly power: number;
  /** Of POWER_SECTIONS, each shared with worker threads. */
  readonly points: readonly Uint8Array[];
  /** The section as it is: their number, then each. */
  readonly contributions: Uint8Array;
}

/** @throws RollupError PRV_PTAU_INVALID */
export async function readPowers(path: string): Promise<Powers> {
  const { power, sections } = await readPtauHeader(path, { isPrepared: false });
  const bytes = readFileSync(path);
  const contentOf = (id: number) => {
    const { position, byteCount } = sections.get(id)!;
    const content = shared(byteCount);
    content.set(bytes.subarray(position, position + byteCount));
    return content;
  };
  return {
    power,
    points: POWER_SECTIONS.map(({ id }) => contentOf(id)),
    contributions: new Uint8Array(contentOf(CONTRIBUTIONS)),
  };
}

/** @param prepared by section: the file appears whole or not at all */
export function writePowers(path: string, powers: Powers, prepared: ReadonlyMap<number, Uint8Array>): void {
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(powers.power, 0);
  sizes.writeUInt32LE(powers.power, 4);
  const sections: [number, Uint8Array][] = [
    [HEADER, Buffer.concat([Buffer.from([fieldBytes, 0, 0, 0]), toBytesLe(baseModulus), sizes])],
    ...POWER_SECTIONS.map(({ id }, i): [number, Uint8Array] => [id, powers.points[i]!]),
    [CONTRIBUTIONS, powers.contributions],
    ...prepared,
  ];
  const part = `${path}.${process.pid}.part`;
  const out = openSync(part, "w");
  try {
    const head = Buffer.alloc(fileHeadBytes);
    head.write("ptau", "latin1");
    head.writeUInt32LE(1, 4);
    // snarkjs counts all eleven where the file is prepared, and seven else.
    head.writeUInt32LE(sections.length, 8);
    writeSync(out, head);
    for (const [id, content] of sections) {
      const sectionHead = Buffer.alloc(sectionHeadBytes);
      sectionHead.writeUInt32LE(id, 0);
      sectionHead.writeBigUInt64LE(BigInt(content.length), 4);
      writeSync(out, sectionHead);
      for (let done = 0; done < content.length; ) done += writeSync(out, content, done);
    }
    fsyncSync(out);
    renameSync(part, path);
  } finally {
    closeSync(out);
    rmSync(part, { force: true });
  }
}
