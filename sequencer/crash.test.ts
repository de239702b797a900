/** Tests of a sequencer that is killed under load: no acknowledged operation is lost or doubled. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import { encodeDeployment, genesisOf, shapeOf } from "@openledger/circuits/registry/deployment";
import { openPaths } from "@openledger/circuits/testing/open-paths";
import { hex32 } from "@openledger/foundation/hex";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { afterAll, describe, expect, it } from "vitest";
import { HeadState } from "./batches/head-state.ts";
import { restore } from "./batches/restore.ts";
import { LedgerLog } from "./store/ledger-log.ts";
import { type ChildSequencer, killChild, request, startChild, stopChild } from "./testing/child-sequencer.ts";
import { type Call, settlementDeployment, stepModel } from "./testing/test-model.ts";
import {
  depositsFor,
  L1_TIMESTAMP,
  operationJson,
  temporaryFolder,
  testEnvironment,
  testUser,
  transfer,
} from "./testing/test-rollup.ts";

const KILL_COUNT = isWhole ? 12 : 1;
/** An epoch's end waits for L1 longer than the few lives of `npm test` last. */
const MIN_SETTLEMENTS = isWhole ? 2 : 0;
const USER_COUNT = 4;
/** Makes a model and settles its epochs, beside the others' transfers. */
const MODEL_OWNER = testUser(USER_COUNT);
const DAY_SECONDS = 86_400;
/** Maximum answers that a life gets under load before its kill, and the time after the last of them. */
const MAX_LIFE_ANSWERS = 30;
const MAX_AFTER_ANSWER_MS = 40;
/** The test does not wait longer for a machine that is too busy to answer. */
const MAX_LIFE_MS = 10_000;
/** Thirteen starts of a process: half a minute, and twenty times that on a machine with much else to do. */
const TEST_TIMEOUT_MS = 900_000;

const folder = temporaryFolder();
/** The one that runs now: a test that fails must not leave it behind. */
let child: ChildSequencer | null = null;
afterAll(async () => {
  if (child !== null) await killChild(child);
  folder.remove();
});

/** Numerical Recipes' generator: the moments of the kills are the same in every run, as far as the machine allows. */
function* fractions(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    yield state / 2 ** 32;
  }
}

