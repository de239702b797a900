import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const repositoryRoot = fileURLToPath(new URL("..", import.meta.url));
/** Drills, benchmarks and test runs make nothing that is kept. The devnet's own files are a developer's; each process that it starts keeps its own private. */
const DEVNET = "e2e/devnet/devnet.ts";

it("is called by each process that runs until a signal", () => {
  const git = ["grep", "-lE", 'process\\.on(ce)?\\((signal|name|"SIGTERM")', "--", "*.ts"];
  const services = execFileSync("git", git, { cwd: repositoryRoot, encoding: "utf8" })
    .trim()
    .split("\n")
    .filter(
      (path) =>
        !/(\.test\.ts|^scripts\/(test\.ts|bench(\.ts|\/.*))|^e2e\/(drill\.ts|(world|faults|audit|scenarios)\/.*)|\/testing\/.*)$/.test(
          path,
        ) && path !== DEVNET,
    );
  expect(services).toContain("foundation/run-until-stopped.ts");
  const without = services.filter(
    (path) => !/^\s+keepFilesPrivate\(\);$/m.test(readFileSync(join(repositoryRoot, path), "utf8")),
  );
  expect(without).toEqual([]);
});
