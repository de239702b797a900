import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import type { PublishedFiles } from "../../model-commitments/examine-model-commitment.ts";
import type { DisputeFixture } from "../../model-commitments/testing/dispute-fixture.ts";
import type { Watcher } from "../../model-commitments/watch-commitment.ts";
import { type CommittedModel, TREES } from "../../statements/committed-model.ts";
import { shownLeaf, statementTuple } from "../../statements/model-commitment-calls.ts";
import { watchFiles } from "./watch-all.ts";

const MOST_LOOKS = 40;

/** A watcher's looks while it sends something, each leaf that it pays for shown by the owner. @returns what it sent, and paid for leaves */
export async function answeredLooks(
  f: DisputeFixture,
  { id, posted }: { readonly id: bigint; readonly posted: CommittedModel },
  files: PublishedFiles,
  watcher: Watcher,
): Promise<{ sent: string[]; paidWei: bigint }> {
  const sent: string[] = [];
  let paidWei = 0n;
  for (let look = 0; look < MOST_LOOKS; look++) {
    const [seen] = await watchFiles(f, files, watcher);
    if (seen!.sent === null) break;
    sent.push(seen!.sent.what);
    if (seen!.sent.what !== "challengeAvailability") continue;
    const { blockNumber } = await f.client.getTransactionReceipt({ hash: seen!.sent.hash });
    const [event] = await f.client.getContractEvents({
      ...{ address: f.disputes.address, abi: disputesAbi, eventName: "AvailabilityChallenged" },
      ...{ fromBlock: blockNumber, toBlock: blockNumber },
    });
    const { feeWei, index, tree } = event!.args as { feeWei: bigint; index: bigint; tree: number };
    paidWei += feeWei;
    const shown = [shownLeaf(posted, TREES[tree]!, Number(index))];
    const answer = [id, statementTuple(posted.statement), shown] as const;
    await f.disputes.write.answer(answer as never, { account: f.owner });
  }
  return { sent, paidWei };
}
