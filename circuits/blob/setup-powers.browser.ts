/**
 * Version of `setup-powers.ts` for pages, the points of Ethereum's KZG trusted setup: the build packs the points, 96 bytes each
 * (`web/build/packed-powers.ts`).
 */
import type { SetupPoint } from "./setup-powers.ts";

const COORDINATE_BYTES = 48;

export async function setupPowers(): Promise<readonly SetupPoint[]> {
  const { default: base64 } = await import("virtual:setup-powers");
  const digits = Array.from(atob(base64), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join(
    "",
  );
  const coordinate = (at: number) =>
    BigInt(`0x${digits.slice(2 * COORDINATE_BYTES * at, 2 * COORDINATE_BYTES * (at + 1))}`);
  const count = digits.length / (4 * COORDINATE_BYTES);
  return Array.from({ length: count }, (_, i) => ({ x: coordinate(2 * i), y: coordinate(2 * i + 1) }));
}
