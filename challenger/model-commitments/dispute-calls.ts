/** Challenges that every model commitment of e-mails has, as calls of the contract Disputes (docs/explanation/disputes.md). */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { bytesToHex, encodeFunctionData, type Hex } from "viem";
import type { CommittedModel, TreeName } from "../statements/committed-model.ts";
import type { RuleFault, SharedFault } from "../statements/find-faults.ts";
import { readFact } from "../statements/leaf-bytes.ts";
import { openingOf, sharedCall, statementTuple } from "../statements/model-commitment-calls.ts";

/** The transaction's data that shows one wrong place. Needs `initPoseidon`. @param owned the version's rows */
export function ruleChallengeData(
  id: bigint,
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  fault: RuleFault | SharedFault,
): Hex {
  const statement = statementTuple(posted.statement);
  const weights = bytesToHex(posted.leaves.weights[0]!);
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const row = "row" in fault ? BigInt(fault.row) : 0n;
  const at = "row" in fault ? fault.row : 0;
  const content = () => openingOf(posted, "rows", at, owned[at]!.content);
  const facts = () => bytesToHex(Buffer.concat(posted.leaves.facts));
  const call = <Name extends string, Args>(functionName: Name, args: Args) =>
    ({ functionName, args }) as const;
  const shown = (() => {
    switch (fault.kind) {
      case "duplicate": {
        const { leader } = readFact(posted.leaves.facts[at]!)!;
        const isOpened = leader !== at && leader !== fault.other;
        const opened = (k: number) => openingOf(posted, "rows", k, owned[k]!.content);
        return call("challengeDuplicate", [
          id,
          statement,
          row,
          BigInt(fault.other),
          content(),
          open("facts", at),
          opened(fault.other),
          open("facts", fault.other),
          isOpened ? opened(leader) : { data: "0x" as const, path: [] },
        ]);
      }
      case "input":
        return call("challengeInput", [
          id,
          statement,
          row,
          BigInt(fault.bucket),
          open("tokens", at),
          open("inputs", fault.bucket),
        ]);
      case "optimum": {
        const isBias = fault.bucket === posted.statement.bucketCount;
        const column = isBias ? { data: "0x" as const, path: [] } : open("inputs", fault.bucket);
        return call("challengeOptimum", [id, statement, BigInt(fault.bucket), weights, facts(), column]);
      }
      default:
        return sharedCall(id, posted, owned, fault);
    }
  })();
  return encodeFunctionData({ abi: disputesAbi, ...shown } as never);
}
