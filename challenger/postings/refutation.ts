/** The transaction that shows one wrong place of a posting, of whatever kind. */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { Hex } from "viem";
import { isDirectStatement } from "../statements/direct-posting.ts";
import type { PostedModel } from "../statements/posted-model.ts";
import type { AnyFault } from "../statements/posting-kind.ts";
import { directChallengeData } from "./direct-calls.ts";
import { challengeData } from "./dispute-calls.ts";

/** Its data. Needs `initPoseidon`. @param owned the version's rows */
export function refutationData(
  id: bigint,
  posted: PostedModel,
  owned: readonly OwnedRow[],
  fault: AnyFault,
): Hex {
  const shown = isDirectStatement(posted.statement) ? directChallengeData : challengeData;
  return shown(id, posted, owned, fault as never);
}
