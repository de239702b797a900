/**
 * Section "The full node's verdicts" of the health page: promises of the operator that Ethereum or another promise contradicts,
 * each with its evidence.
 */
import { FactList } from "../design/fact-list.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { showCount } from "../words/format.ts";
import { BatchLink, LeafLink } from "../words/links.tsx";
import { Term } from "../words/term.tsx";
import type { Equivocation } from "./read-health.ts";

const REASONS: Readonly<Record<string, string>> = {
  "other-operation": "The operator promised one operation and posted another in its place.",
  "two-preconfirmations": "The operator signed two different promises for one place.",
  overdue: "The operator's promise has expired, and Ethereum does not have the operation.",
};

/** Equivocations that a full node caught, each with both facts, since both are signed by one key. */
export function Verdicts({ equivocations }: { equivocations: readonly Equivocation[] | null }) {
  return (
    <section class="card stack" aria-label="The full node's verdicts">
      <h2>
        The <Term name="full node" />
        's verdicts
      </h2>
      {equivocations === null && (
        <p class="soft">
          This is the operator's own server, which does not watch itself. Pages of a full node show what it
          has caught. Run one with <code>openledger follow</code>.
        </p>
      )}
      {equivocations?.length === 0 && (
        <Notice tone="good" title="No broken promise of the operator was found." />
      )}
      {equivocations?.map((one) => (
        <Verdict key={`${one.reason} ${one.preconfirmation.preconfirmation.operationHash}`} {...one} />
      ))}
    </section>
  );
}

function Verdict({ l1BlockNumber, noticedAtMs, other, posted, preconfirmation, reason }: Equivocation) {
  return (
    <Notice tone="bad" title={REASONS[reason] ?? `The operator contradicts itself: ${reason}.`}>
      <div class="columns">
        <Promised title="The operator signed" fact={preconfirmation.preconfirmation} />
        {other !== null && <Promised title="and the operator signed" fact={other.preconfirmation} />}
        {posted !== null && (
          <FactList
            isSmall
            facts={[
              ["and posted, in a transaction of the same key", posted.kind],
              ["as number", showCount(posted.opIndex)],
              [
                "from, to",
                <>
                  <LeafLink id={posted.a} />, <LeafLink id={posted.b} />
                </>,
              ],
              ["in batch", <BatchLink number={posted.batchNumber} />],
              ["transaction", <Identifier value={posted.transactionHash} label="the transaction" />],
              ["Ethereum block", showCount(posted.blockNumber)],
            ]}
          />
        )}
      </div>
      <p class="small soft">
        Noticed {new Date(noticedAtMs).toLocaleString("en-GB")}, at Ethereum's block{" "}
        {showCount(l1BlockNumber)}. The full node has kept both as files that{" "}
        <code>openledger verify preconfirmations</code> checks.
      </p>
    </Notice>
  );
}

type Fact = Equivocation["preconfirmation"]["preconfirmation"];

function Promised({ title, fact }: { title: string; fact: Fact }) {
  return (
    <FactList
      isSmall
      facts={[
        [title, <Identifier value={fact.operationHash} label="the operation's hash" />],
        ["as number", showCount(fact.opIndex)],
        ["by", new Date(1_000 * fact.deadlineSeconds).toLocaleString("en-GB")],
        ["signature", <Identifier value={fact.signature} label="the signature" />],
      ]}
    />
  );
}
