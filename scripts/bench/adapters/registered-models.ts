/** Language models of one base and one Datanet version, each with an adapter of its own, registered on a running rollup. */
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { payeeTable } from "@openledger/attribution/model/owned-rows";
import { registerModel } from "@openledger/attribution/model/registration";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { ownersCommitment, payeeRoot, unpackSplit } from "@openledger/circuits/ledger/rewards";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import type { activationOf } from "@openledger/circuits/settlement/payee-table-rules";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { encodeSettlementBody, sendSettlement } from "@openledger/client/actions/l1/send-settlement";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { approveModel, createModel } from "@openledger/client/actions/ledger/model-operations";
import type { SendResult } from "@openledger/client/actions/ledger/send-operation";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import type { BuiltCircuit } from "@openledger/e2e/world/circuits";
import { proveActivation } from "@openledger/e2e/world/model-circuits";
import type { World } from "@openledger/e2e/world/world";
import { folderSource } from "@openledger/models/files/folder-source";
import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { describeBase, readFrom } from "@openledger/models/registered/base-files";
import { textFamily } from "@openledger/models/registered/text-family";
import type { TextRecipe } from "@openledger/models/registered/text-recipe";
import { textTraining } from "@openledger/models/registered/text-training";
import { signSettlement } from "@openledger/models/settling/sign-settlement";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "@openledger/models/testing/text-rows";
import type { Prover } from "@openledger/prover/proving/prover";
import { type Address, parseEther } from "viem";

/** The rows, features and draws of all models, and the payments that an epoch takes. */
export const MODEL_SIZE: SettlementSize = { rows: 8, features: 32, payees: 4, payments: 4, draws: 2 };
const PRICE_WEI = parseEther("0.01");
const SPLIT = { ownerParts: 13_107n, validatorParts: 13_107n };
const MARGIN_SECONDS = 120;
const PART = 100;

const CONFIG = {
  ...byteConfig,
  hidden_size: 64,
  intermediate_size: 176,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
/** Two steps: enough for adapters that differ, which is what is wanted here. */
const ADAPTER: TextRecipe["adapter"] = { rank: 4, alpha: 8, targets: ["q_proj", "v_proj"] };

interface RegisteringOptions {
  readonly count: number;
  /** For the base and the published models. */
  readonly folder: string;
  readonly kernels: KernelChoice;
  /** Of the Datanet and all models on L1. */
  readonly owner: Address;
  readonly table: BuiltCircuit;
  readonly prover: Prover;
  readonly tell: (line: string) => void;
  readonly afterPublishing: () => Promise<void>;
  /** Called before a day passes: anyone who proves wants everything before on L1. */
  readonly beforeTheDay: () => Promise<void>;
}

export interface RegisteredModels {
  readonly base: string;
  readonly published: string;
  readonly modelIds: readonly number[];
}

/** @param client of the account that owns the Datanet and all models */
export async function registerModels(
  world: World,
  client: LedgerClient,
  options: RegisteringOptions,
): Promise<RegisteredModels> {
  const { afterPublishing, beforeTheDay, count, folder, kernels, owner, prover, table, tell } = options;
  const send = (act: () => Promise<SendResult>) => world.patiently(act);
  const created = async (act: () => Promise<SendResult>) => {
    const { hash } = await send(act);
    return (await waitFor(client, { hash }, "acknowledged")).operation!.createdId!;
  };
  const account = client.leafId!;
  const ownedBy = { l1Owner: owner, keyX: client.l2Key!.keyX };
  const base = join(folder, "base");
  const published = join(folder, "published");
  await writeMadeModel(base, makeModel(CONFIG, "on the ledger"));

  const datanetId = await created(() => createDatanet(client, { ...ownedBy, amountWei: parseEther("100") }));
  const rows = ownedTexts(sampleTexts(MODEL_SIZE.rows)).map((row) => {
    return { ...row, contributorId: account, validatorId: datanetId };
  });
  const answers = { promptTokens: 48, answerTokens: 16, temperature: 0.7, endToken: null };
  const recipe = textRecipeFor(rows, await describeBase(folderSource(base), "bench"), {
    adapter: ADAPTER,
    answers,
    columnCount: MODEL_SIZE.features,
  });
  const { rowsRoot } = recipe.datanet;
  const payees = payeeTable(rows);
  const version = {
    rowsRoot: BigInt(rowsRoot),
    rowCount: rows.length,
    ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
    payeeRoot: payeeRoot(payees),
  };
  await send(() => publishVersion(client, { datanetId, version }));
  await afterPublishing();

  const setting = { bases: [readFrom(folderSource(base))], kernels, threadCount: 1 };
  const training = textTraining(textFamily(setting), setting);
  const made: { modelId: number; statics: Parameters<typeof activationOf>[0]["statics"] }[] = [];
  for (let i = 0; i < count; i++) {
    const own: TextRecipe = {
      ...recipe,
      seed: `model ${i}`,
      datanet: { id: datanetId, version: 1, rowsRoot },
      tuning: { ...recipe.tuning, steps: 2, warmupSteps: 0 },
    };
    const trained = await training.train(rows, own, {});
    const registration = registerModel(trained, { split: SPLIT }, MODEL_SIZE);
    const { statics } = registration;
    const modelId = await created(() =>
      createModel(client, {
        ...ownedBy,
        ...statics,
        binding: unpackBinding(statics.binding),
        split: unpackSplit(statics.split),
        priceWei: PRICE_WEI,
      }),
    );
    const model = publishedModel(trained, registration, { publishRows: true });
    await writeModel(join(published, String(modelId)), model);
    made.push({ modelId, statics });
    if ((i + 1) % PART === 0) tell(`${i + 1} models tuned, published and created`);
  }
  await beforeTheDay();
  tell("a day passes on L1; the Datanet approves them, and their activations are proven");
  await world.passTime(APPROVAL_DELAY_SECONDS + MARGIN_SECONDS);
  for (const [i, { modelId, statics }] of made.entries()) {
    await send(() => approveModel(client, { datanetId, modelId, statics }));
    const model = { modelId, statics, payees };
    const proven = await proveActivation(world, model, MODEL_SIZE, { prover, table });
    const signed = signSettlement(client, await getModel(client, modelId), proven);
    await world.patiently(() => sendSettlement(client, encodeSettlementBody(signed)));
    if ((i + 1) % PART === 0) tell(`${i + 1} models approved, with their activations`);
  }
  return { base, published, modelIds: made.map(({ modelId }) => modelId) };
}
