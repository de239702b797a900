/** Commits and publications of a Datanet through L1's queue. */
import {
  type RowStore,
  type StoredContribution,
  storeContribution,
} from "@openledger/client/actions/data/row-store";
import {
  forceCommitData,
  forcedCommitEntry,
  forcedPublicationEntry,
  forcePublishVersion,
} from "@openledger/client/actions/forced/forced-operations";
import { accountOf, type GlobalOptions, type Signer } from "../../cli/context.ts";
import { counted } from "../../cli/counted.ts";
import { ledgerOnL1, onlyAccountOf } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import type { ForcedOptions, ForcedOutcome } from "../money/forced-operation.ts";
import { type ForcedSending, sendThroughL1 } from "../money/through-l1.ts";

type Options = GlobalOptions & ForcedOptions;

/** Commits rows through L1, even without a sequencer. @throws CLI_FORCED_NO_EFFECT, CLI_LEAF_NOT_FOUND, CLI_L1_REVERTED, BRG_* */
export async function commitThroughL1(
  signer: Signer,
  rows: { readonly datanetId: number; readonly store: RowStore; readonly contents: readonly Uint8Array[] },
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
  const { rowCount, rowsRoot } = contribution;
  const commit = { id, datanetId, rowCount, rowsRoot };
  const what = `${counted(rowCount, "row")} of leaf ${id} for datanet ${datanetId}`;
  const entry = forcedCommitEntry(commit);
  const send: ForcedSending["send"] = (fee) => forceCommitData(client, { ...commit, ...fee });
  return { ...(await sendThroughL1(signer, { entry, what, ledger, send }, options, output)), contribution };
}

/** @throws CLI_FORCED_NO_EFFECT, CLI_L1_REVERTED, BRG_* */
export async function publishThroughL1(
  signer: Signer,
  publication: Parameters<typeof forcedPublicationEntry>[0],
  options: Options,
  output: Output,
): Promise<ForcedOutcome> {
  const { datanetId, version } = publication;
  const what = `a version of ${counted(version.rowCount, "row")} of datanet ${datanetId}`;
  const entry = forcedPublicationEntry(publication);
  const ledger = ledgerOnL1(options, output);
  const send: ForcedSending["send"] = (fee) => forcePublishVersion(signer.client, { ...publication, ...fee });
  return sendThroughL1(signer, { entry, what, ledger, send }, options, output);
}
