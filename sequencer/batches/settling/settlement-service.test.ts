import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { type FeedMessage, openFeed } from "@openledger/client/sequencer/feed";
import { hex32 } from "@openledger/foundation/hex";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { describe, expect, it, onTestFinished } from "vitest";
import { freshFolder } from "../../testing/fresh-rollup.ts";
import {
  activationJson,
  type Call,
  defaultSettlement,
  findModel,
  OTHER_DRAWS_INDEX,
  OTHER_FEATURES_INDEX,
  OTHER_SHARDED_INDEX,
  PAYEE_TABLE_INDEX,
  PREV_RANDAO,
  SMALL_SETTLEMENT_INDEX,
  sampledSettlement,
  settlementDeployment,
  settlementJson,
  signAs,
  signatureJson,
  stepModel,
  type TestCircuits,
  type TestModel,
} from "../../testing/test-model.ts";
import { batch, close, head, operator, prove, report } from "../../testing/test-operator.ts";
import {
  type Answer,
  L1_TIMESTAMP,
  operatorHeaders,
  startTestRollup,
  type TestRollup,
} from "../../testing/test-rollup.ts";

interface World {
  rollup: TestRollup;
  circuits: TestCircuits;
  call: Call;
  model: TestModel;
  /** Steps until a step of this name is done. */
  until(step: string): Promise<Answer>;
  again(): Promise<TestRollup>;
}

const DAY_SECONDS = 86_400;

/** A rollup with an approved model that has had no activation. */
async function start(shardCount = 1): Promise<World> {
  const folder = freshFolder();
  const { circuits, deployment } = await settlementDeployment(folder);
  const dataPath = `${folder}/data`;
  const rollup = await startTestRollup({ dataPath, userCount: 2, deployment });
  let stop = () => rollup.stop();
  onTestFinished(() => stop().catch(() => {}));
  const call: Call = async (path, payload) =>
    (payload === undefined ? await rollup.get(path) : await rollup.post(path, payload, operatorHeaders)).body;
  const owner = rollup.users[0]!;
  const until = async (name: string) => {
    for (;;) {
      const [step, answer] = await stepModel(call, owner, circuits, shardCount);
      if (answer?.error !== undefined) throw new Error(`${step}: ${JSON.stringify(answer)}`);
      if (step === name) return answer;
    }
  };
  await until("publish");
  await close(rollup);
  for (let number = 1; number <= rollup.sequencer.pipeline.registry.closedNumber; number++)
    await report(rollup, number, "final");
  await head(rollup, L1_TIMESTAMP + DAY_SECONDS);
  await until("approve");
  const model = (await findModel(call, owner, shardCount)) as TestModel;
  const again = async () => {
    await rollup.stop();
    const second = await startTestRollup({ dataPath, userCount: 2, deployment });
    stop = () => second.stop();
    return second;
  };
  return { rollup, circuits, call, model, until, again };
}

/** True if the settlement is executed; its batch may be full, and so closed. */
const isTaken = (status: unknown) => status === "acknowledged" || status === "closed";
const codeOf = (answer: Answer) =>
  answer?.error?.code ?? (isTaken(answer?.status) ? "taken" : answer?.status);
const modelOf = ({ call, model }: World) => call(`/v1/models/${model.modelId}`);

