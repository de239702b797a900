/**
 * Damages of LevelDB's files, one at a time, for the tests of all stores: every way in which a file may not
 * be what was written.
 */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { STORE_FILE } from "../store/store-identity.ts";

interface Damage {
  readonly name: string;
  apply(folder: string): void;
}

/** LOCK and LOG hold nothing; the rest is ours, and the store's record. */
const HELD = /^(\d+\.(log|ldb)|MANIFEST-\d+|CURRENT|DURABLE-.*|STORE\.json)$/;

/** @param flipsPerFile bytes in which a bit is flipped, evenly spread over each file, its first and last byte among them */
function damagesOf(folder: string, flipsPerFile: number): Damage[] {
  const names = readdirSync(folder).sort();
  const held = names.filter((name) => HELD.test(name));
  const all: Damage[] = [];
  for (const name of names) {
    all.push({ name: `${name} missing`, apply: (at) => rmSync(join(at, name)) });
    all.push({ name: `${name} a folder`, apply: (at) => inItsAddress(at, name, (path) => mkdirSync(path)) });
    all.push({ name: `${name} emptied`, apply: (at) => writeFileSync(join(at, name), "") });
  }
  for (const name of held) {
    const bytes = readFileSync(join(folder, name));
    for (const share of [0.1, 0.5, 0.9]) {
      const byteCount = Math.floor(bytes.length * share);
      all.push({
        name: `${name} cut to ${byteCount}`,
        apply: (at) => writeFileSync(join(at, name), bytes.subarray(0, byteCount)),
      });
    }
    all.push({
      name: `${name} without its last byte`,
      apply: (at) => writeFileSync(join(at, name), bytes.subarray(0, -1)),
    });
    all.push({
      name: `${name} with more`,
      apply: (at) => writeFileSync(join(at, name), Buffer.concat([bytes, bytes])),
    });
    for (const offset of offsetsIn(bytes.length, flipsPerFile))
      all.push({ name: `${name} flipped at ${offset}`, apply: (at) => flip(join(at, name), offset) });
    for (const other of held)
      if (other > name)
        all.push({ name: `${name} and ${other} swapped`, apply: (at) => swap(at, name, other) });
  }
  return all;
}

function offsetsIn(length: number, count: number): number[] {
  const last = length - 1;
  const steps = Math.min(count - 1, last);
  return [
    ...new Set(Array.from({ length: steps + 1 }, (_, i) => Math.round((i * last) / Math.max(1, steps)))),
  ];
}

function inItsAddress(folder: string, name: string, make: (path: string) => void): void {
  rmSync(join(folder, name));
  make(join(folder, name));
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 1 << (offset % 8);
  writeFileSync(path, bytes);
}

function swap(folder: string, a: string, b: string): void {
  renameSync(join(folder, a), join(folder, "swapped"));
  renameSync(join(folder, b), join(folder, a));
  renameSync(join(folder, "swapped"), join(folder, b));
}

/**
 * Opens a copy with each damage: it holds everything, or names one of the codes with a remedy, and does so the next time too.
 * Its files are all left then, except where the end of a log is what is missing: LevelDB is asked for the number of
 * writes, and moves the rest of the log into a table first.
 * @param read opens the store in a folder, reads all of it, closes it
 * @returns how often each outcome came
 */
export async function tryDamages(
  intact: string,
  options: { codes: readonly string[]; flipsPerFile: number; read: (folder: string) => Promise<unknown> },
): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  const copy = `${intact}.damaged`;
  const copyOfIntact = () => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(intact, copy, { recursive: true });
  };
  copyOfIntact();
  const expected = await options.read(copy);
  for (const damage of damagesOf(intact, options.flipsPerFile)) {
    copyOfIntact();
    damage.apply(copy);
    const before = heldIn(copy);
    const outcome = await options.read(copy).then(
      (found) => {
        expect(found, damage.name).toEqual(expected);
        return "everything";
      },
      (error: { code?: string; message: string; data?: { remedy?: string } }) => {
        // A store without its record is one of an unknown format.
        const codes = damage.name === `${STORE_FILE} missing` ? ["SRV_STORE_FORMAT"] : options.codes;
        expect(codes, `${damage.name}: ${error.message}`).toContain(error.code);
        expect(error.data?.remedy?.length, damage.name).toBeGreaterThan(20);
        expect(error.message, damage.name).toContain(error.data!.remedy!);
        return error.code!;
      },
    );
    if (outcome !== "everything") {
      if (!/\.log|DURABLE/.test(damage.name))
        expect(missingFrom(before, heldIn(copy)), damage.name).toEqual([]);
      await expect(options.read(copy), `${damage.name}, again`).rejects.toMatchObject({ code: outcome });
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  rmSync(copy, { recursive: true, force: true });
  return outcomes;
}

const heldIn = (folder: string) =>
  readdirSync(folder).filter((name) => HELD.test(name) && statSync(join(folder, name)).isFile());
const missingFrom = (before: readonly string[], after: readonly string[]) =>
  before.filter((name) => !after.includes(name));
