/** Page "#/queue/INDEX" of the explorer: an entry of Ethereum's queue and what a batch made of it. */
import { queuedAmountOf } from "@openledger/circuits/ledger/moved-amounts";
import { getQueueEntry } from "@openledger/client/sequencer/ledger-reads";
import type { QueueEntryView } from "@openledger/client/sequencer/sequencer-schemas";
import type { ComponentChildren } from "preact";
import { Identifier } from "../design/identifier.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount } from "../words/format.ts";
import { BatchLink, queueHref } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Answered } from "./answered.tsx";
import { leafOf, showKind } from "./records.tsx";

/** Page of an entry of Ethereum's queue: its request to the ledger, and the result. */
export function QueuePage({ site, live, rest }: PageProps) {
  const index = Number(rest[0]);
  const isIndex = Number.isSafeInteger(index) && index >= 0;
  const answer = useAnswer(live, `queue ${index}`, () =>
    isIndex ? getQueueEntry(site.sequencer, index) : Promise.resolve(null),
  );
  const seen = live.status.value?.queue.seenIndex ?? 0;
  return (
    <>
      <div class="row">
        <h1>Queue entry {isIndex ? showCount(index) : "?"}</h1>
        {answer.value != null && <StatusBadge status={answer.value.status} />}
        <span class="push" />
        <nav class="row" aria-label="Neighbouring entries">
          {index > 0 && <a href={queueHref(index - 1)}>← {showCount(index - 1)}</a>}
          {index + 1 < seen && <a href={queueHref(index + 1)}>{showCount(index + 1)} →</a>}
        </nav>
      </div>
      <Answered
        answer={answer}
        none="Ethereum's queue has no such entry, or this server has not seen it yet."
      >
        {(entry) => <Facts entry={entry} />}
      </Answered>
    </>
  );
}

function Facts({ entry }: { entry: QueueEntryView }) {
  const { a, amountWei, b, batchNumber, kind, l1BlockNumber, l1TransactionHash, sender } = entry;
  const operation = { kind: kind ?? "", a: a ?? 0, b: b ?? 0, amountCode: 0n, words: [] };
  const amount = queuedAmountOf({ kind: kind ?? "", amountWei: amountWei ?? 0n });
  const facts: [string, ComponentChildren][] = [
    ["What", kind == null ? "–" : showKind(kind)],
    ["Sent by", sender == null ? "–" : <Identifier key="sender" value={sender} label="the sender" />],
    ["From", leafOf(operation, "a")],
    ["To", leafOf(operation, "b")],
    ["Amount", amount === null ? "–" : <Open wei={amount} />],
    ["Batch", batchNumber == null ? "none yet" : <BatchLink key="batch" number={batchNumber} />],
    [
      "Ethereum transaction",
      l1TransactionHash == null ? (
        "–"
      ) : (
        <Identifier key="l1" value={l1TransactionHash} label="the transaction" />
      ),
    ],
    ["Ethereum block", l1BlockNumber == null ? "–" : showCount(l1BlockNumber)],
  ];
  return (
    <section class="card stack">
      <h2>Facts</h2>
      <dl class="facts">
        {facts.flatMap(([label, value]) => [
          <dt key={label}>{label}</dt>,
          <dd key={`${label}=`}>{value}</dd>,
        ])}
      </dl>
    </section>
  );
}
