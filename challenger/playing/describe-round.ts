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

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
