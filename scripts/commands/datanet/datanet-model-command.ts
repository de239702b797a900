/**
 * `openledger datanet approve-model`: a Datanet's owner trains a model again, compares every byte, and approves or
 * revokes it.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import {
  type ApprovalGrounds,
  type ApprovalGroundsParameters,
  checkApproval,
  notRecomputedWords,
  revokeApproval,
  SKIP_RECOMPUTATION,
  signApproval,
} from "@openledger/client/tasks/approve-model";
import { hex32 } from "@openledger/foundation/hex";
import {
  CARD_OPTION,
  DRY_RUN_OPTION,
  FOLDER_OPTION,
  SERVER_OPTION,
  STORE_OPTION,
} from "../../cli/common-options.ts";
import { type GlobalOptions, openReader, openSigner, signFor } from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { type CommandContext, command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import type { VerifyModelOptions } from "../verify/verify-model.ts";
import { ANY_HOST_OPTION, UNSIGNED_OPTION } from "./host-options.ts";

export const addApproveModel = command({
  usage: "approve-model <datanet> <model>",
  about:
    "recompute a model of the published version and let it take payments, from 24 hours after its publication by batch timestamps; or revoke that",
  options: {
    "--revoke": "end the model's payments; earlier payments are still settled",
    "--skip-recomputation": SKIP_RECOMPUTATION,
    ...FOLDER_OPTION,
    ...SERVER_OPTION,
    ...TEXT_BASE_OPTION,
    ...CARD_OPTION,
    ...STORE_OPTION,
    ...ANY_HOST_OPTION,
    ...UNSIGNED_OPTION,
    ...DRY_RUN_OPTION,
    ...WAIT_OPTION,
  },
  examples: [
    "datanet approve-model 10 15 --account alice",
    "datanet approve-model 10 15 --folder facts --account alice",
    "datanet approve-model 10 15 --revoke --account alice",
    "datanet approve-model 10 15 --dry-run",
  ],
  forcedAs:
    "datanet approve-model DATANET MODEL --dry-run, then the openledger force that it prints; or force revokeModel datanetId=DATANET modelId=MODEL",
  run: async ({ options, args, output }) => {
    const [datanetId, modelId] = args.map(parseId) as [number, number];
    if (options.dryRun === true) return showGrounds({ options, output }, datanetId, modelId);
    if (options.revoke === true) return revoke({ options, output }, datanetId, modelId);
    const signer = await openSigner(options);
    const client = await signFor(signer, await getLeaf(signer.client, datanetId));
    const { linesOf, parameters } = await groundsOf(client, { datanetId, modelId }, options, output);
    const { grounds, sent } = await signApproval(client, parameters);
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const model = await getModel(client, modelId);
    const missingDatanets = approvalsOf(model).flatMap(({ hasApproved, id }) =>
      hasApproved || id === datanetId ? [] : [id],
    );
    const lines = [
      `datanet ${datanetId} has approved model ${modelId} (${stage}), operation ${sent.hash}`,
      ...linesOf(grounds),
      ...(missingDatanets.length === 0
        ? []
        : [
            `it takes payments once these approve it, too: ${missingDatanets.map((id) => `datanet ${id}`).join(", ")}`,
          ]),
      ...(model.counters.isReady
        ? []
        : ["the model takes payments once it is activated: openledger models register"]),
    ];
    const { inputs, isRecomputed } = grounds;
    output.answer(lines, {
      ...sent,
      datanetId,
      modelId,
      isRecomputed,
      inputs,
      stage,
      batchNumber,
      missingDatanets,
    });
  },
});

/** Checks the grounds, and prints the forced operation that approves what was checked. */
async function showGrounds(
  { options, output }: Pick<CommandContext<GroundsOptions>, "options" | "output">,
  datanetId: number,
  modelId: number,
): Promise<void> {
  const reader = await openReader(options);
  const { linesOf, parameters } = await groundsOf(reader, { datanetId, modelId }, options, output);
  const grounds = await checkApproval(reader, parameters);
  const { hash } = staticsOf(await getModel(reader, modelId));
  const instead = `openledger force approveModel datanetId=${datanetId} modelId=${modelId} staticsHash=${hex32(hash)}`;
  output.answer([...linesOf(grounds), `approved past the operator: ${instead}`], {
    ...{ datanetId, modelId, instead },
    isRecomputed: grounds.isRecomputed,
    inputs: grounds.inputs,
  });
}

type GroundsOptions = VerifyModelOptions & { folder?: string; skipRecomputation?: boolean };

/** Inputs of the task from this machine: the recipe's source, a host, and the training again, unless the option skips it. */
async function groundsOf(
  client: LedgerClient,
  { datanetId, modelId }: { datanetId: number; modelId: number },
  options: GlobalOptions & GroundsOptions,
  output: Output,
): Promise<{ parameters: ApprovalGroundsParameters; linesOf: (grounds: ApprovalGrounds) => string[] }> {
  const [{ approvalWords, askHostOf, readPublishedRecipe }, { inputsComparison }] = await Promise.all([
    import("./approval-terms.ts"),
    import("../models/inputs-comparison.ts"),
  ]);
  const skipRecomputation = options.skipRecomputation === true;
  let recomputed = notRecomputedWords(modelId);
  const recompute: ApprovalGroundsParameters["recompute"] = async (onPublished) => {
    const { recompute: train } = await import("../verify/verify-model.ts");
    const what = options.folder ?? String(modelId);
    const verified = await train(client, { what, modelId, onPublished }, options, output);
    recomputed = verified.lines[0]!;
    return verified.facts;
  };
  const readPublished = () => readPublishedRecipe(client, modelId, options);
  const askHost = askHostOf(options);
  return {
    parameters: {
      ...{ datanetId, modelId, askHost, readPublished, recompute, skipRecomputation },
      ...inputsComparison(client, modelId, options),
    },
    linesOf: (grounds) => [recomputed, ...approvalWords(datanetId, grounds)],
  };
}

async function revoke(
  { options, output }: Pick<CommandContext<{ wait: string }>, "options" | "output">,
  datanetId: number,
  modelId: number,
): Promise<void> {
  const signer = await openSigner(options);
  const client = await signFor(signer, await getLeaf(signer.client, datanetId));
  const sent = await revokeApproval(client, { datanetId, modelId });
  const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
  output.answer([`datanet ${datanetId} has revoked model ${modelId} (${stage}), operation ${sent.hash}`], {
    ...sent,
    datanetId,
    modelId,
    stage,
    batchNumber,
  });
}
