/** What ties a traced language model to the ledger: its registration, and approvals of its draws (docs/explanation/fault-proofs.md). */

import { answeringFiles, rawAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { registerCall } from "@openledger/challenger/games/ledger-claims";
import { approveDraws } from "@openledger/challenger/playing/approve-draws";
import { promisesPosting } from "@openledger/challenger/playing/disputes-contracts";
import { traceSenderOf } from "@openledger/challenger/playing/trace-sender";
import { openUnbegunModel } from "@openledger/challenger/postings/ledger-proofs";
import { columnsCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { readSealedEpoch } from "@openledger/models/settling/prepare-settlement";
import { commandError } from "../../cli/cli-errors.ts";
import { openReader, parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { openSettlementContext } from "../../cli/settlement-context.ts";
import type { CircuitOptions } from "../../cli/settlement-options.ts";
import { prepareByDraws, type SettleOptions } from "../model/model-settle.ts";
import { againBetweenBatches } from "./disputes-post.ts";
import { openPromised, soughtModel } from "./query-disputes.ts";

export interface RegisterTracedOptions {
  modelId: string;
  cap: string;
  base?: string;
}

/** @throws CMD_USAGE for a model without the promise; CLI_LEAF_UNPROVEN where L1 does not have it, or it has begun */
export async function registerTraced({
  options,
  args,
  output,
}: CommandContext<RegisterTracedOptions>): Promise<void> {
  const [modelId, cap] = [parseId(options.modelId), parseId(options.cap)];
  const { game, ...sender } = await traceSenderOf(await l1SenderOf(options), parseAddress(args[0]!));
  const { parts, terms, traced } = await openPromised(args[1]!, options, output.progress);
  const client = await openReader(options);
  const own = {
    columnsCommitment: columnsCommitment(parts.columns),
    filesHash: rawAnsweringHash(answeringFiles(parts)),
  };
  const sent = await againBetweenBatches(
    async () => {
      const opened = await openUnbegunModel(client, modelId);
      const data = registerCall(traced.model, terms, { ...opened, ...own, cap });
      return sender.send({ data, valueWei: 0n }, "the registration");
    },
    () => output.progress("a batch came between: opening the model in the new state"),
    "LedgerTracesRootMismatch",
  );
  const isPosted = promisesPosting(parts);
  const named = `${args[0]} ${args[1]} --model-id ${modelId}`;
  output.answer(
    [
      `the draws of model ${modelId} wait for claims of ${terms.claimant}${isPosted ? "" : ", and it may have its genesis"}`,
      `L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
      ...(isPosted
        ? [
            `its genesis waits for its rows: openledger disputes post ${named}`,
            `when their window is over: openledger disputes admit ${named} --cap ${cap}`,
          ]
        : [`once the sequencer has heard of it: openledger model register ${args[1]}`]),
    ],
    { modelId, game, claimant: terms.claimant, comparesPrompts: terms.vocabularySize > 0, isPosted, ...sent },
  );
}

export interface ApproveOptions
  extends Pick<CircuitOptions, "circuits">,
    Pick<SettleOptions, "server" | "folder"> {
  modelId: string;
  epoch?: string;
}

/** @throws CMD_USAGE where draws have no claim that stands */
export async function approveEpoch({ options, args, output }: CommandContext<ApproveOptions>): Promise<void> {
  const modelId = parseId(options.modelId);
  const sender = await traceSenderOf(
    await l1SenderOf(options),
    parseAddress(args[0]!),
    soughtModel(options, modelId),
  );
  const client = await openReader(options);
  const facts = await readSealedEpoch(
    client,
    modelId,
    options.epoch === undefined ? undefined : parseEpoch(options.epoch),
  );
  const context = await openSettlementContext(options);
  const { prepared } = await prepareByDraws(facts, context, options as never, output.progress);
  const { missing, sent } = await approveDraws(
    { publicClient: sender.publicClient, send: (call) => sender.send(call, "the approval") },
    { judge: sender.game, rollup: client.rollupAddress },
    facts,
    prepared,
  );
  const { epoch } = facts.sealed;
  if (missing.length > 0)
    throw commandError(
      "CMD_USAGE",
      `epoch ${epoch} is not approved: ${missing.join("; ")}. openledger disputes claim-query claims; what was refuted goes by row counts`,
    );
  output.answer(
    sent === null
      ? [`epoch ${epoch} of model ${modelId}: L1 takes these draws already`]
      : [
          `epoch ${epoch} of model ${modelId}: L1 takes these draws; transaction ${sent.hash}, ${sent.gasUsed} gas`,
        ],
    { modelId, epoch: Number(epoch), ...(sent ?? {}) },
  );
}
