/** Compiles the programs of examples/ against the client package's exports. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { typeFaults } from "@openledger/client/testing/action-docs";
import { describe, expect, it } from "vitest";
import { packageEntries } from "./package-entries.ts";
import { PACKAGES } from "./packages.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "examples");
const textOf = (name: string) => readFileSync(join(folder, name), "utf8");
const programs = readdirSync(folder).filter((name) => name.endsWith(".ts"));
/** Programs that import the client package. */
const ofPackage = programs.filter((name) => textOf(name).includes('"openledger-client"'));
/** Programs that import no package of this repository: their own tsconfig.json compiles them. */
const ofOthers = programs.filter((name) => !textOf(name).includes('"openledger-'));

/** Compiles the programs that import the package, and one with mistakes. @returns errors as "file: message" */
async function faults(): Promise<string[]> {
  const checked = join(root, ".cache/checks/client-package");
  mkdirSync(checked, { recursive: true });
  for (const [path, text] of packageEntries(root, PACKAGES.client))
    writeFileSync(join(checked, relative(root, path)), text.replaceAll('from "./', 'from "../../../'));
  const mistake = `import { parseOpen, steal } from "openledger-client";\nsteal(parseOpen(10));\n`;
  writeFileSync(join(checked, "mistake.ts"), mistake);
  const found = await typeFaults(root, checked, {
    include: [
      "mistake.ts",
      ...ofPackage.map((name) => `../../../examples/${name}`),
      ...["circuits", "prover"].map((room) => `../../../${room}/**/*.d.ts`),
    ],
    compilerOptions: { paths: { "openledger-client": ["./index.ts"], "openledger-client/*": ["./*.ts"] } },
  });
  return found.map(({ message, path }) => `${path}: ${message}`);
}

describe("the programs of examples/", () => {
  it("have types that hold against what the client package exports", async () => {
    expect(ofPackage).toEqual(["deposit-and-pay.ts", "pay-x402.ts", "read-earnings.ts", "verify-batch.ts"]);
    expect(await faults()).toEqual([
      expect.stringMatching(/^mistake\.ts: .*steal/),
      expect.stringMatching(/^mistake\.ts: .*number.*string/),
    ]);
  });

  it("are short enough to copy, and each is in the README", () => {
    expect(programs).toHaveLength(7);
    const readme = textOf("README.md");
    const { include } = JSON.parse(
      readFileSync(join(root, "tsconfig.json"), "utf8").replace(/^ *\/\/.*$/gm, ""),
    );
    for (const name of programs) {
      const text = textOf(name);
      expect(include.includes(`examples/${name}`), name).toBe(ofOthers.includes(name));
      expect(text.split("\n").length - 1, name).toBeLessThan(60);
      expect(readme).toContain(`| \`${name}\` |`);
      // What a program reads from its environment is said where people look for it.
      for (const [, variable] of text.matchAll(/env\("([A-Z_]+)"\)/g)) expect(readme).toContain(variable);
    }
  });
});
