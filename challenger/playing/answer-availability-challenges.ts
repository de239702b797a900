/** Leaves that somebody has challenged of an owner's model commitments: each is shown on L1, or refutes its model commitment a day later. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { challengerError } from "../challenger-errors.ts";
import {
  type OpenAvailabilityChallenge,
  readAvailabilityChallenges,
} from "../model-commitments/open-availability-challenges.ts";
import { type ModelCommitment, readModelCommitments } from "../model-commitments/read-model-commitments.ts";
import { type CommittedModel, TREES } from "../statements/committed-model.ts";
import { decodeLeaves, requireRoots } from "../statements/leaf-file.ts";
import { openingOf, statementTuple } from "../statements/model-commitment-calls.ts";
import { modelCommitmentKindOf } from "./disputes-contracts.ts";
import type { DisputesSender } from "./disputes-sender.ts";

export interface AnsweredAvailabilityChallenge {
  readonly modelCommitment: bigint;
  readonly tree: string;
  readonly index: bigint;
  readonly hash: string;
  readonly gasUsed: bigint;
}

export interface AnsweredAvailabilityChallenges {
  readonly answered: readonly AnsweredAvailabilityChallenge[];
  /** What could not be shown, and why. */
  readonly failures: readonly unknown[];
}

export interface AvailabilityChallengedModel {
  readonly model: PublishedModel;
  readonly folder: string;
  readonly modelId: number;
  /** Where the base of a language model is. */
  readonly base?: string | undefined;
}

/**
 * Shows every challenged leaf of the account's open model commitments of the model. What cannot be shown keeps no other from it.
 * Attack: a stranger's model commitment of the same model, with leaves that only the stranger has.
 */
export async function answerAvailabilityChallenges(
  sender: DisputesSender,
  { base, folder, model, modelId }: AvailabilityChallengedModel,
  onProgress: (line: string) => void,
): Promise<AnsweredAvailabilityChallenges> {
  const { disputes, publicClient } = sender;
  const answered: AnsweredAvailabilityChallenge[] = [];
  const failures: unknown[] = [];
  const orFail = async (act: () => Promise<void>) =>
    act().catch((error: unknown) => void failures.push(error));
  const modelCommitments = (await readModelCommitments(publicClient, disputes, { modelId })).filter(
    ({ openAvailabilityChallengeCount, owner, state }) =>
      owner === sender.address && state === "open" && openAvailabilityChallengeCount > 0,
  );
  if (modelCommitments.length === 0) return { answered, failures };
  const { rows } = model;
  if (rows === null) throw challengerError("CMD_USAGE", "the model is published without its rows");
  const leafFile = await readFile(join(folder, LEAF_FILE)).catch(() => null);
  const kind = await modelCommitmentKindOf(model, { base }, onProgress);
  const showLeaf = async (
    modelCommitment: ModelCommitment,
    posted: CommittedModel,
    { index, tree }: OpenAvailabilityChallenge,
  ) => {
    const name = TREES[tree]!;
    const place = Number(index);
    // Nobody can show what is not there: its number is answer enough.
    const isThere = place < posted.leaves[name].length;
    const opening = isThere
      ? openingOf(posted, name, place, name === "rows" ? rows[place]!.content : undefined)
      : { data: "0x", path: [] };
    onProgress(`showing leaf ${index} of "${name}", model commitment ${modelCommitment.id}`);
    const args = [modelCommitment.id, statementTuple(modelCommitment.statement), tree, index, opening];
    const sent = await sender.send({ functionName: "answer", args });
    answered.push({ modelCommitment: modelCommitment.id, tree: name, index, ...sent });
  };
  for (const modelCommitment of modelCommitments)
    await orFail(async () => {
      const { id, statement } = modelCommitment;
      const posted =
        leafFile === null
          ? requireRoots(await kind.honestModelCommitment(model, rows, modelId), statement, kind.rows)
          : decodeLeaves(leafFile, statement, kind.rows);
      const { open } = await readAvailabilityChallenges(publicClient, disputes, id);
      for (const availabilityChallenge of open)
        await orFail(() => showLeaf(modelCommitment, posted, availabilityChallenge));
    });
  return { answered, failures };
}
