/** Tests of the npm package of the client: installed, compiled, bundled and used. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createWorld, QUICK_FINALITY, type World } from "@openledger/e2e/world/world";
import { parseEther, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleClient, PAYING } from "./testing/bundled-client.ts";
import { type InstalledPackage, installPackage } from "./testing/installed-package.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const account = anvilAccount(5);

let project: InstalledPackage;
beforeAll(async () => {
  project = await installPackage("client");
});
afterAll(() => project?.remove());

const WRONG = `import { deposit, type LedgerClient } from "openledger-client";
import { openRowStore } from "openledger-client/rows";
declare const client: LedgerClient;
await deposit(client, { amountWei: 10 });
await openRowStore(7);
export { callContract } from "openledger-client";
`;

let faults: Promise<string[]> | undefined;

/** Compiles the README's example and a file of mistakes as a user's own project. @returns the compiler's complaints */
function compiled(): Promise<string[]> {
  faults ??= project.compile({ "example.ts": project.example(), "wrong.ts": WRONG });
  return faults;
}

describe("the npm package", () => {
  it("has its own licence, the version of the repository, and nothing beside its modules", async () => {
    const manifest = JSON.parse(readFileSync(project.installed("package.json"), "utf8"));
    const ours = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(manifest).toMatchObject({
      version: ours.version,
      // docs/adr/0001-licence-of-the-client.md
      license: "Apache-2.0",
      sideEffects: false,
      type: "module",
    });
    expect(readFileSync(project.installed("LICENSE"), "utf8")).toMatch(/^\s*Apache License\s+Version 2\.0/);
    expect(readdirSync(project.installed()).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
    const files = readdirSync(project.installed("dist"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => /test|circomlibjs|packing/.test(file))).toEqual([]);
    expect(await project.complaints()).toEqual([]);
    // Every module that is imported by name is one that npm installs with it.
    const known = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const modules = files.filter((file) => file.endsWith(".js"));
    const imported = modules.flatMap((file) => {
      const text = readFileSync(project.installed("dist", file), "utf8");
      const names = text.matchAll(
        /^(?:import|export) [^;]*? from "([^."][^"]*)";$|import\("([^."][^"]*)"\)/gm,
      );
      return [...names].map(([, from, loaded]) => ({ file, name: (from ?? loaded)! }));
    });
    expect(imported.length).toBeGreaterThan(30);
    const foreign = imported.filter(
      ({ name }) => !known.some((one) => name === one || name.startsWith(`${one}/`)),
    );
    // Rows lie in files, which foundation writes; nothing else needs Node.
    const ofRows = (file: string) =>
      file.startsWith("client/actions/data/") || file === "foundation/whole-file.js";
    expect(new Set(foreign.map(({ name }) => name.split(":")[0]))).toEqual(new Set(["node"]));
    expect(foreign.filter(({ file }) => !ofRows(file))).toEqual([]);
  });

  it("has types that hold: the example compiles, and a mistake does not", {
    timeout: 1_200_000,
  }, async () => {
    expect(project.example().trim().split("\n").length).toBeLessThanOrEqual(22);
    const faults = await compiled();
    expect(faults.map((line) => /^(\w+)\.ts\((\d+),/.exec(line)?.slice(1))).toEqual([
      ["wrong", "4"],
      ["wrong", "5"],
      ["wrong", "6"],
    ]);
  });

  it("is left out by a bundler as far as it is not used", { timeout: 600_000 }, async () => {
    const bundled = (names: readonly string[] | null) => bundleClient(project.installed(), names);
    const paying = await bundled(PAYING);
    // Names, not sizes alone: what a later import draws in again.
    const heavy =
      /zod\/v4\/(locales|classic)|weierstrass|-abi|circuits\/settlement|client\/(actions\/(answers|data)|datanets|governance)/;
    const isAbi = (module: string) => /^contracts\/build\/rollup(-user)?-abi\.js$/.test(module);
    expect(paying.modules.filter((module) => heavy.test(module) && !isAbi(module))).toEqual([]);
    const sizes = {
      paying: paying.gzipKb,
      methods: (await bundled(["ledgerActions", "deriveKey", "parseOpen"])).gzipKb,
      getLeaf: (await bundled(["getLeaf"])).gzipKb,
      parseOpen: (await bundled(["parseOpen"])).gzipKb,
      all: (await bundled(null)).gzipKb,
    };
    console.info("kB of gzip without viem:", sizes);
    // Each has the table of errors, which is what is left of the smallest: about 5 kB, more with each code.
    expect(sizes.paying).toBeLessThan(60);
    // All eleven kinds of forced operations are among the methods, and the search of L1's logs for what a Safe executes.
    expect(sizes.methods).toBeLessThan(66);
    expect(sizes.getLeaf).toBeLessThan(19);
    expect(sizes.parseOpen).toBeLessThan(7);
    expect(sizes.all).toBeLessThan(100);
  });
});

describe("the npm package, used", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ name: "package", ...QUICK_FINALITY });
    await world.l1.fund(account.address, parseEther("100"));
  });
  afterAll(() => world?.stop());

  it("does in Node what its example says, twice in a row", { timeout: 600_000 }, async () => {
    await compiled();
    const environment = {
      RPC_URL: world.l1.url,
      SEQUENCER_URL: world.sequencerUrl,
      ROLLUP: world.l1.deployment.rollupAddress,
      CHAIN_ID: "31337",
      PRIVATE_KEY: toHex(account.getHdKey().privateKey!),
      RECIPIENT: String(world.users[0]!.leafId),
    };
    // 10 less 1.5 and the fee of a transfer; then the same again, in the same account.
    for (const left of [/^posted: 8\.4\d+ OPEN are left\n$/, /^posted: 16\.[89]\d+ OPEN are left\n$/])
      expect((await project.run("example.js", environment)).stdout).toMatch(left);
  });
});
