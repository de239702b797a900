/**
 * kill -9 of gateway, model server and sequencer between question, answer and payment, again and again, while somebody asks paid
 * questions through the gateway; then the account's whole history.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { getLeaf, listOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { startOf } from "@openledger/foundation/testing/start-of";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import {
  PRICE_WEI,
  type SettlingWorld,
  startSettlingWorld,
} from "@openledger/models/testing/settling-fixture";
import { Command } from "commander";
import { toHex } from "viem";
import { localUrl } from "../world/machine.ts";
import { ManagedProcess } from "../world/process.ts";
import { commandSpec, portOf, type ServiceSpec, serviceSpec } from "../world/services.ts";
import { waitUntil } from "../world/wait-until.ts";
import { count, keepOption, type Outcome, scenario, withFolder } from "./scenario.ts";

/** Payments of an epoch of the model's circuit, which bounds the questions. */
const PAYMENTS = 64;
const MAX_TRIES = PAYMENTS - 1;
const BUDGET_WEI = 40n * OPEN;
const ANSWER_TIMEOUT_MS = 180_000;
/** Longest life of a process after a question was sent, if a question takes no longer. */
const MIN_LIFE_MS = 50;
const GATEWAY_NAME = "drill";
/** A question that no case of the drill asked before. */
const questionOf = (i: number) => `win a free cruise, the ${i}. time`;

interface GatewayDrillOptions {
  readonly tries: number;
  readonly seed: number;
  readonly keep: string | null;
}

export const gatewayScenario = scenario<GatewayDrillOptions>(
  new Command("gateway")
    .description("kill -9 of gateway, model server and sequencer between answer and payment")
    .option(
      "--tries <n>",
      `questions, at each of which one of the three is killed; at most ${MAX_TRIES}`,
      count,
      15,
    )
    .option("--seed <n>", "of what is drawn", Number, 1)
    .addOption(keepOption())
    .addHelpText(
      "after",
      `
Afterwards every question has its answer, every answer is paid once, and budget − payments − fees = balance, to the wei.
The last line is JSON. It ends with 1 otherwise.`,
    ),
  ({ keep, seed, tries }, tell) =>
    withFolder(keep, "gateway", (folder) => drill(folder, { tries: Math.min(tries, MAX_TRIES), seed, tell })),
);

interface Drilled {
  readonly tries: number;
  readonly seed: number;
  readonly tell: (text: string) => void;
}

async function drill(folder: string, { seed, tell, tries }: Drilled): Promise<Outcome> {
  const random = new TestRandom(seed);
  tell("a rollup with a registered model");
  const world = await startSettlingWorld(folder, undefined, [{ ...SMALL_DIRECT, payments: PAYMENTS }]);
  const processes: ManagedProcess[] = [];
  try {
    const { modelFolder, modelId } = await world.makeModel();
    await world.settle();
    // From here on the sequencer is a process of its own, on the same volume and port.
    await world.w.stop();
    const run = async (spec: ServiceSpec) => {
      const started = new ManagedProcess({
        ...spec,
        logPath: join(folder, "logs", `${spec.name}.log`),
        tell,
      });
      processes.push(started);
      await started.start();
      return started;
    };
    const operatorToken = randomBytes(16).toString("hex");
    const sequencer = await run(sequencerSpec(world, operatorToken));
    // Nothing is promised before the bridge has told how far the ledger is on L1.
    await run(bridgeSpec(world, operatorToken, await localUrl()));
    const serverUrl = await localUrl();
    const server = await run(modelServerSpec(world, { folder, modelId, modelFolder, serverUrl }));
    const gatewayUrl = await localUrl();
    const gateway = await run(gatewaySpec(world, { gatewayUrl, serverUrl }));
    const ask = askerOf(world, { gatewayUrl, modelId });
    const mortals = [gateway, server, sequencer];
    const killed = Object.fromEntries(mortals.map(({ name }) => [name, 0]));

    const startedAtMs = performance.now();
    const receipts = [await ask(questionOf(0))];
    const usualMs = Math.max(MIN_LIFE_MS, performance.now() - startedAtMs);
    for (let i = 1; i <= tries; i++) {
      const mortal = mortals[i % mortals.length]!;
      const answering = ask(questionOf(i));
      await sleep(random.next() * usualMs);
      await mortal.kill();
      killed[mortal.name]!++;
      mortal.launch();
      receipts.push(await answering);
      tell(`${i} of ${tries}: ${mortal.name} killed, the answer is there`);
    }
    await Promise.all(mortals.map((one) => one.ready()));
    // What the gateway finds after one more kill of everything is the same.
    await Promise.all(mortals.map((one) => one.kill()));
    for (const one of [sequencer, server, gateway]) await one.start();
    return await audit(world, { killed, receipts, tries });
  } finally {
    await Promise.all(processes.map((one) => one.kill()));
    await world.stop().catch(() => {});
  }
}

