/** The backup of docs/how-to/many-machines.md: what it says to type brings rows, keys, jobs and rights back, on a server that has no role yet. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { HOST_PART } from "@openledger/datanets/store/host-schema";
import { addressFor } from "@openledger/foundation/database/address";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { leftOutServer, type OwnServer, startOwnServer } from "@openledger/foundation/testing/own-server";
import { databaseAt } from "@openledger/foundation/testing/test-database";
import { openProofQueue } from "@openledger/prover/queue/prove-queue";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sampleDeployment } from "./deployment.fixtures.ts";
import { DATABASE_SERVICES, databasePaths } from "./installation.ts";
import { prepareDatabase } from "./prepare-database.ts";

const run = promisify(execFile);
const logger = createLogger("test", "silent");
const rollup = { chainId: sampleDeployment.chainId, rollupAddress: sampleDeployment.rollupAddress };
const PAGE = fileURLToPath(new URL("../../../../docs/how-to/many-machines.md", import.meta.url));

let folder: string;
const servers: OwnServer[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "backup-"));
  await chmod(folder, 0o755);
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A server with the addresses of all services in a folder; `prepare` makes tables and roles. */
async function startServer(name: string) {
  const server = await startOwnServer("installed", join(folder, name));
  servers.push(server);
  const own = join(folder, `${name}-files`);
  const { folder: addresses, urlOf } = databasePaths(own);
  await mkdir(addresses, { recursive: true });
  await writeFile(join(own, "deployment.json"), encodeDeployment(sampleDeployment));
  for (const service of DATABASE_SERVICES)
    await writeFile(urlOf(service), addressFor(server.url, service.replaceAll("-", "_"), `of ${service}`), {
      mode: 0o600,
    });
  return {
    url: server.url,
    hostUrl: () => readFile(urlOf("datanet-host"), "utf8"),
    sequencerUrl: () => readFile(urlOf("sequencer"), "utf8"),
    prepare: () =>
      prepareDatabase(
        { deploymentPath: join(own, "deployment.json"), folder: own },
        { OPENLEDGER_DATABASE_URL: server.url, OPENLEDGER_LOG_LEVEL: "silent" },
      ),
  };
}

/** Options of a program on the page, without those that say where the database is. */
async function documentedOptions(program: string): Promise<string[]> {
  const [, words] = new RegExp(`^docker compose exec .*database ${program} ([^<>\n]*)`, "m").exec(
    await readFile(PAGE, "utf8"),
  )!;
  return words!
    .replace("--username openledger", "")
    .replace(/--dbname postgres| openledger $/, "")
    .split(" ")
    .filter((word) => word !== "");
}

const leftOut = leftOutServer("installed");
it.skipIf(leftOut !== null)(
  `brings all back that a service had ${leftOut ?? ""}`,
  async () => {
    const before = await startServer("before");
    await before.prepare();
    const host = { part: HOST_PART, rollup, logger };
    const own = await Database.open({ url: await before.hostUrl(), ...host });
    await own.query("insert into names values (1, 'Mia', 0, '', '')");
    await own.query("insert into contents values ('\\x0a0d00ff', '\\x0a0d00ff')");
    await own.close();
    const queue = await openProofQueue(databaseAt(await before.sequencerUrl()), { logger, migrates: true });
    await queue.send("a", { circuit: "none", contentHash: "none" });
    await queue.close();

    const dump = join(folder, "openledger.dump");
    await run("pg_dump", [...(await documentedOptions("pg_dump")), "--file", dump, before.url]);
    const after = await startServer("after");
    await after.prepare();
    await run("pg_restore", [
      ...(await documentedOptions("pg_restore")),
      "--dbname",
      after.url.replace(/openledger$/, "postgres"),
      dump,
    ]);
    expect(await after.prepare()).toEqual([...DATABASE_SERVICES]);

    const restored = await Database.open({ url: await after.hostUrl(), ...host, migrates: false });
    expect(await restored.query("select name from names")).toEqual([{ name: "Mia" }]);
    expect(await restored.query("select bytes from contents")).toEqual([
      { bytes: Buffer.from("0a0d00ff", "hex") },
    ]);
    await restored.query("insert into names values (2, 'Ada', 0, '', '')");
    await expect(restored.query("create table mine (id integer)")).rejects.toMatchObject({
      code: "SRV_DATABASE_FAILED",
    });
    await restored.close();
    const again = await openProofQueue(databaseAt(await after.sequencerUrl()), { logger, migrates: true });
    expect(await again.state("a")).toEqual({ state: "waiting" });
    await again.close();
  },
  300_000,
);
