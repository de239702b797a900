import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProgram } from "@openledger/scripts/commands/program";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { settingProblems } from "./plan-processes.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
}
const { services } = parse(read("compose.yaml"), { merge: true }) as { services: Record<string, Service> };

it("compose.yaml gives each process settings that it takes, and asks for its health where it listens", () => {
  for (const kind of ["sequencer", "bridge", "prover"] as const) {
    const { command, environment, healthcheck } = services[kind]!;
    const names = Object.keys(environment);
    const secretFiles = Object.values(environment).filter((value) => value.includes("/secrets/"));
    expect(settingProblems(kind, environment, secretFiles), kind).toBeNull();
    expect(
      settingProblems(kind, { ...environment, [`${names[0]}S`]: "1" }, secretFiles),
      kind,
    ).not.toBeNull();
    expect(command.map((path) => existsSync(join(root, path)))).toEqual([true, true]);
    const port = environment[names.find((name) => /^(SEQUENCER|\w+_HEALTH)_PORT$/.test(name))!];
    expect(healthcheck.test[3]).toContain(`'http://127.0.0.1:${port}/health'`);
  }
});

it("compose.yaml starts a full node with options that the command has", async () => {
  const { command, healthcheck } = services["full-node"]!;
  const [start, main, name, ...options] = command;
  expect([start, main, name].slice(0, 2).every((path) => existsSync(join(root, path!)))).toBe(true);
  const program = await createProgram([name!]);
  const known = [program, ...program.commands].flatMap((one) => one.options.map(({ long }) => long));
  for (const option of options) expect(known).toContain(option.split("=")[0]);
  const port = options.find((option) => option.startsWith("--port="))!.slice("--port=".length);
  expect(healthcheck.test[3]).toContain(`'http://127.0.0.1:${port}/health'`);
});

it("the image runs without root's rights, and takes no key or data of the machine that builds it", () => {
  const lines = read("Dockerfile").split("\n");
  expect(lines.filter((line) => line.startsWith("USER ")).at(-1)).toBe("USER node");
  expect(
    lines.filter((line) => line.startsWith("FROM ")).every((line) => /^FROM node:20-slim\b/.test(line)),
  ).toBe(true);
  const ignored = read(".dockerignore").split("\n");
  for (const folder of [".openledger", ".cache", "operator", "keys", "secrets"])
    expect(ignored).toContain(folder);
});
