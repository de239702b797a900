/** Says beside a record whose word it is where a Safe, or another contract, owns the leaf that signed it. Nothing for a person's leaf. */
import { delegateWords, readLeafOwner } from "@openledger/client/safe/leaf-owner";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { type Address, isAddress } from "viem";
import { l1Reader } from "../ledger/l1-reader.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";

/** Owners of leaves for a minute: a page shows many records, and looks again with each event of the ledger. */
const owners = new RecentAnswers<number, Address>({ maxItems: 1_000, cacheMs: 60_000 });

interface DelegateWordProps extends Pick<PageProps, "live" | "site"> {
  readonly leafId: number;
}

export function DelegateWord({ leafId, live, site }: DelegateWordProps) {
  const reader = l1Reader(site);
  const { problem, value } = useAnswer(live, `word of ${leafId} ${reader !== null}`, async () => {
    const l1Owner = await owners.get(
      leafId,
      async () => (await getLeaf(site.sequencer, leafId)).l1Owner as Address,
    );
    const owner = reader === null ? null : await readLeafOwner(reader, l1Owner);
    return { l1Owner, isSafe: owner?.kind === "safe", words: delegateWords(owner) };
  });
  // An owner that Ethereum did not tell of is not known, as without a node.
  const words = problem === null ? (value?.words ?? null) : delegateWords(null);
  if (words === null) return null;
  const isLinked = value?.isSafe === true && isAddress(value.l1Owner);
  return (
    <span class="soft small" role="note">
      {isLinked ? <a href={`#/safe/${value.l1Owner}`}>{words}</a> : words}
    </span>
  );
}
