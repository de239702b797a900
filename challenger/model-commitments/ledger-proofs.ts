/** What the registry is shown of the ledger: a version's root in the rollup's state. */

import { answeringFiles, challengedRules } from "@openledger/attribution/model/answering-hash";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import {
  hashDatanetBody,
  hashModelBody,
  type ModelBody,
  unpackBinding,
} from "@openledger/circuits/ledger/leaf";
import { EMPTY_CLAIMED_ROOT } from "@openledger/circuits/ledger/rewards";
import { columnsCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { requestSequencer } from "@openledger/client/sequencer/sequencer-request";
import { postedLeafSchema } from "@openledger/client/sequencer/sequencer-schemas";
import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import type { z } from "zod";
import type { CommittedModel, DisputeStatement } from "../statements/committed-model.ts";
import { postedTuple, statementTuple } from "../statements/model-commitment-calls.ts";

/**
 * The call `commitModel`, with the datanet's leaf by the sequencer's word, which L1 checks. It fails on L1 where a batch comes
 * between; then it is made again. Needs `initPoseidon`.
 * @param family its number in the registry @param name its name here
 * @throws CLI_LEAF_UNPROVEN where the datanet has another version (by now)
 */
export async function commitModelCall(
  client: LedgerClient,
  family: number,
  posted: CommittedModel,
  name: FamilyName,
) {
  const { statement } = posted;
  const { binding, payeeRoot, ownersCommitment, rowCount, rowsRoot } = statement;
  const { datanetId, version } = unpackBinding(binding);
  const [{ datanet }, { leaf, rows }] = await Promise.all([
    getLeaf(client, Number(datanetId)),
    requestSequencer(client, `/v1/leaves/${datanetId}/path`, postedLeafSchema),
  ]);
  const { publishedAt, policy } = datanet ?? { publishedAt: 0, policy: 0n };
  const opened = { publishedAt: BigInt(publishedAt), policy: BigInt(policy) };
  const body = hashDatanetBody({
    ...{ version, rowCount: BigInt(rowCount), rowsRoot, ownersCommitment, payeeRoot },
    ...opened,
  });
  if (body !== BigInt(leaf.body))
    throw clientError(
      "CLI_LEAF_UNPROVEN",
      `datanet ${datanetId} does not have the version ${version} with these rows in its latest posted state`,
      { data: { id: Number(datanetId) } },
    );
  const { fields, path } = openedLeaf({ leaf, rows });
  const shown = [client.rollupAddress, { fields, ...opened }, path, postedTuple(posted, name)] as const;
  return { functionName: "commitModel", args: [family, statementTuple(statement), ...shown] } as const;
}

/** A posted leaf's fields but its body, and its path, as contracts take them. */
function openedLeaf({ leaf, rows }: Pick<z.output<typeof postedLeafSchema>, "leaf" | "rows">) {
  const { nonce, l1Owner, keyX, balance, chain, openAmount, counters } = leaf;
  const fields = [nonce, l1Owner, keyX, balance, chain, openAmount, counters].map(BigInt);
  return { fields, path: rows.map((row) => row.map(BigInt)) };
}

/**
 * A model that has not begun, as L1 has it: by the sequencer's word, which L1 checks. Needs `initPoseidon`.
 * @throws CLI_LEAF_UNPROVEN where it is not posted yet, has begun, or is no model
 */
export async function openUnbegunModel(client: LedgerClient, modelId: number) {
  const [known, posted] = await Promise.all([
    getModel(client, modelId),
    requestSequencer(client, `/v1/leaves/${modelId}/path`, postedLeafSchema),
  ]);
  const { hash: _, ...statics } = staticsOf(known);
  const body: ModelBody = {
    ...{ statics, closed: 0n, accruedRoot: statics.payeeRoot, claimedRoot: EMPTY_CLAIMED_ROOT },
    epochStart: BigInt(known.model.epochStart),
  };
  if (known.counters.isReady || hashModelBody(body) !== BigInt(posted.leaf.body))
    throw clientError(
      "CLI_LEAF_UNPROVEN",
      known.counters.isReady
        ? `model ${modelId} has begun: what settles its epochs is settled`
        : `model ${modelId} is not in the latest posted state: try again after the next batch`,
      { data: { id: modelId } },
    );
  return { statics, body, ...openedLeaf(posted) };
}

/** The call `admit`, of a model commitment that counts. Needs `initPoseidon`. @param cap most payments of an epoch */
export function admitCall(model: PublishedModel, id: bigint, statement: DisputeStatement, cap: bigint) {
  // A language model's statics have other rules, and no damping.
  const damping = challengedRules(answeringFiles(model).recipe)?.damping ?? 0n;
  const args = [id, statementTuple(statement), cap, columnsCommitment(model.columns[0]!), damping] as const;
  return { functionName: "admit", args } as const;
}
