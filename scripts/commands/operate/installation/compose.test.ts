import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSettings } from "@openledger/foundation/settings";
import { expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { PROCESSES } from "../../../settings.ts";
import { createProgram } from "../../program.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface Service {
  readonly command: readonly string[];
  readonly env_file: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly volumes: readonly string[];
}
const { services } = parse(read("compose.yaml"), { merge: true }) as { services: Record<string, Service> };

/** Prefix of each service's settings. */
const PREFIXES = {
  sequencer: "SEQUENCER",
  bridge: "BRIDGE",
  prover: "PROVER",
  "datanet-host": "DATANET",
  factory: "FACTORY",
} as const;

it("gives each process settings that it takes, a volume for its data, and asks for its health where it listens", () => {
  for (const [name, prefix] of Object.entries(PREFIXES)) {
    const { command, env_file, environment, healthcheck, volumes } = services[name]!;
    const { settings } = PROCESSES.find((one) => one.prefix === prefix)!;
    const problemsOf = (more: object) =>
      readSettings(prefix, settings, { ...environment, ...more } as Record<string, string>).problems.map(
        ({ env }) => env,
      );
    // The secrets come with settings.env.
    const secret = Object.entries(settings).flatMap(([, one]) => (one.isSecret === true ? [one] : [])).length;
    expect(problemsOf({}).length, name).toBeLessThanOrEqual(secret);
    expect(problemsOf({ [`${prefix}_NO_SETTING`]: "1" }), name).toContain(`${prefix}_NO_SETTING`);
    expect(command.map((path) => existsSync(join(root, path)))).toEqual([true, true]);
    expect(env_file).toEqual(["./operator/installation/settings.env"]);
    const port = environment[`${prefix}_PORT`] ?? environment[`${prefix}_HEALTH_PORT`];
    expect(healthcheck.test[3], name).toContain(`'http://127.0.0.1:${port}/health'`);
    const dataPath = environment[`${prefix}_DATA_PATH`];
    if (dataPath !== undefined)
      expect(
        volumes.some((one) => one.endsWith(":/data")),
        name,
      ).toBe(true);
  }
});

/** Services that run a command, with options instead of settings. */
const COMMANDS = { "full-node": "follow", watcher: "watch" } as const;

it.each(Object.entries(COMMANDS))(
  "starts the %s with options that the command has",
  async (service, name) => {
    const { command, healthcheck, volumes } = services[service]!;
    const [start, main, ofService, ...options] = command;
    expect([start, main].every((path) => existsSync(join(root, path!)))).toBe(true);
    expect(ofService).toBe(name);
    const program = await createProgram([name]);
    const known = [program, ...program.commands].flatMap((one) => one.options.map(({ long }) => long));
    for (const option of options) expect(known).toContain(option.split("=")[0]);
    const optionOf = (option: string) =>
      options.find((one) => one.startsWith(`${option}=`))?.slice(option.length + 1);
    expect(healthcheck.test[3]).toContain(`'http://127.0.0.1:${optionOf("--port")}/health'`);
    expect(optionOf("--data")).toMatch(/^\/data\//);
    expect(volumes.some((one) => one.endsWith(":/data"))).toBe(true);
    // What it asks is a service of this file, at that service's port.
    for (const option of ["--feed", "--hosts", "--servers"]) {
      const url = optionOf(option);
      if (url === undefined) continue;
      const { hostname, port } = new URL(url);
      expect(services[hostname]?.healthcheck.test[3], url).toContain(`'http://127.0.0.1:${port}/health'`);
    }
  },
);

it("makes its database one of Unicode text, with a password from a file, and out of the machine's reach", () => {
  const { database } = parse(read("compose.yaml")).services;
  expect(database.environment.POSTGRES_INITDB_ARGS).toContain("--encoding=UTF8");
  expect(database.environment).toHaveProperty("POSTGRES_PASSWORD_FILE");
  expect(database).not.toHaveProperty("ports");
  expect(database.healthcheck.test).toContain("pg_isready");
});

it("has no service that nothing here looks at", () => {
  const looked = [...Object.keys(PREFIXES), ...Object.keys(COMMANDS), "openledger", "database"];
  expect(Object.keys(services).sort()).toEqual(looked.sort());
});

it("has one writer for each volume", () => {
  const writers = Object.entries(services).flatMap(([name, { volumes }]) =>
    volumes.filter((one) => one.endsWith(":/data")).map((one) => ({ name, volume: one.split(":")[0] })),
  );
  expect(new Set(writers.map(({ volume }) => volume)).size).toBe(writers.length);
});

it("the image runs without root's rights, and takes no key or data of the machine that builds it", () => {
  const lines = read("Dockerfile").split("\n");
  expect(lines.filter((line) => line.startsWith("USER ")).at(-1)).toBe("USER node");
  const ignored = read(".dockerignore").split("\n");
  for (const folder of [".openledger", ".cache", "operator", "keys", "secrets"])
    expect(ignored).toContain(folder);
});

it("has a manifest for Kubernetes in the docs, with one writer and settings that its processes take", () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(read("docs/how-to/one-writer.md"))!;
  const [set] = parseAllDocuments(yaml!).map((one) => one.toJS());
  expect(set.kind).toBe("StatefulSet");
  expect(set.spec.replicas).toBe(1);
  expect(set.spec.volumeClaimTemplates[0].spec.accessModes).toEqual(["ReadWriteOncePod"]);
  for (const { args, env, name } of set.spec.template.spec.containers) {
    const prefix = PREFIXES[name as keyof typeof PREFIXES];
    const environment = Object.fromEntries(
      env.map((one: { name: string; value: string }) => [one.name, one.value]),
    );
    const { settings } = PROCESSES.find((one) => one.prefix === prefix)!;
    const wrong = readSettings(prefix, settings, environment).problems.filter(
      ({ problem }) => !problem.startsWith("is missing"),
    );
    expect(wrong, name).toEqual([]);
    expect(args.map((path: string) => existsSync(join(root, path)))).toEqual([true, true]);
  }
});