/** Compares what was asked with what the ledger has. */
async function audit(
  { bob }: SettlingWorld,
  { killed, receipts, tries }: { killed: object; receipts: readonly Answered[]; tries: number },
): Promise<Outcome> {
  const { payerId } = receipts[0]!;
  const [{ balanceWei }, operations] = await Promise.all([
    getLeaf(bob, payerId),
    listOperations(bob, payerId, { limit: 200 }),
  ]);
  const paid = operations.filter(
    (one): one is LedgerOperation => one.hash !== null && one.kind === "payInference" && one.a === payerId,
  );
  const counts = new Map<string, number>();
  for (const { words } of paid) counts.set(hex32(words[0]!), (counts.get(hex32(words[0]!)) ?? 0) + 1);
  const lost = receipts.filter(({ receipt }) => !counts.has(receipt)).length;
  const doubled =
    [...counts.values()].filter((times) => times > 1).length +
    (receipts.length - new Set(receipts.map(({ receipt }) => receipt)).size);
  const feesWei = paid.reduce((sum, { feeWei }) => sum + (feeWei ?? 0n), 0n);
  const paymentsWei = BigInt(paid.length) * PRICE_WEI;
  const differenceWei = BUDGET_WEI - paymentsWei - feesWei - balanceWei;
  const facts = {
    tries,
    killed,
    answers: receipts.length,
    payments: paid.length,
    /** Payments of answers that nobody was given. */
    unasked: paid.length - receipts.length,
    lost,
    doubled,
    budgetWei: `${BUDGET_WEI}`,
    paymentsWei: `${paymentsWei}`,
    feesWei: `${feesWei}`,
    balanceWei: `${balanceWei}`,
    differenceWei: `${differenceWei}`,
  };
  const isGood = lost === 0 && doubled === 0 && paid.length === receipts.length && differenceWei === 0n;
  return { facts: { drill: "gateway", ...facts }, lines: [], isGood };
}

interface Answered {
  readonly receipt: string;
  readonly payerId: number;
}

/** Asks as a program does: again until it has its answer. */
function askerOf({ home }: SettlingWorld, { gatewayUrl, modelId }: { gatewayUrl: string; modelId: number }) {
  return async (content: string): Promise<Answered> => {
    const question = async (): Promise<Answered | null> => {
      const token = readFileSync(join(home, "gateways", GATEWAY_NAME, "token"), "utf8").trim();
      const response = await fetch(`${gatewayUrl}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify({ model: `model-${modelId}`, messages: [{ role: "user", content }] }),
      });
      if (!response.ok) return null;
      const { openledger } = (await response.json()) as {
        openledger: { receipt: string; payment: { payerId: number } };
      };
      return { receipt: openledger.receipt, payerId: openledger.payment.payerId };
    };
    return waitUntil("an answer", () => question().catch(() => null), ANSWER_TIMEOUT_MS);
  };
}

/** The sequencer of the world's volume. Batches stay unproven: what is drilled is between question and payment. */
function sequencerSpec({ folder, home, sequencerUrl }: SettlingWorld, operatorToken: string): ServiceSpec {
  return serviceSpec("sequencer", sequencerUrl, {
    SEQUENCER_DEPLOYMENT_PATH: join(home, "deployment.json"),
    SEQUENCER_DATA_PATH: join(folder, "operator/data"),
    SEQUENCER_PORT: portOf(sequencerUrl),
    SEQUENCER_OPERATOR_TOKEN: operatorToken,
    SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: operatorKey(),
    SEQUENCER_FEE_PER_UNIT_WEI: 1_000,
    SEQUENCER_PROVING: "off",
    SEQUENCER_MAX_UNPOSTED_BATCHES: 64,
    SEQUENCER_RATE_LIMIT_PER_MINUTE: 1_000_000,
  });
}

function bridgeSpec(
  { f, folder, home, sequencerUrl }: SettlingWorld,
  operatorToken: string,
  healthUrl: string,
): ServiceSpec {
  return serviceSpec("bridge", healthUrl, {
    BRIDGE_DEPLOYMENT_PATH: join(home, "deployment.json"),
    BRIDGE_L1_RPC_URL: f.rpcUrl,
    BRIDGE_SEQUENCER_URL: sequencerUrl,
    BRIDGE_OPERATOR_TOKEN: operatorToken,
    BRIDGE_OPERATOR_PRIVATE_KEY: operatorKey(),
    BRIDGE_DATA_PATH: join(folder, "operator/bridge"),
    BRIDGE_HEALTH_PORT: portOf(healthUrl),
    BRIDGE_POLL_INTERVAL_MS: 500,
    BRIDGE_MAX_BACKOFF_MS: 1_000,
  });
}

const operatorKey = () => toHex(anvilAccount(1).getHdKey().privateKey!);

function modelServerSpec(
  { bob, databaseUrl, sequencerUrl }: SettlingWorld,
  location: { folder: string; modelId: number; modelFolder: string; serverUrl: string },
): ServiceSpec {
  const { folder, modelFolder, modelId, serverUrl } = location;
  const published = {
    locations: [{ modelId, folder: modelFolder }],
    sequencerUrl,
    rollup: storeRollupOf(bob),
    domain: bob.domain.toString(),
  };
  return {
    name: "model-server",
    args: [...startOf("models/testing/model-server.ts"), JSON.stringify(published)],
    env: {
      SERVING_PORT: portOf(serverUrl),
      SERVING_KERNELS: "wasm",
      SERVING_DATA_PATH: join(folder, "serving"),
      SERVING_DATABASE_URL: databaseUrl,
      SERVING_RATE_LIMIT_PER_MINUTE: "1000000",
    },
    isReady: async () => (await fetch(`${serverUrl}/health`)).ok,
  };
}

function gatewaySpec(
  { home, sequencerUrl }: SettlingWorld,
  { gatewayUrl, serverUrl }: { gatewayUrl: string; serverUrl: string },
): ServiceSpec {
  const { HOME = "", PATH = "" } = process.env;
  const args = [
    ...["--json", "gateway", "--name", GATEWAY_NAME, "--budget", String(BUDGET_WEI / OPEN)],
    ...["--max-price", "1", "--port", portOf(gatewayUrl), "--server", serverUrl],
    ...["--sequencer", sequencerUrl, "--private-key-file", join(home, "bob-key")],
  ];
  // Nothing answers without its token: a refusal says that it listens.
  const isReady = async () => (await fetch(`${gatewayUrl}/v1/models`)).status === 401;
  return commandSpec("gateway", args, { HOME, PATH, OPENLEDGER_HOME: home }, isReady);
}
