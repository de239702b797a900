/** What differs between model commitments of families of models. Rules that this folder may not import are handed in with a kind. */

import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import type { Hex } from "viem";
import type { CommittedModel, LeafPlace, Leaves } from "../statements/committed-model.ts";
import { type DirectFault, findDirectFaults, type Gap } from "../statements/direct-faults.ts";
import { type DirectSource, directModelCommitment } from "../statements/direct-model-commitment.ts";
import { directChallengeData } from "./direct-calls.ts";

/** A wrong place: what its challenge is called, and where. */
export interface PostedFault extends Gap {
  readonly kind: string;
  readonly row?: number;
  /** A second row that its challenge opens. */
  readonly other?: number;
}

/** What wrong places are found in, and shown from. */
export interface ShownModelCommitment {
  readonly posted: CommittedModel;
  /** What an honest owner would have posted; null where that cannot be computed. */
  readonly own: CommittedModel | null;
  /** The version's. */
  readonly rows: readonly OwnedRow[];
}

export interface ModelCommitmentKind {
  readonly family: FamilyName;
  /**
   * What an honest owner posts. @param rows the version's @param given facts and weights that the rest is made of, where the kind
   * has any that do; default: the model's @throws ATT_NOT_DISPUTABLE, and what the model is refused for
   * Attack: facts and weights within their tolerance, beside which every leaf that one computes from the published model looks wrong.
   */
  honestModelCommitment(
    model: PublishedModel,
    rows: readonly OwnedRow[],
    modelId: number,
    given?: Pick<Leaves, "facts" | "weights">,
  ): Promise<CommittedModel>;
  /** Before a bond is paid: whether a game over what is posted could be played. Absent: this kind has no games. @throws CMD_USAGE */
  requirePlayable?(own: CommittedModel): void;
  /** Every wrong place that L1 would refuse, cheap rules first. Needs `initPoseidon`. */
  faultsOf(shown: ShownModelCommitment): Iterable<PostedFault>;
  /** Leaves that the game opens which shows it; null where one transaction does. Absent: this kind has no games. */
  gameOf?(fault: PostedFault): readonly LeafPlace[] | null;
  /** The data of the transaction that shows any other. Needs `initPoseidon`. */
  refutationData(id: bigint, shown: ShownModelCommitment, fault: PostedFault): Hex;
  /** Faults whose challenge opens a row's content. */
  readonly needsContent: ReadonlySet<string>;
  /** Whether nothing on L1 shows that a posted map is not the published one. */
  readonly isMapTrusted: boolean;
}

/** Direct models of e-mails. */
export const MAIL_MODEL_COMMITMENTS: ModelCommitmentKind = {
  family: "direct",
  honestModelCommitment: async (model, rows, modelId, given) =>
    directModelCommitment(
      model as unknown as DirectSource,
      rows.map(({ content }) => content),
      modelId,
      undefined,
      given,
    ),
  faultsOf: ({ posted, rows }) => findDirectFaults(posted, rows),
  refutationData: (id, { posted, rows }, fault) =>
    directChallengeData(id, posted, rows, fault as DirectFault),
  needsContent: new Set(["rowTooLong", "tokens", "residual", "entry", "versionRow", "duplicate"]),
  isMapTrusted: true,
};
