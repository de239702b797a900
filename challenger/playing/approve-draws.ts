/** Makes L1 take a settlement by draws of a language model whose queries are claimed (docs/explanation/fault-proofs.md). */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { dataCommitment } from "@openledger/circuits/field/element-vector";
import type { SampledSettlement } from "@openledger/circuits/settlement/divide-epoch";
import { proofVector } from "@openledger/circuits/settlement/settlement-data";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { AutoSettleModules } from "@openledger/models/settler/auto-settle";
import type { EpochFacts } from "@openledger/models/settling/prepare-settlement";
import { type Address, type PublicClient, zeroAddress } from "viem";
import { readGame } from "../events/read-contracts.ts";
import { approveCall } from "../games/claims/ledger-claims.ts";
import { claimsOfDraws } from "../games/draw-claims.ts";
import { isRegisteredIn, readGames } from "../games/trace-contracts.ts";
import type { L1Sender } from "../sending/l1-sender.ts";

export interface DrawApproval {
  /** What L1 still asks for; empty where it takes the settlement. */
  readonly missing: readonly string[];
  /** The transaction that was sent; null where none was needed, or something is missing. */
  readonly sent: Awaited<ReturnType<L1Sender["send"]>> | null;
}

/** Who is asked before draws of this model are taken; null where the model promises no claims. @throws BRG_L1_* */
export async function judgeOf(
  client: PublicClient,
  rollup: Address,
  modelId: number,
): Promise<Address | null> {
  return l1Call("find the contract that judges the model's draws", async () => {
    const gate = await client.readContract({
      address: rollup,
      abi: rollupAbi,
      functionName: "activationGate",
    });
    if (gate === zeroAddress) return null;
    const games = await readGames(client, gate);
    return games !== null && (await isRegisteredIn(client, games, rollup, modelId)) ? games : null;
  });
}

/** @throws CLI_L1_REVERTED, CON_L1_COST_ABOVE_CAP, BRG_L1_* */
export async function approveDraws(
  sender: Pick<L1Sender, "publicClient" | "send">,
  { judge, rollup }: { readonly judge: Address; readonly rollup: Address },
  { leaf, payments }: Pick<EpochFacts, "leaf" | "payments">,
  prepared: SampledSettlement,
): Promise<DrawApproval> {
  const { publicClient } = sender;
  const model = { rollup, modelId: BigInt(leaf.id) };
  const commitment = dataCommitment(proofVector(prepared.proofs[0]!));
  const isTaken = await readGame(publicClient, judge)("settlesFor", [rollup, model.modelId, commitment]);
  if (isTaken) return { missing: [], sent: null };
  const draws = prepared.draws.map(({ isValid, paymentIndex }) => ({ ...payments[paymentIndex]!, isValid }));
  const claims = await claimsOfDraws(publicClient, judge, model, draws);
  const missing = claims.flatMap((claim) => (claim.missing === null ? [] : [claim.missing]));
  if (missing.length > 0) return { missing, sent: null };
  const claimIds = claims.map(({ claimId }) => claimId);
  const approval = approveCall(model, prepared, commitment, claimIds);
  const sent = await l1Call("approve the draws", () =>
    sender.send({ to: judge, data: approval, valueWei: 0n }),
  );
  return { missing, sent };
}

/** For a service that settles: says what is missing, null for nothing. */
export function drawApprover(
  openSender: () => Promise<Pick<L1Sender, "publicClient" | "send">>,
  rollup: Address,
  onSent: (hash: string) => void,
): NonNullable<AutoSettleModules["approve"]> {
  return async (facts, prepared) => {
    const sender = await openSender();
    // Looked for each time: the model may be registered while the service runs.
    const judge = await judgeOf(sender.publicClient, rollup, facts.leaf.id);
    if (judge === null) return null;
    const { missing, sent } = await approveDraws(sender, { judge, rollup }, facts, prepared);
    if (sent !== null) onSent(sent.hash);
    return missing.length === 0 ? null : missing.join("; ");
  };
}
