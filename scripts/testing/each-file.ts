/**
 * Setup of each test file: the arithmetic that its subject runs on, and for the next file of the same process the environment and
 * globals that it would have alone. Chains that its tests share end with it.
 */
import { chooseTestField } from "@openledger/circuits/testing/test-field";
import { keepSpareChains, stopSpareChains } from "@openledger/contracts/testing/spare-chains";
import { findBundle } from "@openledger/foundation/load-source";
import { afterAll, expect, vi } from "vitest";

chooseTestField(expect.getState().testPath!);
keepSpareChains();
afterAll(stopSpareChains);

const bytesOf = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
/** Vitest compares typed arrays element by element: a second for a megabyte. The same bytes are equal; of others it says where. */
function areSameBytes(a: unknown, b: unknown): boolean | undefined {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return undefined;
  return bytesOf(a).equals(bytesOf(b)) || undefined;
}
// Testers stay for the files that follow in this process, and its threads have the bundle that it finds once.
const shared = globalThis as { comparesBytes?: true };
if (shared.comparesBytes === undefined) {
  expect.addEqualityTesters([areSameBytes]);
  findBundle();
}
shared.comparesBytes = true;

const environment = { ...process.env };

afterAll(() => {
  vi.unstubAllGlobals();
  for (const name of Object.keys(process.env))
    if (!Object.hasOwn(environment, name)) delete process.env[name];
  Object.assign(process.env, environment);
});
