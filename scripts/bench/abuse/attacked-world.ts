/** A sequencer, a server of models and a Datanet host, each a process of its own, with honest clients of each. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { askHost } from "@openledger/client/datanets/host-request";
import { uploadRows } from "@openledger/client/datanets/upload-rows";
import { commitData } from "@openledger/client/internal/actions/ledger/commit-data";
import { sha256Hex } from "@openledger/datanets/internal/store/blob-files";
import { encodeRows } from "@openledger/datanets/rows/row-wire";
import { startChildHost } from "@openledger/datanets/testing/child-host";
import { createHostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import { request, startChild, stopChild } from "@openledger/sequencer/testing/child-sequencer";
import {
  depositsFor,
  L1_TIMESTAMP,
  operationJson,
  placeOfGenesis,
  testDeployment,
  testEnvironment,
  testUser,
  transfer,
} from "@openledger/sequencer/testing/test-rollup";
import { z } from "zod";
import { startServingChild } from "../adapters/serving-child.ts";
import { askOnce, HonestClient } from "./honest-clients.ts";

interface AttackedWorld {
  readonly urls: { readonly sequencer: string; readonly models: string; readonly host: string };
  /** Of the Datanet host. */
  readonly session: string;
  readonly clients: readonly HonestClient[];
  /** Asks a process that nobody attacks: what it waits is the machine's. */
  readonly control: HonestClient;
  readonly pids: readonly number[];
  readonly endedCount: () => number;
  close(): Promise<void>;
}

const CONTROL =
  'const s = require("http").createServer((q, r) => r.end("ok")).listen(0, "127.0.0.1", () => console.log(s.address().port))';
const TEXT = "Fellow citizens, the state of the union is strong. ".repeat(10);

export async function startAttackedWorld(): Promise<AttackedWorld> {
  const folder = mkdtempSync(join(tmpdir(), "openledger-abuse-"));
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  let ended = 0;
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const sequencer = await startSequencer(folder);
    closing.push(() => stopChild(sequencer.child));
    mkdirSync(join(folder, "adapters"));
    const options = ["--base", "models/base/checkpoint", "--adapters", join(folder, "adapters")];
    const models = await startServingChild(options, { SERVING_DATA_PATH: join(folder, "data") });
    closing.push(() => models.stop());
    const host = await startHost(folder);
    closing.push(() => host.close());
    const control = spawn(process.execPath, ["-e", CONTROL], { stdio: ["ignore", "pipe", "inherit"] });
    closing.push(async () => control.kill());
    const controlUrl = await new Promise<string>((resolve) =>
      control.stdout.once("data", (port) => resolve(`http://127.0.0.1:${String(port).trim()}`)),
    );
    const processes: ChildProcess[] = [sequencer.child.process, models.process, host.process];
    for (const one of processes) one.once("exit", () => (ended += 1));
    const completion = { model: "base", prompt: "The state of the union", max_tokens: 4 };
    const chat = { model: "base", messages: [{ role: "user", content: TEXT }], max_tokens: 4 };
    const clients = [
      new HonestClient("sequencer status", () => askOnce(`${sequencer.child.url}/v1/status`)),
      new HonestClient("sequencer operation", sequencer.operation),
      new HonestClient("models health", () => askOnce(`${models.url}/health`)),
      new HonestClient("models completion", () => askOnce(`${models.url}/v1/completions`, completion), 200),
      new HonestClient("models chat", () => askOnce(`${models.url}/v1/chat/completions`, chat), 200),
      new HonestClient("host info", () => askOnce(`${host.url}/v1/info`)),
      new HonestClient("host signed rows", host.upload, 200),
    ];
    return {
      urls: { sequencer: sequencer.child.url, models: models.url, host: host.url },
      session: host.session,
      clients,
      control: new HonestClient("control", () => askOnce(controlUrl)),
      pids: processes.map(({ pid }) => pid!),
      endedCount: () => ended,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startSequencer(folder: string) {
  const deploymentPath = join(folder, "deployment.json");
  const deployment = await testDeployment();
  writeFileSync(deploymentPath, encodeDeployment(deployment));
  const child = await startChild(
    testEnvironment(join(folder, "sequencer"), {
      SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
      SEQUENCER_LOG_LEVEL: "info",
      SEQUENCER_MAX_UNPOSTED_BATCHES: "100000",
      SEQUENCER_SIGNATURE_THREADS: "1",
    }),
  );
  await request(`${child.url}/operator/l1-head`, {
    ...{ blockNumber: 1, timestamp: L1_TIMESTAMP },
    place: placeOfGenesis(deployment),
  });
  await request(`${child.url}/operator/queue-entries`, { entries: depositsFor(2) });
  await request(`${child.url}/operator/close`, {});
  let nonce = 0n;
  const operation = () =>
    askOnce(`${child.url}/v1/operations`, operationJson(transfer(testUser(0), testUser(1), nonce++)));
  return { child, operation };
}

/** Its ledger is in this process: nobody attacks it. */
async function startHost(folder: string) {
  const card = sampleCard();
  const world = await createHostWorld({ card });
  const child = await startChildHost({
    ...world.environment(join(folder, "host")),
    DATANET_LOG_LEVEL: "info",
  });
  const place = { hostUrl: child.url, datanetId: world.datanetId };
  const alice = await world.user(1);
  const rows = sampleRows(20);
  const rowsRoot = contributionRoot(rows.map(hashRow));
  await commitData(alice, { datanetId: world.datanetId, rowsRoot, rowCount: rows.length });
  await world.finalise();
  await bringCard(alice, { ...place, card });
  const source = { rowsRoot, digests: rows.map(sha256Hex), row: (index: number) => rows[index]! };
  await uploadRows(alice, { ...place, source });
  const path = `/v1/datanets/${world.datanetId}/commits/0x${rowsRoot.toString(16).padStart(64, "0")}/rows`;
  const body = encodeRows(rows);
  const { session } = JSON.parse(await askOnce(`${child.url}/v1/info`)) as { session: string };
  return {
    ...{ url: child.url, process: child.process, session },
    upload: () => askHost(alice, child.url, { method: "PUT", path, body, isSigned: true }, z.unknown()),
    async close() {
      await child.end("SIGTERM");
      await world.close();
    },
  };
}

/** In megabytes; 0 of one that has ended. */
export function residentMegabytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
  } catch {
    return 0;
  }
}
