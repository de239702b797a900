import { hex32 } from "@openledger/foundation/hex";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Call,
  defaultSettlement,
  findModel,
  sampledSettlement,
  settlementDeployment,
  settlementJson,
  signatureJson,
  stepModel,
  type TestCircuits,
  type TestModel,
} from "../testing/test-model.ts";
import { batch, close, head, operator, prove, report } from "../testing/test-operator.ts";
import {
  type Answer,
  L1_TIMESTAMP,
  operatorHeaders,
  startTestRollup,
  type TestRollup,
  temporaryFolder,
} from "../testing/test-rollup.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface World {
  rollup: TestRollup;
  circuits: TestCircuits;
  call: Call;
  model: TestModel;
  /** Steps until one of this name was done. */
  until(step: string): Promise<Answer>;
  again(): Promise<TestRollup>;
}

const DAY_SECONDS = 86_400;

/** A rollup with an approved model that has had no genesis. */
async function start(): Promise<World> {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const { circuits, deployment } = await settlementDeployment(folder.path);
  const dataPath = `${folder.path}/data`;
  const rollup = await startTestRollup({ dataPath, userCount: 2, deployment });
  let stop = () => rollup.stop();
  cleanUps.push(() => stop().catch(() => {}));
  const call: Call = async (path, payload) =>
    (payload === undefined ? await rollup.get(path) : await rollup.post(path, payload, operatorHeaders)).body;
  const owner = rollup.users[0]!;
  const until = async (wanted: string) => {
    for (;;) {
      const [step, answer] = await stepModel(call, owner, circuits);
      if (answer?.error !== undefined) throw new Error(`${step}: ${JSON.stringify(answer)}`);
      if (step === wanted) return answer;
    }
  };
  await until("publish");
  await close(rollup);
  for (let number = 1; number <= rollup.sequencer.line.book.closedNumber; number++)
    await report(rollup, number, "final");
  await head(rollup, L1_TIMESTAMP + DAY_SECONDS);
  await until("approve");
  const model = (await findModel(call, owner)) as TestModel;
  const again = async () => {
    await rollup.stop();
    const second = await startTestRollup({ dataPath, userCount: 2, deployment });
    stop = () => second.stop();
    return second;
  };
  return { rollup, circuits, call, model, until, again };
}

/** Its batch may be full with it. */
const isTaken = (status: unknown) => status === "acknowledged" || status === "closed";
const codeOf = (answer: Answer) =>
  answer?.error?.code ?? (isTaken(answer?.status) ? "taken" : answer?.status);
const modelOf = ({ call, model }: World) => call(`/v1/models/${model.modelId}`);

