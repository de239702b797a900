/** A model's server, and the challenger that it embeds. */
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { type ServedModel, serveModel } from "@openledger/attribution/server/serve-model";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { testFolder } from "@openledger/foundation/testing/test-fixtures";
import { openPaidModels, type PaidModelsOptions } from "@openledger/models/paid/paid-models";
import type { TrainingSetting } from "@openledger/models/registered/text-training";
import { ownedTexts, sampleTexts } from "@openledger/models/testing/text-rows";
import { type Address, getAddress, zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { receiptClaim } from "../games/claims/receipt-claim.ts";
import { openTracedText } from "../games/claims/traced-text.ts";
import { tracedOf, withTracing } from "../games/rows/traced-recipe.ts";
import { MODEL_ID, startLedgerTraces } from "../games/testing/ledger-fixture.ts";
import { blindChallenge } from "../games/testing/played-games.ts";
import { BOND_WEI, STAKE_WEI } from "../games/testing/trace-fixture.ts";
import { registeredTexts, tunedTexts } from "../games/testing/tuned-texts.ts";
import type { L1Call } from "../sending/l1-sender.ts";
import { ClaimingReport } from "./claiming-report.ts";
import { claimsOf, requireClaimantOfAll } from "./serve-claims.ts";

const CLAIMANT: Address = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const [PROMISED, ALSO_PROMISED, FREE] = [MODEL_ID, 10, 11];
const PROMPT = "The union, and the navy of it?";
/** Wide enough that its roots and a trace take several times an answer's time. */
const WIDE = { hidden_size: 128, intermediate_size: 512, num_hidden_layers: 4 };

const folder = testFolder("claim-thread");
const base = join(folder, "base");
let ledger: LedgerFixture;
let served: ServedModel;
let setting: TrainingSetting;
let parts: Awaited<ReturnType<typeof withTracing>>;
let answered: string;
const published = (modelId: number) => join(folder, "published", String(modelId));

beforeAll(async () => {
  const tuned = await tunedTexts(base, ownedTexts(sampleTexts(8)), {}, WIDE);
  ({ setting } = tuned);
  const trained = tuned.parts;
  const { family } = trained;
  const promised = await withTracing(trained, CLAIMANT, setting, null);
  parts = promised;
  answered = (await family.open(promised)).answer(PROMPT).text;
  const publish = async (parts: typeof trained, modelId: number) => {
    const made = registeredTexts(parts);
    await writeModel(published(modelId), made);
    return made;
  };
  const { statics } = await publish(promised as typeof trained, PROMISED);
  await publish(promised as typeof trained, ALSO_PROMISED);
  await publish(trained, FREE);
  ledger = await createLedgerFixture({ hasFeed: false });
  const { ownerParts, validatorParts } = unpackSplit(statics.split);
  const { split: _, ...words } = statics;
  ledger.sequencer.answers.set(`GET /v1/leaves/${PROMISED}`, {
    kind: "model",
    counters: { isReady: true, isApproved: true, priceWei: "1" },
    model: {
      ...Object.fromEntries(Object.entries(words).map(([name, value]) => [name, hex32(value)])),
      ...{ ownerParts: Number(ownerParts), validatorParts: Number(validatorParts) },
    },
  });
  ledger.sequencer.answers.set(`GET /v1/models/${PROMISED}/payments?epoch=1&from=0`, {
    ...{ epoch: 1, isClosed: false, paymentCount: 0, payments: [] },
  });
  served = await serveModel(
    {
      ...{ modelFolder: published(PROMISED), dataFolder: join(folder, "answers"), modelId: PROMISED },
      ...{
        families: [family],
        rollup: storeRollupOf(ledger.client),
        domain: ledger.client.domain,
        sequencerUrl: ledger.sequencer.url,
        port: 0,
      },
    },
    { log: { error() {} } },
  );
}, 120_000);
afterAll(async () => {
  await served?.close();
  await ledger?.close();
});

test("questions are answered while the model of a disputed claim is read and traced, until the move is sent", {
  timeout: 240_000,
}, async () => {
  const f = await startLedgerTraces();
  const told: string[] = [];
  const log = { info: (_: object, line: string) => told.push(line), error() {} };
  try {
    const ofAny = { rollup: zeroAddress, modelId: BigInt(PROMISED) };
    const traced = await openTracedText(ofAny, parts, setting);
    const terms = tracedOf(traced, parts.recipe, CLAIMANT);
    const describe = (rollup: Address) => ({ ...traced.model, rollup });
    const { registration, rollup } = await f.ledgerWith({ describe, terms: () => terms }, 36, 2);
    await f.send(f.stranger, registration);
    const receipt = { payerId: 4, salt: 5n, prompt: PROMPT, answer: answered };
    const own = { traced: { ...traced, model: describe(rollup) }, terms, kernels: setting.kernels };
    await f.send(CLAIMANT, receiptClaim(own, receipt).data, BOND_WEI);
    await f.send(f.watcher, await blindChallenge(f.publicClient, f.game, 1n), STAKE_WEI);
    const sent: L1Call[] = [];
    const claims = claimsOf({
      ...{ rpcUrl: f.url, base, modelIds: [PROMISED], places: { model: published(PROMISED) } },
      ...{ folder: join(folder, "claiming"), claimant: CLAIMANT, log },
      openSender: async () =>
        ({
          async send(call: L1Call) {
            sent.push(call);
            return { hash: "0x", ...(await f.accountOf(CLAIMANT).send(call)) };
          },
        }) as never,
    });
    const running = claims.start({ ...ledger.client, rollupAddress: rollup }, async () => undefined);
    try {
      await expect
        .poll(() => told, { timeout: 60_000 })
        .toContainEqual(expect.stringContaining("reading model"));
      const question = { serverUrl: served.url, modelId: PROMISED, prompt: "The navy?", from: 4 };
      let answerCount = 0;
      for (; sent.length === 0; answerCount++)
        expect((await askModel(ledger.client, question)).answer).toContain("text");
      // On a quiet machine some hundred: one thread for both would give none but the first.
      expect(answerCount).toBeGreaterThan(5);
      expect(getAddress(sent[0]!.to)).toBe(getAddress(f.game));
      await expect.poll(() => claims.reports.get(PROMISED)!.view().openGames).toBe(1);
    } finally {
      await running.stop();
    }
  } finally {
    await f.stop();
  }
});

/** As `models serve --claim` opens them. */
const openAll = (helpersOf: PaidModelsOptions["helpersOf"]) =>
  openPaidModels(
    {
      ...{ folder: join(folder, "published"), adaptersFolder: join(folder, "adapters"), basePath: base },
      ...{ dataFolder: join(folder, `answers-${performance.now()}`), kernels: "wasm", heldBytes: 1 },
      ...{
        sequencerUrl: ledger.sequencer.url,
        rollup: storeRollupOf(ledger.client),
        domain: ledger.client.domain,
        answerTtlMs: 60_000,
      },
      ...{ rateLimitPerMinute: 1_000, ...(helpersOf === undefined ? {} : { helpersOf }) },
    },
    { log: { error() {} } },
  );

test("of many models each that promises claims is claimed by the claimant of all, and tells of it", async () => {
  let claimed: readonly number[] = [];
  const paid = await openAll((models) => {
    claimed = requireClaimantOfAll(models, CLAIMANT);
    return new Map(claimed.map((id) => [id, new ClaimingReport(CLAIMANT)]));
  });
  try {
    expect(claimed).toEqual([PROMISED, ALSO_PROMISED]);
    const app = paid.mounts.get("/ledger")!;
    const view = async (id: number) => (await app.inject(`/${id}/v1/settling`)).json();
    for (const id of claimed) expect(await view(id)).toMatchObject({ stage: "starting", account: CLAIMANT });
    expect(await view(FREE)).toEqual({ modelId: FREE, stage: null });
    expect((await app.inject(`/${ALSO_PROMISED}/metrics`)).body).toContain("model_claiming_stage");
  } finally {
    await paid.close();
  }
});

test("an account that is not the claimant of all claims for none", async () => {
  const other: Address = `0x${"0e".repeat(20)}`;
  await expect(openAll((models) => requireClaimantOfAll(models, other) as never)).rejects.toMatchObject({
    code: "CMD_NOT_CLAIMANT",
    data: { account: other, claimant: CLAIMANT.toLowerCase(), modelId: PROMISED },
  });
  expect(() => requireClaimantOfAll([{ modelId: FREE, claimant: null }], other)).toThrow(
    "no model that is served promises claims",
  );
});
