import { BaseError } from "viem";
import type { PlayedRound } from "../games/trace-player.ts";

/** What was done and what failed, for people and for programs. */
export function describeRound({ failures, moves, waiting, warnings }: PlayedRound) {
  const where = ({ claimId, gameId }: { readonly claimId: bigint; readonly gameId: bigint | null }) =>
    `claim ${claimId}${gameId === null ? "" : `, game ${gameId}`}`;
  const lines = [
    ...moves.map((move) => `${where(move)}: ${move.what}, ${move.gasUsed} gas`),
    ...failures.map((failure) => `${where(failure)} could not be played: ${messageOf(failure.error)}`),
    ...warnings.map(({ claimId, why }) => `claim ${claimId}, do not approve it: ${why}`),
    ...(waiting.length === 0 ? [] : [`${waiting.length} claims wait for the next look`]),
  ];
  const failed = failures.map(({ error, ...place }) => ({ ...place, reason: messageOf(error) }));
  return {
    lines: lines.length === 0 ? ["no move to make"] : lines,
    view: { moves, failures: failed, waiting, warnings },
  };
}

/** Without what viem adds in further lines: the address of a node may hold a key. */
export const messageOf = (error: unknown): string =>
  error instanceof BaseError ? error.shortMessage : error instanceof Error ? error.message : String(error);
