import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBridgeConfig } from "@openledger/bridge/config";
import { encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { loadHostConfig } from "@openledger/datanets/host/config";
import { readAddress } from "@openledger/foundation/database/address";
import { claimStore } from "@openledger/foundation/store/store-identity";
import { readProverConfig } from "@openledger/prover/process/prover-config";
import { loadConfig } from "@openledger/sequencer/config";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SAMPLE_OPERATOR_KEY as KEY, sampleDeployment as record } from "./deployment.fixtures.ts";
import { type InitOptions, initInstallation } from "./init.ts";
import { DATABASE_SERVICES, installationPaths, readEnvFile } from "./installation.ts";

let folder: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "openledger-init-"));
  out = join(folder, "operator");
  writeFileSync(join(folder, "key"), `${KEY}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "deployment.json"), encodeDeployment(record));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const init = (changes: Partial<InitOptions> = {}) =>
  initInstallation({
    deploymentPath: join(folder, "deployment.json"),
    folder: out,
    operatorKeyFile: join(folder, "key"),
    rpcUrl: null,
    settings: {},
    ...changes,
  });
const refusal = (reason: string) => ({ code: "CMD_INIT_REFUSED", data: { reason } });
/** Every file below the folder, with its bytes. */
const contents = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => [join(parentPath, name), readFileSync(join(parentPath, name), "utf8")])
    .sort();

describe("openledger operator init", () => {
  it("writes what every process takes, and nobody else may read what is secret", async () => {
    await init({ settings: { DATANET_MAX_ROW_BYTES: "1000", PROVER_THREADS: "3" } });
    const paths = installationPaths(out);
    const environment = readEnvFile(paths.settings);
    expect(loadConfig(environment).deploymentPath).toBe(paths.deployment);
    expect(readBridgeConfig(environment).operatorPrivateKey.reveal()).toBe(KEY);
    expect(readProverConfig(environment).threads).toBe(3);
    expect(loadHostConfig(environment).maxRowBytes).toBe(1_000);
    for (const path of [
      paths.operatorKey,
      paths.operatorToken,
      paths.serverToken,
      paths.settings,
      paths.deployment,
    ])
      expect(statSync(path).mode & 0o777, path).toBe(0o600);
    expect(statSync(paths.secrets).mode & 0o777).toBe(0o700);
    const text = readFileSync(paths.settings, "utf8");
    for (const secret of [KEY, readFileSync(paths.operatorToken, "utf8").trim(), "password"])
      expect(text).not.toContain(secret);
  });

  it("keeps secrets and given settings when it is run again, and takes another Ethereum node", async () => {
    await init({ settings: { BRIDGE_L1_MAX_FEE_GWEI: "80" } });
    const paths = installationPaths(out);
    const tokens = () => [paths.operatorToken, paths.serverToken].map((path) => readFileSync(path, "utf8"));
    const [token, serverToken] = tokens();
    expect(serverToken).not.toBe(token);
    await init({
      operatorKeyFile: null,
      rpcUrl: "http://127.0.0.1:2",
      settings: { SEQUENCER_CLOSE_INTERVAL_MS: "500" },
    });
    expect(tokens()).toEqual([token, serverToken]);
    expect(readEnvFile(paths.settings)).toMatchObject({
      BRIDGE_L1_MAX_FEE_GWEI: "80",
      SEQUENCER_CLOSE_INTERVAL_MS: "500",
    });
    expect(loadDeployment(paths.deployment).rpcUrl).toBe("http://127.0.0.1:2");
  });

  it.each<[reason: string, changes: () => Partial<InitOptions>]>([
    ["key-missing", () => ({ operatorKeyFile: null })],
    [
      "key-of-another",
      () => {
        writeFileSync(join(folder, "other"), `0x${"6".repeat(64)}`, { mode: 0o600 });
        return { operatorKeyFile: join(folder, "other") };
      },
    ],
    [
      "key-invalid",
      () => {
        writeFileSync(join(folder, "other"), "a word", { mode: 0o600 });
        return { operatorKeyFile: join(folder, "other") };
      },
    ],
    ["setting-unknown", () => ({ settings: { BRIDGE_L1_MAX_FE: "80" } })],
    ["setting-unknown", () => ({ settings: { NO_PROCESS: "80" } })],
    ["setting-invalid", () => ({ settings: { BRIDGE_L1_MAX_FEE_GWEI: "-1" } })],
  ])(
    "leaves nothing behind after a refusal (%s), so that the corrected command works",
    async (reason, changes) => {
      const input = changes();
      const before = contents();
      await expect(init(input)).rejects.toMatchObject(refusal(reason));
      expect(contents()).toEqual(before);
      expect(existsSync(out)).toBe(false);
      await init();
    },
  );

  it("leaves nothing behind after a write that failed", async () => {
    const paths = installationPaths(out);
    // A folder of the user's own is where a file has to be written.
    mkdirSync(out);
    const input = init({ settings: { SEQUENCER_PORT: "0" } });
    mkdirSync(paths.settings);
    await expect(input).rejects.toThrow();
    expect(existsSync(paths.operatorKey)).toBe(false);
    await init();
  });

  it("refuses a key file that others may read, a folder of something else, and a folder of another rollup", async () => {
    chmodSync(join(folder, "key"), 0o640);
    await expect(init()).rejects.toMatchObject({ code: "CIR_SECRET_FILE", data: { reason: "open" } });
    expect(existsSync(out)).toBe(false);
    chmodSync(join(folder, "key"), 0o600);
    await expect(init({ folder })).rejects.toMatchObject(refusal("folder-taken"));
    await init();
    const other = join(folder, "other.json");
    writeFileSync(other, encodeDeployment({ ...record, rollupAddress: `0x${"9".repeat(40)}` }));
    const before = contents();
    await expect(init({ deploymentPath: other })).rejects.toMatchObject(refusal("other-rollup"));
    expect(contents()).toEqual(before);
  });

  it("writes for a cluster addresses of one database with a role for each service, and keeps them", async () => {
    const { profile } = await init({ cluster: { ownerUrlFile: null } });
    expect(profile).toBe("cluster");
    const { database, settings } = installationPaths(out);
    const urls = () =>
      DATABASE_SERVICES.map((service) => readFileSync(database.urlOf(service), "utf8").trim());
    const first = urls();
    const password = readFileSync(database.password, "utf8").trim();
    expect(readFileSync(database.ownerUrl, "utf8").trim()).toBe(
      `postgres://openledger:${password}@database:5432/openledger`,
    );
    expect(new Set(first.map((url) => new URL(url).password)).size).toBe(DATABASE_SERVICES.length);
    expect(first.map((url) => new URL(url).username)).toContain("openledger_datanet_host");
    for (const url of first) expect(new URL(url).host).toBe("database:5432");
    for (const name of readdirSync(database.folder))
      expect(statSync(join(database.folder, name)).mode & 0o777, name).toBe(0o600);
    expect(statSync(database.folder).mode & 0o777).toBe(0o700);
    const environment = readEnvFile(settings);
    expect(readProverConfig(environment)).toMatchObject({ place: "queue" });
    expect(readProverConfig(environment).databaseUrl?.reveal()).toBe(
      first[DATABASE_SERVICES.indexOf("prover")],
    );
    for (const url of first) expect(readFileSync(settings, "utf8")).not.toContain(new URL(url).password);

    const own = { DATANET_PUBLIC_URL: "https://datanets.example" };
    await init({ cluster: { ownerUrlFile: null }, settings: own });
    expect(urls()).toEqual(first);
    await init({ operatorKeyFile: null });
    expect(readEnvFile(settings)).toMatchObject({ ...own, PROVER_PLACE: "queue" });
  });

  it("takes a database of the operator's own for a cluster, and keeps the passwords of its roles", async () => {
    await init({ cluster: { ownerUrlFile: null } });
    const { database } = installationPaths(out);
    const passwordOf = () => new URL(readFileSync(database.urlOf("models"), "utf8")).password;
    const before = passwordOf();
    const ownerUrlFile = join(folder, "owner-url");
    writeFileSync(ownerUrlFile, "postgres://admin:p%40ss@db.example/ledger?sslmode=verify-full\n", {
      mode: 0o600,
    });
    expect((await init({ cluster: { ownerUrlFile } })).profile).toBe("managed");
    expect(readFileSync(database.urlOf("models"), "utf8")).toBe(
      `postgres://ledger_models:${before}@db.example/ledger?sslmode=verify-full\n`,
    );
    expect((await init({ cluster: { ownerUrlFile: null } })).profile).toBe("managed");
    const whole = contents();
    for (const text of ["a word", "postgres://admin@db.example", "postgres://admin@db.example/Ledger"]) {
      writeFileSync(ownerUrlFile, text, { mode: 0o600 });
      await expect(init({ cluster: { ownerUrlFile } })).rejects.toMatchObject(
        refusal("database-url-invalid"),
      );
    }
    rmSync(ownerUrlFile);
    expect(contents()).toEqual(whole.filter(([path]) => path !== ownerUrlFile));
  });

  it("hands no service the owner's user and password, wherever the owner's address has them", async () => {
    const { database } = installationPaths(out);
    const ownerUrlFile = join(folder, "owner-url");
    const urls = () =>
      DATABASE_SERVICES.map((service) => readFileSync(database.urlOf(service), "utf8").trim());
    const write = (text: string) => writeFileSync(ownerUrlFile, text, { mode: 0o600 });
    for (const url of [
      "postgres://db.example/ledger?user=admin&password=adminpw&sslmode=disable",
      "postgres://ledger_models:adminpw@db.example/ledger?user=admin&sslmode=disable",
      "postgres://admin:adminpw@127.0.0.1/ledger?host=db.example&sslmode=disable",
    ]) {
      write(url);
      expect((await init({ cluster: { ownerUrlFile } })).profile).toBe("managed");
      for (const [i, written] of urls().entries()) {
        expect(written).not.toMatch(/admin/);
        const { database: name, host, user } = readAddress(written);
        const service = DATABASE_SERVICES[i]!.replaceAll("-", "_");
        expect({ name, host, user }).toEqual({
          name: "ledger",
          host: "db.example",
          user: `ledger_${service}`,
        });
      }
    }
    // A file of an earlier version, with the owner's password in it.
    const stale = "postgres://ledger_models:x@db.example/ledger?user=admin&password=adminpw";
    writeFileSync(database.urlOf("models"), stale, { mode: 0o600 });
    await init({ cluster: { ownerUrlFile } });
    for (const written of urls()) expect(written).not.toMatch(/admin/);
    const before = contents();
    for (const parameter of [
      "options=-c%20role%3Dadmin",
      "sslkey=admin.key",
      "passfile=admin",
      "service=admin",
    ]) {
      write(`postgres://admin:adminpw@db.example/ledger?${parameter}`);
      const refused = await init({ cluster: { ownerUrlFile } }).catch((error: unknown) => error);
      expect(refused).toMatchObject(refusal("database-url-invalid"));
      expect((refused as Error).message).not.toContain("adminpw");
    }
    rmSync(ownerUrlFile);
    expect(contents()).toEqual(before.filter(([path]) => path !== ownerUrlFile));
  });

  it("gives workers a role of their own in the settings of all processes, and the sequencer another one", async () => {
    await init({ cluster: { ownerUrlFile: null } });
    const { database, settings } = installationPaths(out);
    const environment = readEnvFile(settings);
    const roleAt = (url: string | undefined) => readAddress(url ?? "").user;
    expect(roleAt(readProverConfig(environment).databaseUrl?.reveal())).toBe("openledger_prover");
    expect(roleAt(loadConfig(environment).databaseUrl?.reveal())).toBe("openledger_sequencer");
    // An earlier version gave workers the sequencer's role: it is replaced, and an address of the operator's own stays.
    const write = (path: string) =>
      writeFileSync(
        settings,
        readFileSync(settings, "utf8").replace(/(PROVER_DATABASE_URL_FILE=).*/, `$1${path}`),
      );
    write(database.urlOf("sequencer"));
    await init({ cluster: { ownerUrlFile: null } });
    expect(readEnvFile(settings)).toEqual(environment);
    write("/elsewhere/url");
    await init({ cluster: { ownerUrlFile: null } }).catch(() => {});
    expect(readEnvFile(settings).PROVER_DATABASE_URL_FILE).toBe("/elsewhere/url");
  });

  it("refuses a data directory of another rollup, and takes one of its own", async () => {
    const dataPath = join(folder, "data");
    const settings = { SEQUENCER_DATA_PATH: dataPath };
    claimStore(dataPath, {
      kind: "sequencer",
      rollup: { chainId: 1337, rollupAddress: `0x${"9".repeat(40)}` },
    });
    const before = contents();
    await expect(init({ settings })).rejects.toMatchObject(refusal("other-rollup"));
    expect(contents()).toEqual(before);
    rmSync(dataPath, { recursive: true });
    claimStore(dataPath, { kind: "sequencer", rollup: record });
    await init({ settings });
  });
});
