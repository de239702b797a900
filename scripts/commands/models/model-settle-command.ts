/**
 * `openledger models close-epoch` and `settle`: the model's owner, or anyone after the delays, closes an epoch and settles it.
 */

import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { closeModelEpoch } from "@openledger/client/tasks/close-epoch";
import { counted } from "@openledger/foundation/counted";
import { EPOCH_OPTION, FOLDER_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { accountOf, openSigner, signFor } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION, KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";

export const addModelCloseEpochCommand = command({
  usage: "close-epoch <model>",
  about: "close the open epoch for its settlement; anyone can after 24 hours by batch timestamps",
  options: {
    "--as-account":
      "sign as the account, not as the model: needs 24 hours by batch timestamps since the last close",
    ...WAIT_OPTION,
  },
  examples: ["models close-epoch 15 --account mia", "models close-epoch 15 --as-account --account bob"],
  forcedAs: "force closeEpoch modelId=MODEL",
  run: async ({ options, args, output }) => {
    const modelId = parseId(args[0]!);
    const signer = await openSigner(options);
    const model = await getModel(signer.client, modelId);
    const leaf =
      options.asAccount === true ? await accountOf(signer.client, signer.account.l1.address) : model;
    const client = await signFor(signer, leaf);
    const { amountWei, epoch, paymentCount, sent } = await closeModelEpoch(client, {
      modelId,
      from: leaf.id,
    });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const operation = await getOperation(client, sent.hash);
    const lines = [
      `epoch ${epoch} of model ${modelId} is closed with ${counted(paymentCount, "payment")} of ${formatOpen(amountWei)} OPEN: ${stage}`,
      `operation ${sent.hash}; its draws are fixed by the L1 block 128 after the one that takes batch ${operation?.batchNumber ?? "?"}`,
    ];
    output.answer(lines, { ...sent, modelId, epoch, amountWei, stage, batchNumber });
  },
});

export const addModelSettleCommand = command({
  usage: "settle <model>",
  about:
    "settle the closed epoch: draw payments, prove the payees' rewards, and submit the proof; anyone can",
  options: {
    ...EPOCH_OPTION,
    ...SERVER_OPTION,
    ...FOLDER_OPTION,
    "--consent-to-voids":
      "settle drawn payments whose receipts the server cannot open as void, which burns their part; needs the model's --account",
    "--default-split": "settle by row counts, without openings: from 14 days after the close",
    "--direct":
      "pre-verify the settlement on L1, from 3 days after the close; run again 24 hours later to post it; needs --account",
    ...CIRCUITS_OPTION,
    ...KEYS_OPTION,
    ...PROVER_OPTION,
  },
  examples: [
    "models settle 15",
    "models settle 15 --consent-to-voids --account mia",
    "models settle 15 --direct --account bob",
    "models settle 15 --default-split",
  ],
  run: async (context) => (await import("./model-settle.ts")).settleModel(context),
});