describe("a model's epochs over HTTP", () => {
  it("go to L1 with their batch, and stay through restarts and rebuilds", async () => {
    const world = await start();
    const { rollup, call, model, until } = world;
    const { modelId } = model;
    const settled = await until("settle");
    expect((await modelOf(world)).earners[0].accruedWei).toBe(settled.earnedSumWei);
    await close(rollup);
    const { batchNumber } = await call(`/v1/settlements/${modelId}/1`);
    expect(await call(`/v1/settlements/${modelId}/1`)).toMatchObject({ status: "closed", batchNumber });
    for (let number = rollup.sequencer.line.book.finalNumber + 1; number <= batchNumber; number++)
      await prove(rollup, number);
    const ready = await operator(rollup, "/operator/batches/ready?limit=64");
    const last = ready.find((b: Answer) => b.batchNumber === batchNumber);
    expect(last.settlements).toEqual([
      {
        circuit: settled.circuit,
        commitment: settled.publicSignals[0],
        data: settled.data,
        proof: settled.proof,
        settles: { modelId, word: settled.settlementHash },
      },
    ]);
    expect(await batch(rollup, batchNumber)).toMatchObject({ counts: { settlements: 1 } });
    // The same batches with a later time: same settlements, same root.
    const root = rollup.sequencer.line.head.ledger.root;
    await head(rollup, L1_TIMESTAMP + DAY_SECONDS + 3_000);
    await rollup.sequencer.line.idle();
    expect(rollup.fatal).toEqual([]);
    expect(await batch(rollup, batchNumber)).toMatchObject({ rebuildCount: 1, counts: { settlements: 1 } });
    expect((await call(`/v1/models/${modelId}`)).earners[0].accruedWei).toBe(settled.earnedSumWei);
    await close(rollup);
    for (let number = rollup.sequencer.line.book.finalNumber + 1; number <= batchNumber; number++)
      await report(rollup, number, "final");
    expect(await call(`/v1/settlements/${modelId}/1`)).toMatchObject({
      status: "final",
      l1TransactionHash: hex32(5n),
    });
    const payments = await call(`/v1/models/${modelId}/payments?epoch=1`);
    const headRoot = rollup.sequencer.line.head.ledger.root;
    expect(headRoot, "a rebuild moves the epoch's beginning").not.toBe(root);

    const second = await world.again();
    expect(second.sequencer.line.head.ledger.root).toBe(headRoot);
    const get = async (path: string) => (await second.get(path)).body;
    expect(await get(`/v1/models/${modelId}/payments?epoch=1`)).toEqual(payments);
    const list = await get(`/v1/settlements?model=${modelId}`);
    expect(list.map((s: Answer) => [s.epoch, s.kind])).toEqual([
      [1, "settle"],
      [0, "genesis"],
    ]);
    expect(list[0]).toMatchObject({ settlementHash: settled.settlementHash, proof: settled.proof });
  });
});

describe("POST /v1/settlements", () => {
  it("takes a default split 14 days after L1 took the Seal, and then only that if the randomness was missed", async () => {
    const world = await start();
    const { rollup, call, circuits, model, until } = world;
    await until("seal");
    const view = await modelOf(world);
    const { sealBatch: batchNumber } = view.sealedEpoch;
    const sealedAt = L1_TIMESTAMP + DAY_SECONDS;
    const onL1 = { batchNumber, blockNumber: 9, timestamp: sealedAt, prevRandao: null, isMissed: true };
    await operator(rollup, "/operator/seals", onL1);
    const sampled = settlementJson(sampledSettlement(view, model.statics), "settlement", circuits);
    expect(codeOf(await call("/v1/settlements", sampled))).toBe("SEQ_RANDOMNESS_MISSED");
    const body = settlementJson(defaultSettlement(view, model.statics), "earnerTable", circuits);
    for (const [seconds, expected] of [
      [14 * DAY_SECONDS - 1, "SEQ_DEFAULT_SPLIT_TOO_EARLY"],
      [14 * DAY_SECONDS, "taken"],
    ] as const) {
      await head(rollup, sealedAt + seconds);
      await rollup.sequencer.line.idle();
      expect(codeOf(await call("/v1/settlements", body))).toBe(expected);
    }
    expect(await call(`/v1/settlements/${model.modelId}/1`)).toMatchObject({ ownerWei: "0", voidCount: 0 });
  });

  it("wants the model's signature where draws are void, and burns their share", async () => {
    const world = await start();
    const { rollup, call, circuits, model, until } = world;
    await until("randomness");
    const view = await modelOf(world);
    const data = sampledSettlement(view, model.statics, 2);
    const body = settlementJson(data, "settlement", circuits);
    expect(codeOf(await call("/v1/settlements", body))).toBe("OP_BAD_SIGNATURE");
    const { owner } = model;
    const forged = { ...body, signature: signatureJson({ ...owner, secret: owner.secret + 1n }, data) };
    expect(codeOf(await call("/v1/settlements", forged))).toBe("OP_BAD_SIGNATURE");
    await close(rollup);
    const before = rollup.sequencer.line.head.ledger.totalWei();
    const settled = await call("/v1/settlements", { ...body, signature: signatureJson(owner, data) });
    expect(settled).toMatchObject({
      voidCount: 2,
      burnedWei: data.burnedWei.toString(),
    });
    expect(before - rollup.sequencer.line.head.ledger.totalWei()).toBe(data.burnedWei);
  });
});
