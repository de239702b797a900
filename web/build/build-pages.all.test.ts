import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { gunzipSync, gzipSync } from "node:zlib";
import { sampleBlob } from "@openledger/bridge/testing/blob-server";
import { setupPowers } from "@openledger/circuits/blob/setup-powers";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { leafExitCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import { describe, expect, it } from "vitest";
import { weighPages } from "../testing/weigh-pages.ts";
import { buildPages, singleFilePageOf } from "./build-pages.ts";

const BUDGET_BYTES = 300_000;
const [, { x: tauX } = { x: 0n }] = await setupPowers();
const TAU_X = tauX.toString(16).padStart(96, "0");
const NOTHING = { circuits: [], exits: [] };

describe("the built pages", () => {
  it("are found again while no source has changed, and hold nothing inline or from elsewhere", async () => {
    const { path } = await buildPages(NOTHING);
    expect(await buildPages(NOTHING)).toEqual({ path, isNew: false });
    const html = readFileSync(join(path, "index.html"), "utf8");
    expect(html.match(/<(script|link|img)\b[^>]*/g)!.length).toBeGreaterThan(2);
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(address).toMatch(/^\.\/assets\//);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/);
  });

  it("weigh less than 300 kB compressed, the typeface counted in, before what is fetched later", async () => {
    const { path } = await buildPages(NOTHING);
    const { firstBytes, laterBytes, proverBytes } = weighPages(path);
    const kb = (bytes: number) => Math.round(bytes / 1000);
    console.log(
      `pages ${JSON.stringify({ compressedKb: kb(firstBytes), laterKb: kb(laterBytes), proverKb: kb(proverBytes) })}`,
    );
    // Files that are fetched later are there, and not at once.
    expect(laterBytes).toBeGreaterThan(100_000);
    expect(firstBytes).toBeGreaterThan(100_000);
    expect(firstBytes).toBeLessThan(BUDGET_BYTES);
  });
});

describe("the worker that checks blobs", () => {
  it("has the setup in it, which no page carries, and tells a blob from another one", async () => {
    const { path } = await buildPages(NOTHING);
    const script = readFileSync(join(path, "exit", "blob-worker.js"), "utf8");
    const kb = Math.round(gzipSync(script, { level: 9 }).length / 1000);
    console.log(`blob worker ${JSON.stringify({ compressedKb: kb })}`);
    // 393 kB of points, and the curve.
    expect(kb).toBeLessThan(500);
    // The setup's second power of τ, as every packing of it has it.
    const packed = Buffer.from(TAU_X.slice(0, 90), "hex").toString("base64");
    expect(script).toContain(packed);
    for (const name of readdirSync(join(path, "assets"))) {
      const asset = readFileSync(join(path, "assets", name));
      for (const sign of [packed, TAU_X]) expect(asset.includes(sign), name).toBe(false);
    }
    const answers: unknown[] = [];
    const worker = createContext({
      atob,
      postMessage: (answer: unknown) => answers.push(answer),
      TextEncoder,
    });
    runInContext(script, worker);
    const [right, other] = [await sampleBlob([3n, 1n << 184n]), await sampleBlob([4n])];
    for (const { bytes } of [right, other])
      worker.onmessage({ data: { bytes, versionedHash: right.versionedHash } });
    await expect.poll(() => answers, { timeout: 20_000 }).toHaveLength(2);
    expect(answers).toEqual([
      { kind: "checked", coefficients: [3n, 1n << 184n] },
      { kind: "checked", coefficients: null },
    ]);
  });
});

describe("the page to keep", () => {
  it("is one file whose policy names its own script and style, with the circuit's files in it", async () => {
    const compiled = await compileCircuit(leafExitCircuitSpec());
    const { wasmPath, zkeyPath } = await developmentSetup(compiled, {});
    const exits = [{ name: compiled.name, wasmPath, zkeyPath }];
    const { path, sha256, byteCount } = singleFilePageOf(await buildPages({ circuits: [], exits }));
    const html = readFileSync(path, "utf8");
    expect(createHash("sha256").update(html).digest("hex")).toBe(sha256);
    console.log(`kept page ${JSON.stringify({ kb: Math.round(byteCount / 1000) })}`);
    const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
    const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text!);
    const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) => text!);
    expect([scripts.length, styles.length]).toEqual([1, 1]);
    expect(policy).toContain(`script-src ${hashOf(scripts[0]!)} 'wasm-unsafe-eval';`);
    expect(policy).toContain(`style-src ${hashOf(styles[0]!)};`);
    // Nothing is fetched to show it.
    expect(html.replace(scripts[0]!, "").replace(styles[0]!, "")).not.toMatch(/\s(src|href)=/);
    expect(styles[0]).not.toMatch(/url\((?!data:)/);
    const block = new RegExp(`id="${compiled.name}\\.zkey">([^<]*)<`).exec(html)![1]!;
    expect(gunzipSync(Buffer.from(block, "base64")).equals(readFileSync(zkeyPath))).toBe(true);
  });
});