describe("a sequencer that is killed", () => {
  it(
    "has every acknowledged operation exactly once, and the state of a replay",
    async () => {
      const { circuits, deployment } = await settlementDeployment(folder.path);
      const deploymentPath = join(folder.path, "deployment.json");
      writeFileSync(deploymentPath, encodeDeployment(deployment));
      const dataPath = join(folder.path, "data");
      const environment = testEnvironment(dataPath, {
        SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
        SEQUENCER_CLOSE_INTERVAL_MS: "100",
        SEQUENCER_LOG_LEVEL: "info",
        SEQUENCER_SIGNATURE_THREADS: "1",
      });
      const users = Array.from({ length: USER_COUNT }, (_, i) => testUser(i));
      const acknowledged = new Map<string, { opIndex: number; signature: string }>();
      const settled = new Map<string, string>();
      let answerCount = 0;
      const random = fractions(42);

      /** Sends a user's next operations, two at a time, until the process is gone. */
      const sendAll = async (url: string, index: number) => {
        const user = users[index]!;
        const leaf = await request(`${url}/v1/leaves/${user.id}`);
        for (let nonce = BigInt(leaf?.nonce ?? 0); ; nonce += 2n) {
          const to = users[(index + 1) % users.length]!;
          const operations = [1n, 0n].map((step) => operationJson(transfer(user, to, nonce + step)));
          const answers = await Promise.all(
            operations.map((operation) => request(`${url}/v1/operations`, operation)),
          );
          for (const answer of answers) {
            answerCount += 1;
            if (answer?.preconfirmation !== undefined) acknowledged.set(answer.hash, answer.preconfirmation);
            else if (answer?.status === "pending") continue;
            else if (answer === null) return;
            else throw new Error(JSON.stringify(answer));
          }
          // The later one was pending when it was answered; it is acknowledged by now or soon.
          const settled = await request(`${url}/v1/operations/${answers[0]?.hash}`);
          if (settled?.preconfirmation) acknowledged.set(settled.hash, settled.preconfirmation);
          else if (settled !== null && settled.status === "pending") nonce -= 1n;
        }
      };
      /** The operator's processes: closed batches become posted and final, all but the last few. */
      const settle = async (url: string, openCount: number): Promise<boolean> => {
        const status = await request(`${url}/v1/status`);
        if (status === null) return false;
        for (let number = status.batches.final + 1; number <= status.batches.closed - openCount; number++) {
          const record = await request(`${url}/v1/batches/${number}`);
          const fields = { batchHash: record?.batchHash, transactionHash: hex32(1n) };
          for (const stage of ["posted", "final"]) {
            const answer = await request(`${url}/operator/batches/${number}/l1`, {
              ...fields,
              status: stage,
            });
            if (answer === null) return false;
            expect(answer).toEqual({});
          }
        }
        return true;
      };
      const keepSettling = async (url: string, openCount: number) => {
        while (await settle(url, openCount)) await new Promise((resolve) => setTimeout(resolve, 20));
      };

      /** One step after the other in the model's life, until the process is gone or the rest has to wait for L1. */
      const turnModel = async (url: string, stepCount = Number.POSITIVE_INFINITY) => {
        const call: Call = (path, payload) => request(`${url}${path}`, payload);
        for (let i = 0; i < stepCount; i++) {
          const [step, answer] = await stepModel(call, MODEL_OWNER, circuits);
          if (answer === null) return;
          answerCount += 1;
          if (answer.error !== undefined) {
            const waits = ["SEQ_TOO_EARLY", "OP_TOO_EARLY", "SRV_RATE_LIMITED"];
            if (waits.includes(answer.error.code)) return;
            throw new Error(`${step}: ${JSON.stringify(answer)}`);
          }
          if (answer.settlementHash !== undefined)
            settled.set(`${answer.modelId}/${answer.epoch}`, answer.settlementHash);
        }
      };

      for (let life = 0; life <= KILL_COUNT; life++) {
        child = await startChild(environment);
        const { url } = child;
        // A day a life: what is not on L1 yet is rebuilt.
        const timestamp = L1_TIMESTAMP + life * DAY_SECONDS;
        // L1 has what is final, and the rest is not there yet.
        const { finalNumber, positions } = await request(`${url}/operator/chain`);
        const final = positions.find(
          ({ batchNumber }: { batchNumber: number }) => batchNumber === finalNumber,
        );
        const { batchNumber, opIndex, queueHead, root } = final;
        const place = { batchNumber, opIndex, queueHead, root };
        await request(`${url}/operator/l1-head`, { blockNumber: life, timestamp, place });
        const entries = [...depositsFor(USER_COUNT + 1), ...depositsFor(life, 5n, USER_COUNT + 1)];
        await request(`${url}/operator/queue-entries`, { entries });
        for (const [hash, preconfirmation] of acknowledged) {
          if (random.next().value > 0.2) continue;
          expect((await request(`${url}/v1/operations/${hash}`)).preconfirmation, `life ${life}`).toEqual(
            preconfirmation,
          );
        }
        if (life === KILL_COUNT) {
          expect(await stopChild(child), "a clean stop").toBe(0);
          child = null;
          break;
        }
        await settle(url, life % 3);
        // Some steps are certain, so that all are taken in twelve lives; the others meet the kill.
        await turnModel(url, 3);
        const load = Promise.all([
          ...users.map((_, i) => sendAll(url, i)),
          turnModel(url),
          keepSettling(url, life % 3),
        ]);
        const requestCount = answerCount + random.next().value * MAX_LIFE_ANSWERS;
        const diesAtMs = Date.now() + MAX_LIFE_MS;
        while (answerCount < requestCount && Date.now() < diesAtMs)
          await new Promise((resolve) => setTimeout(resolve, 1));
        await new Promise((resolve) => setTimeout(resolve, random.next().value * MAX_AFTER_ANSWER_MS));
        await killChild(child);
        child = null;
        await load;
      }

      expect(openPaths(dataPath), "what others may read").toEqual([]);
      const log = await LedgerLog.open(dataPath, deployment);
      const rules = {
        domain: deployment.domain,
        idFeeWei: deployment.idFeeWei,
        shape: shapeOf(deployment.circuits[0]!),
      };
      const genesis = genesisOf(deployment);
      const ledger = genesisLedger(genesis);
      const replay = new HeadState(ledger, rules, {
        batchNumber: 0,
        root: ledger.root,
        nextId: 2,
        opIndex: 0,
        queueHead: 0,
        timestamp: 0n,
      });
      const found = new Map<string, number>();
      const foundSettlements = new Map<string, string>();
      for await (const [, entry] of log.entries(0)) {
        if (entry.type === "opened") replay.openNext(entry);
        if (entry.type === "closed") replay.close("calldata");
        if (entry.type === "queue") replay.replay(entry);
        if (entry.type === "settlement") {
          const name = `${entry.operation.modelId}/${entry.epoch}`;
          expect(foundSettlements.has(name)).toBe(false);
          foundSettlements.set(name, entry.hash);
          replay.replay(entry);
        }
        if (entry.type === "operation") {
          expect(found.has(entry.hash)).toBe(false);
          found.set(entry.hash, entry.opIndex);
          expect(replay.execute(entry.operation)).toMatchObject({ opIndex: entry.opIndex, slot: entry.slot });
        }
      }
      const lost = [...acknowledged].filter(([hash, { opIndex }]) => found.get(hash) !== opIndex);
      expect(lost).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(KILL_COUNT);
      for (const [name, hash] of settled) expect(foundSettlements.get(name), name).toBe(hash);
      expect(settled.size, "settlements in all lives").toBeGreaterThanOrEqual(MIN_SETTLEMENTS);
      const restored = await restore(log, { genesis, genesisRoot: deployment.genesis.root, rules });
      expect(restored.head.position).toEqual(replay.position);
      expect(restored.registry.finalNumber).toBeGreaterThan(0);
      await log.close();
    },
    TEST_TIMEOUT_MS,
  );
});
