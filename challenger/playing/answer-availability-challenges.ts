/** Leaves that somebody has challenged of an owner's model commitments: each is shown on L1, or refutes its model commitment a day later. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readModel } from "@openledger/attribution/model/model-directory";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { challengerError } from "../challenger-errors.ts";
import { untoldError } from "../events/event-log.ts";
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
import { shownLeaf, statementTuple } from "../statements/model-commitment-calls.ts";
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
  const { untold, windows } = await registry.windows();
  failures.push(...untold);
  const asked = windows.filter(
    (one) =>
      sameAddress(one.owner, owner.address) && one.state === "open" && one.openAvailabilityChallengeCount > 0,
  );
  if (asked.length === 0) return { answered, failures };
  const sender = sendingTo(owner, registry.address);
  const showAll = async (
    { id, statement }: ModelCommitment,
    posted: CommittedModel,
    open: readonly OpenAvailabilityChallenge[],
    rows: readonly OwnedRow[],
  ) => {
    const leaves = open.map(({ index, tree }) => shownLeaf(posted, TREES[tree]!, index, rows));
    for (const some of together(leaves)) {
      onProgress(`showing ${some.length} leaves of model commitment ${id}`);
      const args = [id, statementTuple(statement), some];
      await orFail(async () => {
        const sent = await sender.send(registryCall({ functionName: "answer", args }), "leaves");
        for (const { index, tree } of some)
          answered.push({ modelCommitment: id, tree: TREES[tree]!, index, ...sent });
      });
    }
  };
  const stated = await withStatements(registry, asked);
  if (stated.length < asked.length)
    failures.push(untoldError("of a model commitment whose leaves are asked for"));
  for (const modelCommitment of stated)
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
          ? requireRoots(await kind.honestModelCommitment(model, rows, modelId), statement, kind.family)
          : decodeLeaves(leafFile, statement, kind.family);
      const { open } = await readAvailabilityChallenges(registry, id);
      const byDeadline = open.toSorted((a, b) => Number(a.answerBySeconds - b.answerBySeconds));
      await showAll(modelCommitment, posted, byDeadline, rows);
    });
  return { answered, failures };
}

type Shown = ReturnType<typeof shownLeaf>;

/**
 * As many in a transaction as fit into it with a quarter of room.
 * Attack: thousands of leaves asked for in one block, of an owner who shows one in a block: the fees come back with the bond.
 */
function* together(leaves: readonly Shown[]): Generator<readonly Shown[]> {
  let [some, sizeBytes, gas]: [Shown[], number, number] = [[], 0, 0];
  for (const one of leaves) {
    const { leaf, versionPath } = one;
    const neededBytes =
      BYTES_BESIDE + leaf.data.length / 2 + 32 * (leaf.path.length + CHILDREN * versionPath.length);
    const hashes = versionPath.length === 0 ? 0 : 1 + versionPath.length;
    const neededGas = LEAF_GAS + hashes * HASH_GAS;
    if (some.length > 0 && (sizeBytes + neededBytes > MOST_BYTES || gas + neededGas > MOST_GAS)) {
      yield some;
      [some, sizeBytes, gas] = [[], 0, 0];
    }
    some.push(one);
    sizeBytes += neededBytes;
    gas += neededGas;
  }
  if (some.length > 0) yield some;
}

/** Of the call: numbers, lengths and offsets of one leaf. */
const BYTES_BESIDE = 416;
/** Of a node of the version's tree. */
const CHILDREN = 8;
/** Of the 128 KiB that a node takes three of the longest leaves; 25 gas a byte, with the event's. */
const MOST_BYTES = 104_000;
/** Beside their bytes: 8.4 of the 12.6 million gas that are three quarters of a transaction. */
const MOST_GAS = 6_000_000;
const LEAF_GAS = 100_000;
/** Of a row and of each level of the version's tree above it. */
const HASH_GAS = 200_000;
