/** Tests of the npm package of the prover: installed, and used as its README shows. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type InstalledPackage, installPackage } from "./testing/installed-package.ts";

let project: InstalledPackage;
beforeAll(async () => {
  project = await installPackage("prover");
});
afterAll(() => project?.remove());

it("is a package that tools have nothing to say of", async () => {
  expect(await project.complaints()).toEqual([]);
  const { dependencies, license } = JSON.parse(readFileSync(project.installed("package.json"), "utf8"));
  expect(license).toBe("GPL-3.0-or-later");
  // What serves queues and HTTP stays in the repository.
  expect(Object.keys(dependencies).filter((name) => /fastify|^pg|level/.test(name))).toEqual([]);
});

it("compiles a circuit, makes its keys, proves and verifies, as its README does", async () => {
  expect(await project.compile({ "example.ts": project.example() })).toEqual([]);
  expect(await project.run("example.js")).toEqual({ code: 0, stdout: "42: true\n" });
});

it("takes no proof of another statement, and says that the native prover is not here", async () => {
  const wrong = project
    .example()
    .replace("proof, publicSignals)", "proof, [43n])")
    .replace(
      "await prover.close();",
      'await prover.close();\nawait createProver("native").catch(({ code }) => console.log(code));',
    );
  expect(await project.compile({ "wrong.ts": wrong })).toEqual([]);
  expect(await project.run("wrong.js")).toEqual({ code: 0, stdout: "42: false\nPRV_NATIVE_UNAVAILABLE\n" });
});
