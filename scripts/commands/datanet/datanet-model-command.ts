import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import { approveModel, revokeModel } from "@openledger/client/actions/ledger/model-operations";
import { clientError } from "@openledger/client/client-errors";
import { getLeaf, getStatus } from "@openledger/client/sequencer/ledger-reads";
import { approvalsOf, getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { commandError } from "../../cli/cli-errors.ts";
import { openSigner, signFor } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import { type CommandContext, command, waitWithProgress } from "../../cli/run-command.ts";
import { FORCED_OPTIONS } from "../money/forced-operation.ts";

export const addApproveModel = command({
  usage: "approve-model <datanet> <model>",
  about:
    "let a model of the published version take payments, from 24 hours after its publication by batch timestamps; or revoke that",
  options: {
    "--revoke": "end the model's payments; earlier payments are still settled",
    ...FORCED_OPTIONS,
  },
  examples: [
    "datanet approve-model 10 15 --account alice",
    "datanet approve-model 10 15 --revoke --account alice",
    "datanet approve-model 10 15 --revoke --forced --account alice",
  ],
  run: async ({ options, args, output }) => {
    const [datanetId, modelId] = args.map(parseId) as [number, number];
    if (options.forced === true) {
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
    const client = await signFor(signer, leaf);
    const { hash: _hash, ...statics } = staticsOf(model);
    const sent = await approveModel(client, { datanetId, modelId, statics });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const missingDatanets = approvalsOf(await getModel(client, modelId)).flatMap(({ hasApproved, id }) =>
      hasApproved || id === datanetId ? [] : [id],
    );
    const lines = [
      `datanet ${datanetId} has approved model ${modelId} (${stage}), operation ${sent.hash}`,
      ...(missingDatanets.length === 0
        ? []
        : [
            `it takes payments once these approve it, too: ${missingDatanets.map((id) => `datanet ${id}`).join(", ")}`,
          ]),
      ...(model.counters.isReady
        ? []
        : ["the model takes payments once it is activated: openledger models register"]),
    ];
    output.answer(lines, { ...sent, datanetId, modelId, stage, batchNumber, missingDatanets });
  },
});

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
