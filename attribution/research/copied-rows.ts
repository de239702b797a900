import { SeededRandom } from "../maths/seeded-random.ts";
import type { LabelledRows } from "../rows/labelled-rows.ts";
import { type ContributorWorld, MARKET_SIDE, marketDuplicates, rowsOfContents } from "./gaming-market.ts";

/** Ways to make a row out of another's, each with strengths, ascending. */
export const COPY_WAYS = ["touch", "noise", "blend", "move"] as const;
export type CopyWay = (typeof COPY_WAYS)[number];

const PIXELS = MARKET_SIDE * MARKET_SIDE;
const STRENGTHS: Record<CopyWay, readonly number[]> = {
  /** Grey levels that one pixel changes by. */
  touch: [1],
  /** Grey levels that each pixel changes by, up or down. */
  noise: [16, 24, 32, 40, 48, 56, 64, 80, 96],
  /** Part of another digit of the same class, of the copyist's own. */
  blend: [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5],
  /** Pixels to the right. */
  move: [1, 2],
};

/**
 * The world's rows with the attacker's `victims.length` first ones replaced by copies of the victims. Where pixels are
 * compared (`isHiding`), each copy gets the least strength that is not found, if there is one, and `extraSteps` more.
 */
export function copiedRows(
  world: ContributorWorld,
  victims: readonly number[],
  { way, extraSteps, isHiding }: { way: CopyWay; extraSteps: number; isHiding: boolean },
  seed: string,
): LabelledRows {
  const { rows } = world;
  const contents = [...rows.contents];
  const strengths = STRENGTHS[way];
  const make = (k: number, step: number) =>
    copyOf(way, rows.contents[victims[k]!]!, strengths[Math.min(step, strengths.length - 1)]!, {
      world,
      name: `${seed}/copy/${k}`,
    });
  const others = rows.contents.length - victims.length;
  let found: readonly number[] = [...victims.keys()];
  for (let step = 0; step < strengths.length && found.length > 0; step++) {
    for (const k of found) contents[k] = make(k, step);
    if (!isHiding) break;
    const caught = new Set(
      marketDuplicates(rowsOfContents(contents, rows.classCount), victims.length).map(
        ({ later }) => later - others,
      ),
    );
    for (const k of found) if (!caught.has(k)) contents[k] = make(k, step + extraSteps);
    found = found.filter((k) => caught.has(k));
  }
  return rowsOfContents(contents, rows.classCount);
}

function copyOf(
  way: CopyWay,
  victim: Uint8Array,
  strength: number,
  { world, name }: { world: ContributorWorld; name: string },
): Uint8Array {
  const out = victim.slice();
  switch (way) {
    case "touch": {
      const lit = victim.findIndex((level) => level > 0 && level < 255);
      out[lit] = out[lit]! + strength;
      return out;
    }
    case "noise": {
      const random = new SeededRandom(name);
      for (let p = 0; p < PIXELS; p++) {
        const change = (random.nextUint32() & 1) === 0 ? strength : -strength;
        out[p] = Math.max(0, Math.min(255, victim[p]! + change));
      }
      return out;
    }
    case "blend": {
      const own = world.shadowRows.contents.find((content) => content[PIXELS] === victim[PIXELS])!;
      for (let p = 0; p < PIXELS; p++) out[p] = Math.round((1 - strength) * victim[p]! + strength * own[p]!);
      return out;
    }
    case "move": {
      for (let p = 0; p < PIXELS; p++) {
        out[p] = p % MARKET_SIDE < strength ? 0 : victim[p - strength]!;
      }
      return out;
    }
    default:
      return way satisfies never;
  }
}
