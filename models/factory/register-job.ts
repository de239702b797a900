/**
 * Registers a job's model on the ledger, on its owner's side: the owner's key creates the model and signs its activation, the
 * factory proves it. `openledger factory register` and the job's page call it. Runs in browsers.
 */

import { parseRecipeTerms } from "@openledger/attribution/model/recipe-fields";
import type { ModelStatics } from "@openledger/circuits/ledger/leaf";
import { signFigure } from "@openledger/client/actions/answers/model-figure";
import type { ProvenEntry, ProvenSettlement } from "@openledger/client/actions/l1/send-settlement";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import {
  firstHostOf,
  type RegisterProgress,
  registerOnLedger,
} from "@openledger/client/tasks/register-model";
import type { Address } from "viem";
import { factoryError } from "../model-errors.ts";
import type { FactoryRegistration } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";

/** Interval between two polls of the proof. */
const POLL_MS = 300;

interface RegisterJobOptions {
  readonly jobId: string;
  /** Minimum payment for one answer, and the model's first balance. */
  readonly priceWei: bigint;
  readonly amountWei: bigint;
  /** Can force and exit the model's leaf. */
  readonly l1Owner: Address;
  /** Datanet hosts that are asked for the rows' signed terms; default: none, and the recipe's word holds. */
  readonly datanetHosts?: readonly string[];
  /** The leaf that pays; default: the client's. */
  readonly from?: number | undefined;
  /** @param progress with the part of the activation that is proven, in percent */
  readonly onProgress?: (progress: RegisterProgress & { readonly percent: number }) => void;
}

/**
 * Registers a job's model on the ledger: the client's key creates it and signs its activation, the factory proves that. What an
 * earlier call has done is not done again. It signs the figure of the model, too, for the factory to show.
 * @returns the model's leaf
 * @throws MOD_FACTORY_NOT_REGISTRABLE and other MOD_FACTORY_…; CLI_ANSWER_INVALID where the factory proves nothing; as `registerOnLedger`
 */
export async function registerJob(
  client: LedgerClient,
  factory: FactoryClient,
  { datanetHosts = [], jobId, onProgress, ...terms }: RegisterJobOptions,
): Promise<number> {
  const registration = await factory.registration(jobId);
  if (registration.state === "registered") {
    await bringFigure(client, factory, jobId, registration);
    return registration.modelId!;
  }
  if (!registration.isRegistrable)
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `job ${jobId}: ${registration.whyNot}`, {
      data: { why: registration.whyNot },
    });
  const { statics, staticsHash, whyNot } = registration;
  if (statics === null || staticsHash === null)
    throw clientError(
      "CLI_ANSWER_INVALID",
      `there is nothing to register: ${whyNot ?? "the job is not done"}`,
      { data: { server: "factory", whyNot } },
    );
  const recipe = parseRecipeTerms((await factory.lineage(jobId)).recipe);
  const { from, ...paid } = terms;
  const { modelId } = await registerOnLedger(client, {
    ...paid,
    ...(from === undefined ? {} : { from }),
    model: { recipe, statics: staticsFrom(statics), staticsHash: BigInt(staticsHash) },
    askHost: firstHostOf(datanetHosts),
    prove: ({ id }) =>
      provenByFactory(factory, jobId, id, (percent) => onProgress?.({ step: "proving", percent })),
    onProgress: ({ step }) => onProgress?.({ step, percent: step === "sending" ? 100 : 0 }),
  });
  // It looks at the ledger again.
  await bringFigure(client, factory, jobId, await factory.registration(jobId));
  return modelId;
}

/** Signs the model's figure with the model's key, unless the factory has it signed. */
async function bringFigure(
  client: LedgerClient,
  factory: FactoryClient,
  jobId: string,
  { figure, isFigureSigned, modelId }: FactoryRegistration,
): Promise<void> {
  if (figure === null || isFigureSigned || modelId === null) return;
  const { datanet } = parseRecipeTerms((await factory.lineage(jobId)).recipe);
  const leaf = await getModel(client, modelId);
  await factory.bringFigure(jobId, signFigure(client, { leaf, figure, versionRoot: datanet.rowsRoot }));
}

/** Has the factory prove a model's activation. @throws CLI_ANSWER_INVALID, MOD_FACTORY_… */
async function provenByFactory(
  factory: FactoryClient,
  jobId: string,
  modelId: number,
  onPercent: (percent: number) => void,
): Promise<ProvenSettlement> {
  let registration = await factory.registration(jobId);
  // After a restart of the factory it has to be requested again.
  while (
    registration.state === "ready" ||
    registration.state === "proving" ||
    registration.modelId !== modelId
  ) {
    const isProving = registration.state === "proving" && registration.modelId === modelId;
    registration = isProving
      ? await factory.registration(jobId)
      : await factory.proveActivation(jobId, modelId);
    onPercent(registration.percent);
    if (registration.state === "proving") await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const { activation, failure } = registration;
  if (activation === null || activation.modelId !== modelId)
    throw clientError(
      "CLI_ANSWER_INVALID",
      `the activation was not proven: ${failure?.message ?? "no reason"}`,
      { data: { server: "factory", jobId, failure } },
    );
  return {
    kind: "activation",
    modelId,
    settlementHash: BigInt(activation.settlementHash),
    ...entryOf(activation),
    ...(activation.further !== undefined && { further: activation.further.map(entryOf) }),
  };
}

const staticsFrom = (statics: NonNullable<FactoryRegistration["statics"]>): ModelStatics => ({
  featuresCommitment: BigInt(statics.featuresCommitment),
  ownersCommitment: BigInt(statics.ownersCommitment),
  payeeRoot: BigInt(statics.payeeRoot),
  binding: BigInt(statics.binding),
  split: BigInt(statics.split),
});

type Entry = Pick<
  NonNullable<FactoryRegistration["activation"]>,
  "circuit" | "data" | "proof" | "publicSignals"
>;

/** One entry of an activation as the client sends it. */
const entryOf = ({ circuit, data, proof, publicSignals }: Entry): ProvenEntry => ({
  circuit,
  data: bytesOf(data),
  publicSignals: triple(publicSignals),
  proof: { a: pair(proof.a), b: [pair(proof.b[0]), pair(proof.b[1])], c: pair(proof.c) },
});

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.slice(2).match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const pair = (texts: readonly string[] | undefined): [bigint, bigint] => [
  BigInt(texts![0]!),
  BigInt(texts![1]!),
];
const triple = (texts: readonly string[]): [bigint, bigint, bigint] => [
  BigInt(texts[0]!),
  BigInt(texts[1]!),
  BigInt(texts[2]!),
];