describe("a model's epochs over HTTP", () => {
  it("are opened, paid, closed, settled and claimed, and everybody sees who gets what", async () => {
    const world = await start();
    const { rollup, call, model, until } = world;
    const { modelId, owner } = model;
    expect(await modelOf(world)).toMatchObject({ payees: [], closedEpoch: null });
    const activation = await until("activation");
    expect(codeOf(activation)).toBe("taken");
    expect(activation).toMatchObject({ kind: "activation", epoch: 0, cap: 8 });
    expect(await modelOf(world)).toMatchObject({
      counters: { isReady: true, cap: 8, epoch: 1 },
      payees: [{ index: 0, rowCount: 9, accruedWei: "0" }],
      model: { ownerParts: 6_554, validatorParts: 16_384 },
    });
    for (let i = 0; i < 3; i++) await until("pay");
    const open = await call(`/v1/models/${modelId}/payments`);
    expect(open).toMatchObject({
      epoch: 1,
      isClosed: false,
      paymentCount: 3,
      amountWei: `${3n * 10n ** 18n}`,
    });
    expect(open.payments.map((p: Answer) => p.cumulativeWei)).toEqual(
      [1n, 2n, 3n].map((n) => (n * 10n ** 18n).toString()),
    );
    expect(open.payments[1]).toMatchObject({ receipt: hex32(1_001n), payerId: owner.id });
    await until("closeEpoch");
    const closed = (await modelOf(world)).closedEpoch;
    expect(closed).toMatchObject({ epoch: 1, amountWei: open.amountWei, chain: open.chain, seed: null });
    const paged = await call(`/v1/models/${modelId}/payments?epoch=1&from=1&limit=1`);
    expect(paged).toMatchObject({ isClosed: true, chain: open.chain, closingBatch: closed.closingBatch });
    expect(paged.payments).toEqual([open.payments[1]]);
    expect(codeOf(await call(`/v1/models/${modelId}/payments?epoch=3`))).toBe("SEQ_UNKNOWN");
    expect((await call(`/v1/models/${modelId}/payments`)).payments).toEqual([]);

    await until("randomness");
    const data = sampledSettlement(await modelOf(world), model.statics);
    expect((await modelOf(world)).closedEpoch.seed).toBe(hex32(data.seed));
    const ledger = rollup.sequencer.pipeline.head.ledger;
    // Fees are nobody's until their batch is closed.
    await close(rollup);
    const totalWei = ledger.totalWei();
    const settled = await until("settle");
    expect(ledger.totalWei(), "nothing is burned without voids").toBe(totalWei);
    const amounts = ["ownerWei", "treasuryWei", "burnedWei", "earnedSumWei"].map((name) =>
      BigInt(settled[name]),
    );
    expect(amounts.reduce((sum, wei) => sum + wei, 0n)).toBe(BigInt(closed.amountWei));
    const after = await modelOf(world);
    expect(after.closedEpoch).toBeNull();
    expect(after.payees[0].accruedWei).toBe(settled.earnedSumWei);
    const [contributor, validator] = [after.payees[0].contributor, after.payees[0].validator];
    expect(BigInt(contributor.claimableWei) + BigInt(validator.claimableWei)).toBe(
      BigInt(settled.earnedSumWei),
    );
    const rewards = await call(`/v1/leaves/${owner.id}/rewards`);
    expect(rewards).toMatchObject({ claimableWei: settled.earnedSumWei });
    expect(rewards.rewards.map((r: Answer) => r.role)).toEqual(["contributor", "validator"]);
    await until("claimRewards");
    expect((await modelOf(world)).payees[0].contributor).toMatchObject({ claimableWei: "0" });
    expect((await call(`/v1/leaves/${owner.id}/rewards`)).claimableWei).toBe(validator.claimableWei);
  });

  if (isWhole) {
    it("go to L1 with their batch, and stay through restarts and rebuilds", async () => {
      const world = await start();
      const { rollup, call, model, until } = world;
      const { modelId } = model;
      const settled = await until("settle");
      expect((await modelOf(world)).payees[0].accruedWei).toBe(settled.earnedSumWei);
      await close(rollup);
      const { batchNumber } = await call(`/v1/settlements/${modelId}/1`);
      expect(await call(`/v1/settlements/${modelId}/1`)).toMatchObject({ status: "closed", batchNumber });
      for (let number = rollup.sequencer.pipeline.registry.finalNumber + 1; number <= batchNumber; number++)
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
      const root = rollup.sequencer.pipeline.head.ledger.root;
      await head(rollup, L1_TIMESTAMP + DAY_SECONDS + 3_000);
      await rollup.sequencer.pipeline.idle();
      expect(rollup.fatal).toEqual([]);
      expect(await batch(rollup, batchNumber)).toMatchObject({ rebuildCount: 1, counts: { settlements: 1 } });
      expect((await call(`/v1/models/${modelId}`)).payees[0].accruedWei).toBe(settled.earnedSumWei);
      await close(rollup);
      for (let number = rollup.sequencer.pipeline.registry.finalNumber + 1; number <= batchNumber; number++)
        await report(rollup, number, "final");
      expect(await call(`/v1/settlements/${modelId}/1`)).toMatchObject({
        status: "final",
        l1TransactionHash: hex32(5n),
      });
      const payments = await call(`/v1/models/${modelId}/payments?epoch=1`);
      const headRoot = rollup.sequencer.pipeline.head.ledger.root;
      expect(headRoot, "a rebuild moves the epoch's beginning").not.toBe(root);

      const second = await world.again();
      expect(second.sequencer.pipeline.head.ledger.root).toBe(headRoot);
      const get = async (path: string) => (await second.get(path)).body;
      expect(await get(`/v1/models/${modelId}/payments?epoch=1`)).toEqual(payments);
      const list = await get(`/v1/settlements?model=${modelId}`);
      expect(list.map((s: Answer) => [s.epoch, s.kind])).toEqual([
        [1, "settle"],
        [0, "activation"],
      ]);
      expect(list[0]).toMatchObject({ settlementHash: settled.settlementHash, proof: settled.proof });
      const found = await get(`/v1/hashes?start=${settled.settlementHash.slice(0, 20)}`);
      expect(found).toEqual([{ what: "settlement", hash: settled.settlementHash, modelId, epoch: 1 }]);
    });
  }
});

