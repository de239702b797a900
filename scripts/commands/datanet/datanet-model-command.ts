/**
 * `openledger datanet approve-model`: a Datanet's owner trains a model again, compares every byte, and approves or revokes it,
 * signed or forced.
 */
import type { ModelParts } from "@openledger/attribution/model/model-family";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import { approveModel, revokeModel } from "@openledger/client/actions/ledger/model-operations";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf, getStatus } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { commandError } from "../../cli/cli-errors.ts";
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
    "--skip-recomputation": "approve without training the model again: you take its rows' scores on trust",
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
        const lines = await grounds(await openReader(options), { datanetId, modelId }, options, output);
        for (const line of lines) output.note(line);
      }
      const { approveThroughL1 } = await import("./forced-approval.ts");
      const approval = { datanetId, modelId, isRevocation: options.revoke === true };
      return approveThroughL1(await openSigner(options), approval, options, output);
    }
    if (options.revoke === true) return revoke({ options, output }, datanetId, modelId);
    const signer = await openSigner(options);
    const [leaf, model, { l1 }] = await Promise.all([
      getLeaf(signer.client, datanetId),
      getModel(signer.client, modelId),
      getStatus(signer.client),
    ]);
    if (leaf.datanet == null || leaf.datanet.version === 0)
      throw commandError("CMD_USAGE", `leaf ${datanetId} is no datanet with a published version`);
    // The ledger takes no second one while others are missing.
    if (
      !model.counters.isApproved &&
      approvalsOf(model).some((one) => one.id === datanetId && one.hasApproved)
    )
      throw commandError("CMD_USAGE", `datanet ${datanetId} has approved model ${modelId} already`);
    const allowedAtSeconds = leaf.datanet.publishedAt + APPROVAL_DELAY_SECONDS;
    if (l1.timestamp < allowedAtSeconds) {
      const when = new Date(allowedAtSeconds * 1000).toISOString();
      throw clientError(
        "CLI_TOO_EARLY",
        `contributors have 23 hours or more to look at a version: approve from ${when} on, by the batches' time`,
        { data: { reason: "too-early", allowedAtSeconds, l1Seconds: l1.timestamp } },
      );
    }
    const checked = await grounds(signer.client, { datanetId, modelId }, options, output);
    const client = await signFor(signer, leaf);
    const { hash: _hash, ...statics } = staticsOf(model);
    const sent = await approveModel(client, { datanetId, modelId, statics });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const missingDatanets = approvalsOf(await getModel(client, modelId)).flatMap(({ hasApproved, id }) =>
      hasApproved || id === datanetId ? [] : [id],
    );
    const lines = [
      `datanet ${datanetId} has approved model ${modelId} (${stage}), operation ${sent.hash}`,
      ...checked,
      ...(missingDatanets.length === 0
        ? []
        : [
            `it takes payments once these approve it, too: ${missingDatanets.map((id) => `datanet ${id}`).join(", ")}`,
          ]),
      ...(model.counters.isReady
        ? []
        : ["the model takes payments once it is activated: openledger models register"]),
    ];
    const isRecomputed = options.skipRecomputation !== true;
    output.answer(lines, { ...sent, datanetId, modelId, isRecomputed, stage, batchNumber, missingDatanets });
  },
});

/**
 * Checks the rows' terms, and trains the model again, unless the option skips that.
 * @returns lines that say what was compared
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; ATT_MODEL_MISMATCH naming the first difference; as `recompute`
 */
async function grounds(
  client: LedgerClient,
  { datanetId, modelId }: { datanetId: number; modelId: number },
  options: GlobalOptions & VerifyModelOptions & { folder?: string; skipRecomputation?: boolean },
  output: Output,
): Promise<string[]> {
  const { registeredRecipe, termsOfApproval } = await import("./approval-terms.ts");
  if (options.skipRecomputation === true)
    return [
      `model ${modelId} was not recomputed: nothing here shows that its scores are those of its rows`,
      ...(await termsOfApproval(
        client,
        datanetId,
        await registeredRecipe(client, modelId, options),
        options,
      )),
    ];
  const { recompute } = await import("../verify/verify-model.ts");
  const what = options.folder ?? String(modelId);
  let terms: string[] = [];
  // Before the training, which takes longer.
  const onPublished = async ({ recipe }: ModelParts) => {
    terms = await termsOfApproval(client, datanetId, recipe, options);
  };
  const { lines } = await recompute(client, { what, modelId, onPublished }, options, output);
  return [lines[0]!, ...terms];
}

async function revoke(
  { options, output }: Pick<CommandContext<{ wait: string }>, "options" | "output">,
  datanetId: number,
  modelId: number,
): Promise<void> {
  const signer = await openSigner(options);
  const client = await signFor(signer, await getLeaf(signer.client, datanetId));
  const sent = await revokeModel(client, { datanetId, modelId });
  const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
  output.answer([`datanet ${datanetId} has revoked model ${modelId} (${stage}), operation ${sent.hash}`], {
    ...sent,
    datanetId,
    modelId,
    stage,
    batchNumber,
  });
}
