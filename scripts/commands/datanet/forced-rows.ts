/** `openledger datanet contribute --forced` and `publish --forced`: commits rows and publishes versions through L1's queue. */

import {
  type RowStore,
  type StoredContribution,
  storeContribution,
} from "@openledger/client/actions/data/row-store";
import { storeContributedLabels } from "@openledger/client/actions/data/stored-labels";
import type { ForcedPublication } from "@openledger/client/actions/forced/forced-operation";
import { counted } from "@openledger/foundation/counted";
import { accountOf, type GlobalOptions, type Signer } from "../../cli/context.ts";
import { ledgerOnL1, onlyAccountOf } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import type { ForcedOptions, ForcedOutcome } from "../money/forced-operation.ts";
import { sendThroughL1 } from "../money/through-l1.ts";

type Options = GlobalOptions & ForcedOptions;

/** Commits rows through L1, even without a sequencer. @throws CLI_FORCED_NO_EFFECT, CLI_LEAF_NOT_FOUND, CLI_L1_REVERTED, BRG_* */
export async function commitThroughL1(
  signer: Signer,
  rows: {
    readonly datanetId: number;
    readonly store: RowStore;
    readonly contents: readonly Uint8Array[];
    /** Contributor's label of each row; null for none. */
    readonly labels: readonly (string | null)[];
  },
  options: Options,
  output: Output,
): Promise<ForcedOutcome & { readonly contribution: StoredContribution }> {
  const { account, client } = signer;
  const { datanetId } = rows;
  const ledger = ledgerOnL1(options, output);
  const owner = account.l1.address;
  const id =
    client.sequencerUrl === null
      ? onlyAccountOf((await ledger()).ledger, owner)
      : (await accountOf(client, owner)).id;
  const contribution = await storeContribution(rows.store, rows.contents);
  await storeContributedLabels(rows.store, contribution, rows.labels);
  const { rowCount, rowsRoot } = contribution;
  const operation = { type: "commitData", id, datanetId, rowCount, rowsRoot } as const;
  const what = `${counted(rowCount, "row")} of leaf ${id} for datanet ${datanetId}`;
  return { ...(await sendThroughL1(signer, { operation, what, ledger }, options, output)), contribution };
}

/** @throws CLI_FORCED_NO_EFFECT, CLI_L1_REVERTED, BRG_* */
export async function publishThroughL1(
  signer: Signer,
  publication: Omit<ForcedPublication, "type">,
  options: Options,
  output: Output,
): Promise<ForcedOutcome> {
  const { datanetId, version } = publication;
  const what = `a version of ${counted(version.rowCount, "row")} of datanet ${datanetId}`;
  const operation = { type: "publishVersion", ...publication } as const;
  return sendThroughL1(signer, { operation, what, ledger: ledgerOnL1(options, output) }, options, output);
}
