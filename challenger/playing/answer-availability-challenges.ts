/** Leaves that somebody has challenged of an owner's model commitments: each is shown on L1, or refutes its model commitment a day later. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readModel } from "@openledger/attribution/model/model-directory";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { challengerError } from "../challenger-errors.ts";
import { sameAddress } from "../games/read-games.ts";
import {
  type ModelCommitment,
  type OpenAvailabilityChallenge,
  readAvailabilityChallenges,
  withStatements,
} from "../model-commitments/read-model-commitments.ts";
import type { WindowReader } from "../model-commitments/read-windows.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { type CommittedModel, TREES } from "../statements/committed-model.ts";
import { decodeLeaves, requireRoots } from "../statements/leaf-file.ts";
import { openingOf, statementTuple } from "../statements/model-commitment-calls.ts";
import { modelCommitmentKindOf } from "./disputes-contracts.ts";
import type { OpenedModels } from "./opened-models.ts";
import { type ModelPlaces, placeOf } from "./published-files.ts";
import { registryCall, sendingTo } from "./trace-sender.ts";

interface AnsweredAvailabilityChallenge {
  readonly modelCommitment: bigint;
  readonly tree: string;
  readonly index: bigint;
  readonly hash: string;
  readonly gasUsed: bigint;
}

interface ShowingModules {
  readonly sender: Pick<L1Sender, "address" | "publicClient" | "send">;
  readonly registry: WindowReader;
  readonly opened: OpenedModels;
  readonly onProgress: (line: string) => void;
}

/**
 * Shows every challenged leaf of the account's open model commitments. What cannot be shown keeps no other from it.
 * Attack: a stranger's model commitment of the same model, with leaves that only the stranger has.
 * @returns what was shown, and why others could not be
 */
export async function showLeaves(
  { onProgress, opened, registry, sender: owner }: ShowingModules,
  places: ModelPlaces,
) {
  const answered: AnsweredAvailabilityChallenge[] = [];
  const failures: unknown[] = [];
  const orFail = async (act: () => Promise<void>) =>
    act().catch((error: unknown) => void failures.push(error));
  const asked = (await registry.windows()).filter(
    (one) =>
      sameAddress(one.owner, owner.address) && one.state === "open" && one.openAvailabilityChallengeCount > 0,
  );
  if (asked.length === 0) return { answered, failures };
  const sender = sendingTo(owner, registry.address);
  const showLeaf = async (
    { id, statement }: ModelCommitment,
    posted: CommittedModel,
    { index, tree }: OpenAvailabilityChallenge,
    contents: readonly { readonly content: Uint8Array }[],
  ) => {
    const name = TREES[tree]!;
    const place = Number(index);
    // Nobody can show what is not there: its number is answer enough.
    const isThere = place < posted.leaves[name].length;
    const opening = isThere
      ? openingOf(posted, name, place, name === "rows" ? contents[place]!.content : undefined)
      : { data: "0x", path: [] };
    onProgress(`showing leaf ${index} of "${name}", model commitment ${id}`);
    const args = [id, statementTuple(statement), tree, index, opening];
    const sent = await sender.send(registryCall({ functionName: "answer", args }), "a leaf");
    answered.push({ modelCommitment: id, tree: name, index, ...sent });
  };
  for (const modelCommitment of await withStatements(registry, asked))
    await orFail(async () => {
      const { id, modelId, statement } = modelCommitment;
      const place = placeOf(places, modelId);
      if (place === null || !("folder" in place))
        throw challengerError(
          "CMD_USAGE",
          `model ${modelId} is not in --models or --model: no leaf is shown`,
        );
      const model = await readModel(place.folder, await modelFamilies({ base: places.base }));
      const { rows } = model;
      if (rows === null) throw challengerError("CMD_USAGE", "the model is published without its rows");
      const leafFile = await readFile(join(place.folder, LEAF_FILE)).catch(() => null);
      const kind = await modelCommitmentKindOf(model, { base: places.base, opened }, onProgress);
      const posted =
        leafFile === null
          ? requireRoots(await kind.honestModelCommitment(model, rows, modelId), statement, kind.rows)
          : decodeLeaves(leafFile, statement, kind.rows);
      const { open } = await readAvailabilityChallenges(registry, id);
      for (const challenge of open) await orFail(() => showLeaf(modelCommitment, posted, challenge, rows));
    });
  return { answered, failures };
}
