/**
 * Registers a job's model on the ledger, on its owner's side: the owner's key creates the model and signs its activation, the
 * factory proves it. `openledger factory register` and the job's page call it. Runs in browsers.
 */

import { parseRecipeTerms, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import {
  encodeSettlementBody,
  type ProvenEntry,
  sendSettlement,
} from "@openledger/client/actions/l1/send-settlement";
import { createModel } from "@openledger/client/actions/ledger/model-operations";
import { clientError } from "@openledger/client/client-errors";
import { askApprovable } from "@openledger/client/datanets/signed-terms";
import { type LedgerClient, requireL2Key } from "@openledger/client/ledger-client";
import { findLeaves, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { Address } from "viem";
import { factoryError } from "../model-errors.ts";
import { signSettlement } from "@openledger/client/actions/l1/sign-settlement";
import type { FactoryRegistration } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";

/** Interval between two looks at the proof and the ledger. */
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
  readonly onProgress?: (progress: {
    readonly stage: "create" | "prove" | "send";
    readonly percent: number;
  }) => void;
}

/**
 * Registers a job's model: creates it on the ledger, has its activation proven, signs and sends that. What an earlier call
 * has done is not done again. The client's key is the model's, too.
 * @returns the model's leaf
 * @throws DNT_TERMS_FORBID where a host's signed terms forbid that the model answers for pay, MOD_FACTORY_NOT_REGISTRABLE and other MOD_FACTORY_…; what `createModel` and `sendSettlement` throw
 */
export async function registerJob(
  client: LedgerClient,
  factory: FactoryClient,
  { amountWei, datanetHosts = [], from, jobId, l1Owner, onProgress, priceWei }: RegisterJobOptions,
): Promise<number> {
  let registration = await factory.registration(jobId);
  if (registration.state === "registered") return registration.modelId!;
  // Before anything is paid: a model that no Datanet's owner can approve would be of no use.
  if (!registration.isRegistrable)
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `job ${jobId}: ${registration.whyNot}`, {
      data: { why: registration.whyNot },
    });
  if (datanetHosts.length > 0) {
    const recipe = parseRecipeTerms((await factory.lineage(jobId)).recipe);
    for (const { id } of versionsOf(recipe))
      await askApprovable(client, { datanetHosts, datanetId: id, recipe });
  }
  onProgress?.({ stage: "create", percent: 0 });
  const modelId =
    registration.modelId ??
    (await findCreated(client, l1Owner, registration)) ??
    (await create(client, registration, { amountWei, from, l1Owner, priceWei }));
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
    onProgress?.({ stage: "prove", percent: registration.percent });
    if (registration.state === "proving") await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  if (registration.state === "registered") return modelId;
  const { failure, activation } = registration;
  if (activation === null || activation.modelId !== modelId)
    throw clientError(
      "CLI_ANSWER_INVALID",
      `the activation was not proven: ${failure?.message ?? "no reason"}`,
      {
        data: { server: "factory", jobId, failure },
      },
    );
  onProgress?.({ stage: "send", percent: 100 });
  const leaf = await getModel(client, modelId);
  const signed = signSettlement(client, leaf, {
    kind: "activation",
    modelId,
    settlementHash: BigInt(activation.settlementHash),
    ...entryOf(activation),
    ...(activation.further !== undefined && { further: activation.further.map(entryOf) }),
  });
  await sendSettlement(client, encodeSettlementBody(signed));
  await factory.registration(jobId);
  return modelId;
}

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

/** Returns a model of the owner with these statics whose activation is missing: an earlier call was interrupted. */
async function findCreated(
  client: LedgerClient,
  owner: Address,
  { staticsHash }: FactoryRegistration,
): Promise<number | null> {
  if (staticsHash === null) return null;
  for (const { id, kind } of await findLeaves(client, { owner })) {
    if (kind !== "model") continue;
    const leaf = await getModel(client, id);
    if (!leaf.counters.isReady && staticsOf(leaf).hash === BigInt(staticsHash)) return id;
  }
  return null;
}

async function create(
  client: LedgerClient,
  { statics, whyNot }: FactoryRegistration,
  {
    amountWei,
    from,
    l1Owner,
    priceWei,
  }: Pick<RegisterJobOptions, "amountWei" | "from" | "l1Owner" | "priceWei">,
): Promise<number> {
  if (statics === null)
    throw clientError(
      "CLI_ANSWER_INVALID",
      `there is nothing to register: ${whyNot ?? "the job is not done"}`,
      {
        data: { server: "factory", whyNot },
      },
    );
  const { hash } = await createModel(client, {
    ...(from === undefined ? {} : { from }),
    l1Owner,
    keyX: requireL2Key(client).keyX,
    amountWei,
    priceWei,
    featuresCommitment: BigInt(statics.featuresCommitment),
    ownersCommitment: BigInt(statics.ownersCommitment),
    payeeRoot: BigInt(statics.payeeRoot),
    binding: unpackBinding(BigInt(statics.binding)),
    split: unpackSplit(BigInt(statics.split)),
  });
  for (;;) {
    const operation = await getOperation(client, hash);
    if (operation?.createdId != null) return operation.createdId;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

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
