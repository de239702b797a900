/**
 * `openledger datanet approve-model`: a Datanet's owner trains a model again, compares every byte, and approves or revokes it,
 * signed or forced.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel } from "@openledger/client/sequencer/model-reads";
import {
  type ApprovalGrounds,
  type ApprovalGroundsParameters,
  approvalGrounds,
  notRecomputedWords,
  revokeApproval,
  SKIP_RECOMPUTATION,
  signApproval,
} from "@openledger/client/tasks/approve-model";
import { CARD_OPTION, FOLDER_OPTION, SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { type GlobalOptions, openReader, openSigner, signFor } from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { type CommandContext, command, waitWithProgress } from "../../cli/run-command.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { FORCED_OPTIONS } from "../money/forced-operation.ts";
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
    ...FORCED_OPTIONS,
  },
  examples: [
    "datanet approve-model 10 15 --account alice",
    "datanet approve-model 10 15 --folder facts --account alice",
    "datanet approve-model 10 15 --revoke --account alice",
    "datanet approve-model 10 15 --revoke --forced --account alice",
  ],
  run: async ({ options, args, output }) => {
    const [datanetId, modelId] = args.map(parseId) as [number, number];
    if (options.forced === true) {
      if (options.revoke !== true) {
        const reader = await openReader(options);
        const { linesOf, parameters } = await groundsOf(reader, { datanetId, modelId }, options, output);
        for (const line of linesOf(await approvalGrounds(reader, parameters))) output.note(line);
      }
      const { approveThroughL1 } = await import("./forced-approval.ts");
      const approval = { datanetId, modelId, isRevocation: options.revoke === true };
      return approveThroughL1(await openSigner(options), approval, options, output);
    }
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
    const { isRecomputed } = grounds;
    output.answer(lines, { ...sent, datanetId, modelId, isRecomputed, stage, batchNumber, missingDatanets });
  },
});

/** What the task needs from this machine: the recipe's place, a host, and the training again, unless the option skips it. */
async function groundsOf(
  client: LedgerClient,
  { datanetId, modelId }: { datanetId: number; modelId: number },
  options: GlobalOptions & VerifyModelOptions & { folder?: string; skipRecomputation?: boolean },
  output: Output,
): Promise<{ parameters: ApprovalGroundsParameters; linesOf: (grounds: ApprovalGrounds) => string[] }> {
  const { approvalWords, askHostOf, readPublishedRecipe } = await import("./approval-terms.ts");
  const skipRecomputation = options.skipRecomputation === true;
  let recomputed = notRecomputedWords(modelId);
  const recompute: ApprovalGroundsParameters["recompute"] = async (onPublished) => {
    const { recompute: train } = await import("../verify/verify-model.ts");
    const what = options.folder ?? String(modelId);
    const verified = await train(client, { what, modelId, onPublished }, options, output);
    recomputed = verified.lines[0]!;
  };
  const readPublished = () => readPublishedRecipe(client, modelId, options);
  const askHost = askHostOf(options);
  return {
    parameters: { datanetId, modelId, askHost, readPublished, recompute, skipRecomputation },
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
