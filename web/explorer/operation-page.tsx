/** Page "#/operation/HASH" of the explorer: one signed operation's parties, amount, fee, and place in a batch and on Ethereum. */
import { amountOf } from "@openledger/circuits/ledger/moved-amounts";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import type { ComponentChildren, VNode } from "preact";
import { FactList } from "../design/fact-list.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount, showTime } from "../words/format.ts";
import { answerHref, BatchLink, LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Answered } from "./answered.tsx";
import { leafOf, showKind, Words } from "./records.tsx";

/** A 32-byte hash. */
const HASH = /^0x[0-9a-fA-F]{64}$/;

/** Looks the hash up at the server; a dropped operation shows the reason. */
export function OperationPage({ site, live, rest }: PageProps): VNode {
  const hash = rest[0] ?? "";
  const answer = useAnswer(live, hash, () =>
    HASH.test(hash) ? getOperation(site.sequencer, hash as `0x${string}`) : Promise.resolve(null),
  );
  return (
    <>
      <div class="row">
        <h1>{answer.value == null ? "Operation" : showKind(answer.value.kind)}</h1>
        {answer.value != null && <StatusBadge status={answer.value.status} />}
      </div>
      <Answered answer={answer} none="The server knows no operation with this hash.">
        {(operation) => <Facts operation={operation} />}
      </Answered>
    </>
  );
}

function Facts({ operation }: { operation: LedgerOperation }) {
  const { acknowledgedAtMs, batchNumber, createdId, feeWei, hash, l1TransactionHash, opIndex } = operation;
  const amountWei = amountOf({ ...operation });
  const facts: [string, ComponentChildren][] = [
    ["Hash", <Identifier key="hash" value={hash} label="the hash" />],
    ["From", leafOf(operation, "a")],
    ["To", createdId == null ? leafOf(operation, "b") : <LeafLink key="created" id={createdId} />],
    ["Amount", amountWei === null ? "–" : <Open wei={amountWei} />],
    ["Fee", feeWei == null ? "–" : <Open wei={feeWei} />],
    ["Accepted at", acknowledgedAtMs == null ? "not yet" : showTime(acknowledgedAtMs)],
    ["Number among signed operations", opIndex == null ? "–" : showCount(opIndex)],
    ["Batch", batchNumber == null ? "none yet" : <BatchLink key="batch" number={batchNumber} />],
    [
      "Ethereum transaction",
      l1TransactionHash == null ? (
        "not yet"
      ) : (
        <Identifier key="l1" value={l1TransactionHash} label="the transaction" />
      ),
    ],
    ["Words", <Words key="words" words={operation.words} />],
  ];
  return (
    <>
      {operation.status === "dropped" && (
        <Notice tone="bad" title="The operator has dropped it.">
          <p>{operation.reason ?? "It gave no reason."}</p>
        </Notice>
      )}
      <section class="card stack">
        <h2>Facts</h2>
        <FactList facts={facts} />
        {operation.kind === "payInference" && (
          <p>
            <a href={answerHref(hash)}>Rows paid by this answer</a>
          </p>
        )}
        {batchNumber != null && (
          <p class="soft small">
            Its batch proves it. Open batch <BatchLink number={batchNumber} /> to check it.
          </p>
        )}
      </section>
    </>
  );
}
