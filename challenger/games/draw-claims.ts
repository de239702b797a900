/** Which claims a settlement by draws rests on: what `approve` of LedgerTraces is told, and what it still waits for. */
import {
  type Address,
  encodeAbiParameters,
  type Hex,
  keccak256,
  type PublicClient,
  parseAbiParameters,
} from "viem";
import { readGame } from "../events/read-contracts.ts";
import type { LedgerModel } from "./claims/traced-model.ts";
import { GameReader } from "./read-games.ts";

/** A drawn payment. */
export interface DrawnReceipt {
  readonly payerId: number;
  readonly receipt: bigint;
  /** A void draw needs no claim. */
  readonly isValid: boolean;
}

/**
 * Void: L1 asks no claim. Lost: a claim of this receipt was refuted, and no draws of the epoch are approved. Open: its claim has
 * its window, or a game.
 */
export type DrawState = "void" | "lost" | "unclaimed" | "open" | "stands";

export interface DrawClaim {
  readonly state: DrawState;
  /** 0 for a void draw, and where there is none that counts. */
  readonly claimId: bigint;
  /** null where L1 asks nothing more of this draw. */
  readonly missing: string | null;
}

/** As the contract names a receipt that was paid. */
export function receiptKey(
  { modelId, rollup }: LedgerModel,
  { payerId, receipt }: Pick<DrawnReceipt, "payerId" | "receipt">,
): Hex {
  const words = parseAbiParameters("address, uint256, uint256, uint256");
  return keccak256(encodeAbiParameters(words, [rollup, modelId, BigInt(payerId), receipt]));
}

/** Of each draw, in their order. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
export async function claimsOfDraws(
  client: PublicClient,
  game: Address,
  model: LedgerModel,
  draws: readonly DrawnReceipt[],
  reader = new GameReader(client, game, { rollup: model.rollup }),
): Promise<DrawClaim[]> {
  const keys = draws.map((draw) => receiptKey(model, draw));
  const claims = await reader.claimsOfKeys(keys);
  const read = readGame(client, game);
  return Promise.all(
    draws.map(async ({ isValid, receipt }, i): Promise<DrawClaim> => {
      const none = (state: DrawState, missing: string | null) => ({ state, claimId: 0n, missing });
      if (await read("isLost", [keys[i]!])) return none("lost", `a claim of receipt ${receipt} was refuted`);
      if (!isValid) return none("void", null);
      const own = claims.filter(({ key }) => key === keys[i]);
      for (const { claimId } of own)
        if (await read("stands", [claimId])) return { state: "stands", claimId, missing: null };
      if (own.length === 0)
        return none("unclaimed", `receipt ${receipt} of payer ${draws[i]!.payerId} is not claimed`);
      return none("open", `claim ${own.at(-1)!.claimId} has its window, or a game, open`);
    }),
  );
}