describe("POST /v1/settlements", () => {
  it("answers the same settlement again, and refuses another of its epoch", async () => {
    const world = await start();
    const { call, circuits, model, until } = world;
    await until("randomness");
    const view = await modelOf(world);
    const body = settlementJson(sampledSettlement(view, model.statics), "settlement", circuits);
    const [first, second] = await Promise.all([call("/v1/settlements", body), call("/v1/settlements", body)]);
    expect(codeOf(first)).toBe("taken");
    expect(second).toEqual(first);
    expect(await call("/v1/settlements", body)).toEqual(first);
    const other = settlementJson(sampledSettlement(view, model.statics, 1), "settlement", circuits);
    expect(codeOf(await call("/v1/settlements", other))).toBe("SEQ_SETTLEMENT_STALE");
    const activation = activationJson(model, circuits);
    const changed = { ...activation, settlementHash: hex32(5n) };
    expect(codeOf(await call("/v1/settlements", changed))).toBe("SEQ_SETTLEMENT_STALE");
    expect(codeOf(await call(`/v1/settlements/${model.modelId}/2`))).toBe("SEQ_UNKNOWN");
  });

  it("refuses an activation that names a circuit that does not settle the model", async () => {
    const { call, circuits, model } = await start();
    for (const [index, what, given, has] of [
      [SMALL_SETTLEMENT_INDEX, "rows", 9, 8],
      [OTHER_DRAWS_INDEX, "draws", 4, 8],
      [OTHER_FEATURES_INDEX, "features", 16, 8],
    ] as const) {
      const answer = await call("/v1/settlements", activationJson(model, circuits, index));
      expect(codeOf(answer), what).toBe("SEQ_SETTLEMENT_INVALID");
      expect(answer.error.data).toMatchObject({ modelId: model.modelId, what, given, has });
    }
    const named = activationJson(model, circuits, PAYEE_TABLE_INDEX);
    expect(codeOf(await call("/v1/settlements", named)), "no settlement circuit").toBe(
      "SEQ_SETTLEMENT_INVALID",
    );
    expect(codeOf(await call("/v1/settlements", activationJson(model, circuits)))).toBe("taken");
  });

  it("refuses whatever L1 would refuse, and changes nothing", async () => {
    const world = await start();
    const { rollup, call, circuits, model, until } = world;
    await until("closeEpoch");
    const send = async (body: object) => codeOf(await call("/v1/settlements", body));
    const { statics } = model;
    const root = rollup.sequencer.pipeline.head.ledger.root;
    let view = await modelOf(world);
    const sampled = () => settlementJson(sampledSettlement(view, statics), "settlement", circuits);
    expect(await send(sampled())).toBe("SEQ_TOO_EARLY");
    const even = settlementJson(defaultSettlement(view, statics), "payeeTable", circuits);
    expect(await send(even), "L1 has not taken the CloseEpoch").toBe("SEQ_TOO_EARLY");
    const { closingBatch: batchNumber } = view.closedEpoch;
    const onL1 = { batchNumber, blockNumber: 9, timestamp: L1_TIMESTAMP, prevRandao: null, isMissed: false };
    const awaited = () => operator(rollup, "/operator/epoch-closes");
    const unsettled = [batchNumber];
    expect(await awaited()).toEqual({ batchNumbers: [batchNumber], unsettled });
    expect(await operator(rollup, "/operator/epoch-closes", onL1)).toEqual({});
    expect(await awaited(), "without its randomness").toEqual({ batchNumbers: [batchNumber], unsettled });
    expect(await send(sampled())).toBe("SEQ_TOO_EARLY");
    const told: FeedMessage[] = [];
    const access = { sequencerUrl: await rollup.listen(), requestTimeoutMs: 5_000 };
    const feed = await openFeed(access, ["batches"], (message) => told.push(message));
    await expect.poll(() => feed.isOpen).toBe(true);
    const recorded = { ...onL1, prevRandao: hex32(PREV_RANDAO) };
    expect(await operator(rollup, "/operator/epoch-closes", recorded)).toEqual({});
    expect(await awaited()).toEqual({ batchNumbers: [], unsettled });
    expect(await operator(rollup, "/operator/epoch-closes", recorded), "again").toEqual({});
    await expect
      .poll(() => told.map(({ data, event }) => [event, data]))
      .toEqual([["randomness", { batchNumber }]]);
    feed.close();
    expect(await operator(rollup, "/operator/epoch-closes", { ...recorded, prevRandao: hex32(1n) })).toEqual([
      409,
      "SEQ_CLOSE_CONFLICT",
    ]);

    view = await modelOf(world);
    const honest = sampled();
    const data = sampledSettlement(view, statics);
    const of = (changes: Partial<typeof data>) =>
      settlementJson({ ...data, ...changes }, "settlement", circuits);
    const [c, y, z] = honest.publicSignals as [string, string, string];
    const refusals: [string, string, object][] = [
      // Attack: their proofs verify, and L1 cannot see the difference. Only the statics in J say which draws are the
      // model's.
      ["SEQ_SETTLEMENT_INVALID", "other draws", settlementJson(data, "otherDraws", circuits)],
      ["SEQ_SETTLEMENT_INVALID", "other features", settlementJson(data, "otherFeatures", circuits)],
      ["SEQ_SETTLEMENT_INVALID", "another's proof", { ...honest, proof: of({ seed: 5n }).proof }],
      ["SEQ_SETTLEMENT_INVALID", "another seed", of({ seed: data.seed + 1n })],
      ["SEQ_SETTLEMENT_INVALID", "another evaluation", { ...honest, publicSignals: [c, z, y] }],
      ["SEQ_SETTLEMENT_INVALID", "an unknown circuit", { ...honest, circuit: "settlement-1-1-1-1-1" }],
      ["SEQ_SETTLEMENT_INVALID", "a batch circuit", { ...honest, circuit: "table-4-2-2-8-2-2-1" }],
      ["SEQ_SETTLEMENT_INVALID", "bytes that are no settlement", { ...honest, data: "0x1234" }],
      ["SEQ_SETTLEMENT_INVALID", "a circuit named by a Settle", of({ capCircuit: 1 })],
      ["SEQ_SETTLEMENT_INVALID", "more payees than the circuit's", of({ items: Array(36).fill(0n) })],
      ["OP_SETTLEMENT_DIFFERS", "other totals", of({ items: [data.items[0]! + 1n] })],
      ["OP_SETTLEMENT_DIFFERS", "another J", of({ settlementHash: data.settlementHash + 1n })],
      ["OP_SETTLEMENT_DIFFERS", "burned without voids", of({ burnedWei: 1n })],
      ["SEQ_SETTLEMENT_STALE", "another epoch", of({ epoch: 2n })],
      ["SEQ_SETTLEMENT_STALE", "another chain", of({ chain: data.chain + 1n })],
      ["SEQ_TOO_EARLY", "another CloseEpoch", of({ closingBatch: data.closingBatch + 1n })],
      ["OP_UNKNOWN_LEAF", "no model", { ...honest, modelId: 9_999 }],
      ["OP_WRONG_LEAF_KIND", "no model's leaf", { ...honest, modelId: model.datanetId }],
      ["SRV_BAD_REQUEST", "an unknown field", { ...honest, extra: 1 }],
    ];
    for (const [code, what, body] of refusals)
      expect(`${what}: ${await send(body)}`).toBe(`${what}: ${code}`);
    expect(await send(even), "not for 14 days").toBe("SEQ_TOO_EARLY");
    expect(rollup.sequencer.pipeline.head.ledger.root).toBe(root);
    expect(await send(honest)).toBe("taken");
  });

  it("Attack: takes an activation, which fixes the cap, only with the model's signature", async () => {
    const { call, circuits, model } = await start();
    const { owner } = model;
    const body = activationJson(model, circuits);
    const { signature: _own, ...unsigned } = body;
    const stranger = activationJson({ ...model, owner: { ...owner, secret: owner.secret + 1n } }, circuits);
    // A signature for another cap is one for another J.
    const otherCap = activationJson(model, circuits, SMALL_SETTLEMENT_INDEX).signature;
    for (const forged of [unsigned, stranger, { ...body, signature: otherCap }])
      expect(codeOf(await call("/v1/settlements", forged))).toBe("OP_BAD_SIGNATURE");
    expect(codeOf(await call("/v1/settlements", body))).toBe("taken");
    // Sent once more, it needs no signature.
    expect(codeOf(await call("/v1/settlements", unsigned))).toBe("taken");
  });

  if (isWhole) {
    it("takes a default split 14 days after L1 took the CloseEpoch, and then only that if the randomness was missed", async () => {
      const world = await start();
      const { rollup, call, circuits, model, until } = world;
      await until("closeEpoch");
      const view = await modelOf(world);
      const { closingBatch: batchNumber } = view.closedEpoch;
      const closedAt = L1_TIMESTAMP + DAY_SECONDS;
      const onL1 = { batchNumber, blockNumber: 9, timestamp: closedAt, prevRandao: null, isMissed: true };
      await operator(rollup, "/operator/epoch-closes", onL1);
      const sampled = settlementJson(sampledSettlement(view, model.statics), "settlement", circuits);
      expect(codeOf(await call("/v1/settlements", sampled))).toBe("SEQ_RANDOMNESS_MISSED");
      const body = settlementJson(defaultSettlement(view, model.statics), "payeeTable", circuits);
      for (const [seconds, expected] of [
        [14 * DAY_SECONDS - 1, "SEQ_TOO_EARLY"],
        [14 * DAY_SECONDS, "taken"],
      ] as const) {
        await head(rollup, closedAt + seconds);
        await rollup.sequencer.pipeline.idle();
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
      const before = rollup.sequencer.pipeline.head.ledger.totalWei();
      const settled = await call("/v1/settlements", { ...body, signature: signatureJson(owner, data) });
      expect(settled).toMatchObject({
        voidCount: 2,
        burnedWei: data.burnedWei.toString(),
      });
      expect(before - rollup.sequencer.pipeline.head.ledger.totalWei()).toBe(data.burnedWei);
    });
  }
});

describe("a model of two shards", () => {
  it("Attack: is settled by entries that prove its own shards, in their order, and by no others", async () => {
    const world = await start(2);
    const { call, circuits, model, rollup, until } = world;
    const { modelId, statics } = model;
    const send = async (body: object) => codeOf(await call("/v1/settlements", body));
    const refused = async (what: string, body: object, code = "SEQ_SETTLEMENT_INVALID") =>
      expect(`${what}: ${await send(body)}`).toBe(`${what}: ${code}`);
    await refused("other features", activationJson(model, circuits, OTHER_SHARDED_INDEX));
    await refused("a circuit of one shard", activationJson(model, circuits, 1));
    await refused("one entry", { ...activationJson(model, circuits), further: undefined });
    const activation = await until("activation");
    expect(activation).toMatchObject({ kind: "activation", cap: 8 });
    expect(activation.payees).toHaveLength(513);
    expect(activation.further).toHaveLength(1);

    await until("randomness");
    const view = await modelOf(world);
    const root = rollup.sequencer.pipeline.head.ledger.root;
    const data = sampledSettlement(view, statics);
    const of = (
      changes: Partial<typeof data>,
      sorts: readonly (keyof TestCircuits)[] = ["sharded", "shard"],
    ) => settlementJson({ ...data, ...changes }, sorts, circuits);
    const honest = of({});
    const [draws, [first, second]] = [honest, honest.further as [Answer, Answer]] as const;
    const falseProof = { ...second, proof: first.proof };
    const refusals: [string, object][] = [
      ["a missing entry", { ...draws, further: [first] }],
      ["one entry more", { ...draws, further: [first, second, second] }],
      ["swapped entries", { ...draws, further: [second, first] }],
      ["a false proof of a later entry", { ...draws, further: [first, falseProof] }],
      ["another link", { ...of({ links: [5n, 7n] }), further: draws.further }],
      ["fewer rows than the shard has", of({}, ["sharded", "smallShard"])],
      ["a circuit of other draws' features", of({}, ["otherSharded", "shard"])],
      ["a payee table for a shard", of({}, ["sharded", "shard", "payeeTable"])],
      [
        "a circuit that is not there",
        { ...draws, further: [first, { ...second, circuit: "shard-1-1-1-1" }] },
      ],
      ["bytes that are no shard's", { ...draws, further: [first, { ...second, data: "0x12" }] }],
    ];
    for (const [what, body] of refusals) await refused(what, body);
    await refused(
      "other totals",
      of({ items: [data.items[0]! + 1n, ...data.items.slice(1)] }),
      "OP_SETTLEMENT_DIFFERS",
    );
    const long = (byteCount: number) => ({ data: `0x${"00".repeat(byteCount)}` });
    const max = { ...draws, ...long(5_197), further: Array(8).fill({ ...first, ...long(5_142) }) };
    await refused("the longest body that the route takes", max);
    await refused("ten entries", { ...draws, further: Array(9).fill(first) }, "SRV_BAD_REQUEST");
    const misfit = await call("/v1/settlements", of({}, ["sharded", "smallShard"]));
    expect(misfit.error.data).toMatchObject({ circuit: "shard-4-16-16-4", what: "rows", given: 5, has: 4 });
    expect(rollup.sequencer.pipeline.head.ledger.root).toBe(root);
    expect(await send(honest)).toBe("taken");
    const settled = await call(`/v1/settlements/${modelId}/1`);
    expect(settled).toMatchObject({ circuit: draws.circuit, further: draws.further });
    expect(settled.earnedWei).toHaveLength(513);
    expect(settled.earnedWei[512]).toBe(settled.earnedWei[0]);
    const { rewards } = await call(`/v1/leaves/${model.owner.id}/rewards`);
    expect(rewards.map(({ payeeIndex }: Answer) => payeeIndex)).toEqual([0, 0, 512, 512]);
    expect((await call("/v1/leaves/0/rewards")).rewards, "absent payees are not the treasury").toEqual([]);

    // L1 has the proofs of the second epoch: it is taken as a stranger pre-verified it.
    await until("randomness");
    const next = await modelOf(world);
    const drawn = settlementJson(sampledSettlement(next, statics), ["sharded", "shard"], circuits);
    const names: string[] = (await call("/v1/info")).circuits.map(({ name }: Answer) => name);
    const onL1 = ({ circuit, data, proof, publicSignals }: Answer) => ({
      circuitIndex: names.indexOf(circuit),
      commitment: publicSignals[0],
      data,
      proof,
    });
    const offer = async (entries: readonly Answer[], word = drawn.settlementHash) => {
      const [own, ...further] = entries.map(onL1);
      const offered = { modelId, word, ...own, further };
      return (await operator(rollup, "/operator/pre-verified-settlements", { settlements: [offered] }))
        .isOver;
    };
    const drawnEntries = [drawn, ...drawn.further!];
    expect(await offer(drawnEntries.slice(0, 2)), "L1 takes no such").toEqual([true]);
    expect(await offer(drawnEntries.map((entry) => ({ ...entry, circuit: drawn.circuit })))).toEqual([true]);
    for (let look = 0; look < 2; look++) expect(await offer(drawnEntries)).toEqual([false]);
    const key = `/v1/settlements/${modelId}/2`;
    expect(await call(key)).toMatchObject({ settlementHash: drawn.settlementHash, further: drawn.further });
    expect(await call(`/v1/pre-verified-settlements?model=${modelId}`)).toMatchObject([
      { epoch: 2, circuit: "sharded-8-3-16-4", reason: null },
    ]);

    // Settled by payee tables, 14 days later.
    await until("closeEpoch");
    const { closingBatch: batchNumber } = (await modelOf(world)).closedEpoch;
    const closedAt = L1_TIMESTAMP + DAY_SECONDS;
    const close3 = { batchNumber, blockNumber: 99, timestamp: closedAt, prevRandao: null, isMissed: true };
    await operator(rollup, "/operator/epoch-closes", close3);
    await head(rollup, closedAt + 14 * DAY_SECONDS);
    await rollup.sequencer.pipeline.idle();
    const byCounts = settlementJson(defaultSettlement(await modelOf(world), statics), "payeeTable", circuits);
    await refused("tables swapped", {
      ...byCounts,
      further: [{ ...byCounts.further![0]!, publicSignals: byCounts.publicSignals, proof: byCounts.proof }],
    });
    expect(await send(byCounts)).toBe("taken");
    expect(await call(`/v1/settlements/${modelId}/3`)).toMatchObject({
      further: byCounts.further,
      ownerWei: "0",
    });

    const headRoot = rollup.sequencer.pipeline.head.ledger.root;
    const again = await world.again();
    expect(again.sequencer.pipeline.head.ledger.root).toBe(headRoot);
    expect((await again.get(key)).body).toMatchObject({ further: drawn.further });
    await close(again);
    const { closedNumber, finalNumber } = again.sequencer.pipeline.registry;
    for (let number = finalNumber + 1; number <= closedNumber; number++) await prove(again, number);
    const ready = await operator(again, "/operator/batches/ready?limit=64");
    const counts = [1, 2, 2, 1];
    expect(
      ready.flatMap(({ settlements }: Answer) => settlements.map((s: Answer) => s.further.length)),
    ).toEqual(counts);
    const { entries } = (await again.get(`/v1/log?afterBatch=${finalNumber}&limit=500`)).body;
    const logged = entries.filter(({ type }: Answer) => type === "settlement");
    expect(logged.map(({ further }: Answer) => further.length)).toEqual(counts);
  });
});

describe("a CloseEpoch by a stranger", () => {
  it("waits until the epoch's beginning is on L1, since a rebuild could move it", async () => {
    const world = await start();
    const { rollup, call, model, until } = world;
    await until("pay");
    const stranger = rollup.users[1]!;
    const closeIt = () =>
      signAs(call, stranger, stranger.id, {
        kind: KIND.closeEpoch,
        b: model.modelId,
        bOwner: model.owner.l1Owner,
        bKind: LEAF_KIND.model,
      });
    expect(codeOf(await closeIt())).toBe("SEQ_TOO_EARLY");
    await close(rollup);
    const { finalNumber, closedNumber } = rollup.sequencer.pipeline.registry;
    for (let number = finalNumber + 1; number <= closedNumber; number++)
      await report(rollup, number, "posted");
    expect(codeOf(await closeIt())).toBe("OP_TOO_EARLY");
    await head(rollup, L1_TIMESTAMP + 2 * DAY_SECONDS);
    await rollup.sequencer.pipeline.idle();
    expect(codeOf(await closeIt())).toBe("taken");
  });
});
