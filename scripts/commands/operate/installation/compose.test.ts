/** Tests of compose.yaml, the image and the Kubernetes manifests against the processes' settings. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSettings } from "@openledger/foundation/settings";
import { SERVING_SETTINGS } from "@openledger/models/serving/serving-config";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { PROCESSES } from "../../../settings.ts";
import { createProgram } from "../../program.ts";
import { DATABASE_SERVICES, databasePaths, installationPaths } from "./installation.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

const condition = z.strictObject({
  condition: z.enum(["service_healthy", "service_completed_successfully"]),
  required: z.literal(false),
});
/** All that a service here has: a misspelt name is refused, and so is what no test looks at. */
const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.literal(".").optional(),
  profiles: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(["always", "no", "on-failure"]),
  stop_grace_period: z.string().optional(),
  cap_drop: z.tuple([z.literal("ALL")]).optional(),
  cap_add: z.array(z.string()).optional(),
  security_opt: z.tuple([z.literal("no-new-privileges:true")]).optional(),
  env_file: z.array(z.string()).optional(),
  ulimits: z.strictObject({ nofile: z.number() }).optional(),
  shm_size: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), condition).default({}),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:/, "is open to the network")).default([]),
  healthcheck: z
    .strictObject({
      interval: z.string(),
      timeout: z.string(),
      start_period: z.string(),
      retries: z.number(),
      test: z.array(z.string()),
    })
    .optional(),
});
const fileSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
  volumes: z.record(z.string(), z.null()),
});
/** Compose puts variables of the file .env in; here each has its default. */
const interpolated = (text: string) => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1");
const { secrets, services, volumes } = fileSchema.parse(
  parse(interpolated(read("compose.yaml")), { merge: true }),
);
const isReplica = (name: string) =>
  ["cluster", "training"].some((profile) => services[name]?.profiles?.includes(profile));
const healthUrlOf = (name: string) => /'(http:[^']*)'/.exec(services[name]?.healthcheck?.test[3] ?? "")?.[1];

/** Prefix of each service's settings. */
const PREFIXES = {
  sequencer: "SEQUENCER",
  bridge: "BRIDGE",
  "prover-1": "PROVER",
  "prover-2": "PROVER",
  "datanet-host": "DATANET",
  "datanet-host-1": "DATANET",
  "datanet-host-2": "DATANET",
  factory: "FACTORY",
  "factory-server": "FACTORY",
  "factory-worker-1": "FACTORY",
  "factory-worker-2": "FACTORY",
} as const;

it("gives each process settings that it takes, a volume for its data, and asks for its health where it listens", () => {
  for (const [name, prefix] of Object.entries(PREFIXES)) {
    const { command, env_file, environment, volumes } = services[name]!;
    const { settings } = PROCESSES.find((one) => one.prefix === prefix)!;
    const problemsOf = (more: Record<string, string>) =>
      readSettings(prefix, settings, { ...environment, ...more }).problems.map(({ env }) => env);
    // The secrets come with settings.env.
    const secret = Object.entries(settings).flatMap(([, one]) => (one.isSecret === true ? [one] : [])).length;
    expect(problemsOf({}).length, name).toBeLessThanOrEqual(secret);
    expect(problemsOf({ [`${prefix}_NO_SETTING`]: "1" }), name).toContain(`${prefix}_NO_SETTING`);
    expect(command?.map((path) => existsSync(join(root, path)))).toEqual([true, true]);
    expect(env_file).toEqual(["./operator/installation/settings.env"]);
    const port = environment[`${prefix}_PORT`] ?? environment[`${prefix}_HEALTH_PORT`];
    expect(healthUrlOf(name), name).toBe(`http://127.0.0.1:${port}/health`);
    const dataPath = environment[`${prefix}_DATA_PATH`];
    // Replicas each have the folder of their container, which may be lost.
    if (dataPath !== undefined && !isReplica(name))
      expect(
        volumes.some((one) => one.endsWith(":/data")),
        name,
      ).toBe(true);
  }
});

