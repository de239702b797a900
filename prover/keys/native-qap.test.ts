/** Compares the native evaluation of a circuit's polynomials with WebAssembly's. */
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { findConstraints } from "@openledger/circuits/compiler/r1cs-reader";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { afterAll, describe, expect, test } from "vitest";
import { fieldBytes } from "../formats/bn254-numbers.ts";
import { buildBn254Image } from "../formats/bn254-wasm.ts";
import type { NativeSums } from "../native/native-addon.ts";
import { findAddon } from "../testing/oracle.fixtures.ts";
import { developmentSecrets } from "./development-secrets.ts";
import { evaluateNatively, publicWiresNatively } from "./native-qap.ts";
import { evaluatePublicWires, evaluateQap, type QapRequest } from "./qap-evaluation.ts";

const { addon } = findAddon();
const folder = mkdtempSync(join(tmpdir(), "native-qap-"));
afterAll(() => rmSync(folder, { recursive: true }));
const { constraintCounts, contentHash, publicCount, r1csPath, wireCount } = await compileCircuit(
  circuitSpec("leaf-exit"),
);
const request = {
  r1csPath,
  wireCount,
  publicCount,
  constraintCount: constraintCounts.nonLinear + constraintCounts.linear,
  domainSize: 2 ** 13,
  secrets: developmentSecrets(contentHash),
};

/** Everything that an evaluation gives: scalars, and the file. */
function evaluated(evaluate: (request: QapRequest) => number) {
  const path = join(folder, "terms");
  const file = openSync(path, "w+");
  const bytes = (count: number) => new Uint8Array(count * fieldBytes);
  const [a, b, ic, h] = [bytes(wireCount), bytes(wireCount), bytes(wireCount), bytes(2 ** 13)];
  const count = evaluate({ ...request, zkeyFd: file, coefficientsAt: 4, scalars: { a, b, ic, h } });
  closeSync(file);
  return {
    count,
    digests: [a, b, ic, h, readFileSync(path)].map((part) => createHash("sha256").update(part).digest("hex")),
  };
}

describe.skipIf(addon === null)("the addon's sums", () => {
  test("are WebAssembly's: scalars, terms, and those of the public wires alone", async () => {
    const image = await buildBn254Image();
    const done: number[] = [];
    const native = evaluated((whole) => evaluateNatively(addon!, whole, (count) => done.push(count)));
    expect(native).toEqual(evaluated((whole) => evaluateQap(image, whole, () => {})));
    expect(done.at(-1)).toBe(request.constraintCount);
    expect(Buffer.from(publicWiresNatively(addon!, request))).toEqual(
      Buffer.from(evaluatePublicWires(image, request)),
    );
  });

  test("are refused where constraints, wires or the domain do not fit", () => {
    const { byteCount, position } = findConstraints(r1csPath);
    const secrets = new Uint8Array(4 * fieldBytes);
    const open = (bytes: number, sizes: readonly number[]) =>
      addon!.openSums(r1csPath, position, bytes, new Uint8Array(Uint32Array.from(sizes).buffer), secrets);
    const sizes = [13, request.constraintCount, publicCount, wireCount, 1];
    const all = (bytes: number, own: readonly number[]) => addon!.nextTerms(open(bytes, own), 1 << 30);
    expect(all(byteCount, sizes).length).toBeGreaterThan(0);
    expect(() => all(byteCount - 1, sizes)).toThrow("cut off");
    expect(() => all(byteCount, [13, request.constraintCount, publicCount, wireCount - 1, 1])).toThrow(
      "wire",
    );
    expect(() => open(2 ** 40, sizes)).toThrow("cut off");
    expect(() => open(byteCount, [12, request.constraintCount, publicCount, wireCount, 1])).toThrow("sizes");
    expect(() => open(byteCount, [28, request.constraintCount, publicCount, wireCount, 1])).toThrow("domain");
    expect(() => addon!.wireSums(open(byteCount, sizes))).toThrow("left");
    const base: unknown = addon!.openBase(addon!.paths()[0]!, false, 2);
    expect(() => addon!.nextTerms(base as NativeSums, 1)).toThrow("what another load gives");
  });
});
