import { hashTagged } from "../field/poseidon.ts";
import { TAG } from "../protocol.ts";

/** The chain of a Datanet's leaf after these commits, in the ledger's order (docs/reference/ledger.md). Needs `initPoseidon`. */
export function commitChain(
  commits: readonly {
    readonly rowsRoot: bigint;
    readonly contributorId: number;
    readonly rowCount: number;
  }[],
): bigint {
  return commits.reduce(
    (link, { contributorId, rowCount, rowsRoot }) =>
      hashTagged(TAG.commit, [link, rowsRoot, BigInt(contributorId) | (BigInt(rowCount) << 24n)]),
    0n,
  );
}
