/**
 * `openledger datanet approve-model --forced`: approves or revokes a model through L1's queue. The model's facts come from a
 * ledger rebuilt from L1, so no sequencer is needed.
 */
import { type LeafState, unpackBinding } from "@openledger/circuits/ledger/leaf";
import type { ForceableOperation } from "@openledger/client/actions/forced/forced-operation";
import { clientError } from "@openledger/client/client-errors";
import { verifierError } from "@openledger/verifier/verifier-errors";
import { getAddress, numberToHex } from "viem";
import type { GlobalOptions, Signer } from "../../cli/context.ts";
import { ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import type { ForcedOptions } from "../money/forced-operation.ts";
import { sendThroughL1 } from "../money/through-l1.ts";

export interface ForcedApproval {
  readonly datanetId: number;
  readonly modelId: number;
  readonly isRevocation: boolean;
}

/** @throws CLI_FORCED_NO_EFFECT, CLI_LEAF_NOT_FOUND, CLI_L1_REVERTED, BRG_* */
export async function approveThroughL1(
  signer: Signer,
  { datanetId, isRevocation, modelId }: ForcedApproval,
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<void> {
  const { client } = signer;
  const ledger = ledgerOnL1(options, output);
  const ids = { datanetId, modelId };
  const approved = isRevocation ? null : modelOf((await ledger()).ledger.leaf(modelId), modelId);
  // The queue shows L1 one binding of one Datanet: the ledger gives such an entry no effect.
  if (approved !== null && unpackBinding(approved.statics.binding).furtherDatanets.length > 0)
    throw verifierError(
      "CLI_FORCED_NO_EFFECT",
      `model ${modelId} is of several Datanets, which approve by signed operations alone: leave --forced out. A revocation can be forced`,
      { data: { ...ids, reason: "several-datanets" } },
    );
  // L1 puts the time of its block above the rest of the binding: no earlier than this one's.
  const { timestamp: l1Seconds } = await client.l1.getBlock();
  const operation: ForceableOperation =
    approved === null ? { type: "revokeModel", ...ids } : { type: "approveModel", ...ids, ...approved };
  const what = `the ${isRevocation ? "revocation" : "approval"} of model ${modelId} by datanet ${datanetId}`;
  const sending = { operation, l1Seconds, what, ledger };
  const { facts, lines } = await sendThroughL1(signer, sending, options, output);
  output.answer(lines, { ...ids, isRevocation, ...facts });
}

function modelOf(record: LeafState | undefined, id: number) {
  if (record?.model === undefined)
    throw clientError("CLI_LEAF_NOT_FOUND", `there is no model ${id} on L1`, { data: { id } });
  const expectedOwner = getAddress(numberToHex(record.leaf.l1Owner, { size: 20 }));
  return { statics: record.model.statics, expectedOwner };
}
