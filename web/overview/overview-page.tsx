import type { SequencerInfo, SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import { Identifier } from "../design/identifier.tsx";
import type { PageProps } from "../ledger/page.ts";
import { showCount, showDuration } from "../words/format.ts";
import { Term } from "../words/term.tsx";
import { LastBatches } from "./last-batches.tsx";
import { Pipeline } from "./pipeline.tsx";

/** The state of the rollup at a glance: how far it is, how fast, and what it is made of. */
export function OverviewPage({ live }: PageProps) {
  const status = live.status.value;
  const info = live.info.value;
  return (
    <>
      <section class="stack">
        <h1>Every change is proven to Ethereum</h1>
        <p class="lead">
          Payments for AI answers, and who earns from them, on a <Term name="ledger">ledger</Term> whose every{" "}
          <Term name="batch">batch</Term> carries a proof. Nobody has to believe the operator.
        </p>
      </section>
      {status === null ? (
        <p class="soft">Asking for the state of the ledger …</p>
      ) : (
        <Pipeline status={status} />
      )}
      {status !== null && <Figures status={status} />}
      <section class="card stack">
        <h2>Last batches</h2>
        <LastBatches batches={live.batches.value} nowMs={live.nowMs.value} />
      </section>
      {info !== null && <MadeOf info={info} />}
    </>
  );
}

function Figures({ status }: { status: SequencerStatus }) {
  const { head, estimates, queue } = status;
  const toFinalMs = estimates.closeMs + estimates.proveMs + estimates.postMs + (estimates.finalMs ?? 0);
  const waiting = queue.seenIndex - queue.consumedIndex;
  return (
    <div class="columns columns-small">
      <Figure
        label="Signed operations"
        value={showCount(head.opIndex)}
        note={`${showCount(head.operationCount)} in the open batch`}
      />
      <Figure
        label="Leaves of the ledger"
        value={showCount(head.nextId)}
        note="accounts, Datanets and models"
      />
      <Figure
        label="From acceptance to final"
        value={showDuration(toFinalMs)}
        note="medians of the last 20 batches, added up"
      />
      <Figure
        label="Waiting in Ethereum's queue"
        value={showCount(waiting)}
        note="deposits and forced operations that no batch has taken yet"
      />
    </div>
  );
}

function Figure({ label, value, note }: { label: string; value: string; note: string }) {
  return (
    <section class="card stack-s">
      <h2 class="soft small">{label}</h2>
      <p class="figure">{value}</p>
      <p class="soft small">{note}</p>
    </section>
  );
}

function MadeOf({ info }: { info: SequencerInfo }) {
  const batch = info.circuits.find(({ sort }) => sort === 0);
  return (
    <section class="card stack">
      <h2>What it is made of</h2>
      <dl class="facts">
        <dt>Rollup contract</dt>
        <dd>
          <Identifier value={info.rollupAddress} label="the rollup's address" />
        </dd>
        <dt>OPEN token</dt>
        <dd>
          <Identifier value={info.tokenAddress} label="the token's address" />
        </dd>
        <dt>Who posts batches</dt>
        <dd>
          <Identifier value={info.preconfirmationSigner} label="the operator's address" />
        </dd>
        <dt>Operations in a batch, at most</dt>
        <dd>{batch === undefined ? "unknown" : showCount(batch.size0 + batch.size1)}</dd>
        <dt>Ethereum blocks until final</dt>
        <dd>{showCount(info.l1Confirmations)}</dd>
      </dl>
    </section>
  );
}