/** Services that run a command, with options instead of settings, and whether it listens. */
const COMMANDS = {
  "full-node": { words: ["follow"], listens: true },
  watcher: { words: ["watch"], listens: true },
  "models-1": { words: ["models", "serve"], listens: true },
  "models-2": { words: ["models", "serve"], listens: true },
  "prepare-database": { words: ["operator", "prepare-database"], listens: false },
} as const;

it.each(Object.entries(COMMANDS))(
  "starts the %s with options that the command has",
  async (service, { listens, words }) => {
    const { command, environment, volumes } = services[service]!;
    const [start, main, ...rest] = command!;
    expect([start, main].every((path) => existsSync(join(root, path!)))).toBe(true);
    expect(rest.slice(0, words.length)).toEqual(words);
    const options = rest.slice(words.length).filter((word) => word.startsWith("--"));
    const program = await createProgram([words[0]!]);
    const named = words.reduce(
      (parent, word) => parent.commands.find((one) => one.name() === word)!,
      program as Command,
    );
    const known = [program, named].flatMap((one) => one.options.map(({ long }) => long));
    for (const option of options) expect(known).toContain(option.split("=")[0]);
    // As the command reads them: values that it takes, and nothing that it needs is missing.
    const shared = program.exitOverride().parseOptions(rest);
    const own = [...shared.operands.slice(words.length), ...shared.unknown];
    const { operands, unknown } = named.exitOverride().parseOptions(own);
    expect(unknown).toEqual([]);
    const needed = named.registeredArguments.filter(({ required }) => required);
    expect(operands.length).toBeGreaterThanOrEqual(needed.length);
    expect(operands.length).toBeLessThanOrEqual(named.registeredArguments.length);
    for (const { long, mandatory } of named.options)
      if (mandatory) expect(options.map((option) => option.split("=")[0])).toContain(long);
    const optionOf = (option: string) =>
      options.find((one) => one.startsWith(`${option}=`))?.slice(option.length + 1);
    for (const [name, path] of Object.entries(environment))
      if (name.startsWith("SERVING_"))
        expect(
          readSettings("SERVING", SERVING_SETTINGS, { [name]: path }).problems.filter(
            ({ problem }) => problem === "is no setting",
          ),
        ).toEqual([]);
    if (listens) {
      expect(healthUrlOf(service)).toBe(`http://127.0.0.1:${optionOf("--port")}/health`);
      expect(optionOf("--data")).toMatch(/^\/data\//);
    }
    if (!isReplica(service)) expect(volumes.some((one) => one.endsWith(":/data"))).toBe(listens);
    // What it asks is a service of this file, at that service's port.
    for (const option of ["--feed", "--hosts", "--servers", "--sequencer"]) {
      const url = optionOf(option);
      if (url === undefined) continue;
      const { hostname, port } = new URL(url);
      expect(healthUrlOf(hostname), url).toBe(`http://127.0.0.1:${port}/health`);
    }
  },
);

it("makes its database one of Unicode text, with a password from a file, and out of the machine's reach", () => {
  const { environment, healthcheck, ports, secrets: seen } = services.database!;
  expect(environment.POSTGRES_INITDB_ARGS).toContain("--encoding=UTF8");
  expect(environment.POSTGRES_PASSWORD_FILE).toBe("/run/secrets/database-password");
  expect(seen).toEqual(["database-password"]);
  expect(ports).toEqual([]);
  expect(healthcheck?.test).toContain("pg_isready");
});

describe("the cluster", () => {
  const CLUSTER = Object.entries(services).filter(([name]) => isReplica(name));

  it("is the same with a database of the operator's own, but for the database", () => {
    for (const [name, { profiles }] of CLUSTER)
      expect([["cluster"], ["cluster", "managed"], ["training"]], name).toContainEqual(profiles);
    const own = CLUSTER.filter(([, { profiles }]) => profiles!.join() === "cluster").map(([name]) => name);
    expect(own).toEqual(["database"]);
  });

  it("starts what uses the database once its tables are there, and runs without what is not of its profile", () => {
    expect(services["prepare-database"]!.depends_on).toEqual({
      database: { condition: "service_healthy", required: false },
    });
    const usesDatabase = CLUSTER.filter(([, { secrets: own }]) => own.some((one) => one.endsWith("-url")));
    for (const name of ["sequencer", ...usesDatabase.map(([one]) => one)])
      expect(services[name]!.depends_on, name).toEqual({
        "prepare-database": { condition: "service_completed_successfully", required: false },
      });
  });

  it("shows each service its own address of the database, the servers their token, and no other secret", () => {
    const paths = databasePaths("./operator/installation/secrets/database");
    const { serverToken } = installationPaths("./operator/installation");
    const own = [paths.password, paths.ownerUrl, ...DATABASE_SERVICES.map(paths.urlOf)];
    const files = [...own, serverToken].map((path) => `./${path}`);
    for (const { file } of Object.values(secrets)) expect(files).toContain(file);
    const seen: Record<string, string[]> = {};
    for (const [name, { environment, secrets: own, volumes }] of CLUSTER) {
      seen[name] = own;
      for (const secret of own) expect(secrets, name).toHaveProperty(secret);
      for (const [variable, value] of Object.entries(environment))
        if (value.startsWith("/run/secrets/")) {
          expect(variable).toMatch(/_FILE$/);
          expect(own).toContain(value.slice("/run/secrets/".length));
        }
      const isOpen = volumes.some((one) => /^\.\/operator(\/installation)?(\/secrets)?:/.test(one));
      expect(isOpen, name).toBe(false);
    }
    expect(seen).toEqual({
      database: ["database-password"],
      "prepare-database": [],
      "prover-1": ["prover-url"],
      "prover-2": ["prover-url"],
      "datanet-host-1": ["datanet-host-url", "server-token"],
      "datanet-host-2": ["datanet-host-url", "server-token"],
      "models-1": ["models-url", "server-token"],
      "models-2": ["models-url", "server-token"],
      "factory-server": ["factory-url", "server-token"],
      "factory-worker-1": ["factory-worker-url", "server-token"],
      "factory-worker-2": ["factory-worker-url", "server-token"],
      proxy: [],
    });
  });

  it("has a proxy that asks replicas of this file for their health, and passes no metrics on", () => {
    const caddyfile = read("Caddyfile");
    const sites = [...caddyfile.matchAll(/^(:\d+) \{\n([\s\S]*?)^\}/gm)].map(([, address, text]) => ({
      port: address!.slice(1),
      text: text!,
    }));
    const proxied = sites.filter(({ text }) => text.includes("reverse_proxy"));
    expect(proxied.map(({ port }) => `127.0.0.1:${port}:${port}`)).toEqual(services.proxy!.ports);
    const replicas = proxied.flatMap(({ port, text }) => {
      expect(text).toContain("import replicas");
      expect(text).toMatch(/@private path \/metrics/);
      const names = /reverse_proxy ([^{]*)/.exec(text)![1]!.trim().split(" ");
      for (const name of names)
        expect(healthUrlOf(name.split(":")[0]!), name).toBe(`http://127.0.0.1:${port}/health`);
      return names.map((name) => name.split(":")[0]);
    });
    expect(replicas).toEqual(["datanet-host-1", "datanet-host-2", "models-1", "models-2", "factory-server"]);
    expect(/\(replicas\) \{[^}]*\}/.exec(caddyfile)![0]).toMatch(/health_uri \/health\n/);
    const [, port] = /:(\d+)\//.exec(services.proxy!.healthcheck!.test.at(-1)!)!;
    expect(sites.find((site) => site.port === port)?.text).toContain("respond /health 200");
  });
});

it("has no service that nothing here looks at", () => {
  const looked = [...Object.keys(PREFIXES), ...Object.keys(COMMANDS), "openledger", "database", "proxy"];
  expect(Object.keys(services).sort()).toEqual(looked.sort());
});

it("declares each volume that a service has", () => {
  const used = Object.values(services).flatMap(({ volumes }) => volumes.map((one) => one.split(":")[0]!));
  const named = new Set(used.filter((one) => !one.startsWith("./")));
  expect(Object.keys(volumes).sort()).toEqual([...named].sort());
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
