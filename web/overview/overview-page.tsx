/** First page: what a visitor can do, whom an answer pays, and the ledger's figures and last batches. */
import { TREASURY_PARTS } from "@openledger/circuits/protocol";
import type { SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import type { ComponentChildren } from "preact";
import type { PageProps } from "../ledger/page.ts";
import { showCount, showDuration } from "../words/format.ts";
import { Term } from "../words/term.tsx";
import { LastBatches } from "./last-batches.tsx";
import { Pipeline } from "./pipeline.tsx";

/** Overview: what a visitor can do here, whom an answer pays, and how far the ledger is. */
export function OverviewPage({ live }: PageProps) {
  const status = live.status.value;
  return (
    <>
      <section class="stack">
        <h1>AI that pays the people it learned from</h1>
        <p class="lead">
          Every model here is trained on rows with known contributors. When someone pays for an answer, the
          contributors of the rows that helped are paid, and Ethereum verifies the amounts.
        </p>
      </section>
      <Doors />
      <WhoIsPaid />
      {status === null ? (
        <p class="soft">Loading the ledger …</p>
      ) : (
        <>
          <Figures status={status} />
          <Pipeline status={status} />
        </>
      )}
      <section class="card stack">
        <div class="row">
          <h2>Last batches</h2>
          <span class="push" />
          <a href="#/batches">All batches</a>
        </div>
        <LastBatches batches={live.batches.value} nowMs={live.nowMs.value} />
      </section>
    </>
  );
}

/** The three things that people come for. */
function Doors() {
  return (
    <nav class="columns doors" aria-label="Get started">
      <Door href="#/bridge" title="Bring OPEN">
        Move OPEN from Ethereum into your account in seconds, pay anyone, and withdraw.
      </Door>
      <Door href="#/datanets" title="Explore and contribute data">
        Read the rows that models learn from. Add, label or review rows, and earn when they help.
      </Door>
      <Door href="#/ask" title="Ask a model">
        Get an answer that your browser verifies, see the rows behind it, and pay the people who wrote them.
      </Door>
    </nav>
  );
}

function Door({ children, href, title }: { href: string; title: string; children: ComponentChildren }) {
  return (
    <a class="card stack-s door" href={href}>
      <strong>{title}</strong>
      <span class="soft">{children}</span>
    </a>
  );
}

/** Denominator of the treasury's part: parts are in 65,536ths. */
const PARTS = 65_536;

function WhoIsPaid() {
  const treasuryPercent = Math.round((100 * Number(TREASURY_PARTS)) / PARTS);
  return (
    <section class="card stack-s" aria-label="Whom an answer pays">
      <h2>Whom an answer pays</h2>
      <dl class="facts facts-wide">
        <dt>The people behind the rows</dt>
        <dd>the rest, divided among the rows that helped the answer</dd>
        <dt>The model's owner</dt>
        <dd>a share fixed at registration</dd>
        <dt>The treasury</dt>
        <dd>{treasuryPercent} %, spent by votes</dd>
      </dl>
      <p class="soft small">
        At the end of an <Term name="epoch">epoch</Term> a <Term name="settlement">settlement</Term> divides
        the payments. Its proof is on Ethereum, so you need not trust the operator.{" "}
        <a href="#/earnings">Your earnings</a>
      </p>
    </section>
  );
}

function Figures({ status }: { status: SequencerStatus }) {
  const { head, estimates, queue } = status;
  const toFinalMs = estimates.closeMs + estimates.proveMs + estimates.postMs + (estimates.finalMs ?? 0);
  const waiting = queue.seenIndex - queue.consumedIndex;
  return (
    <div class="columns figures">
      <Figure
        label="Operations so far"
        value={showCount(head.opIndex)}
        note={`${showCount(head.operationCount)} in the open batch`}
      />
      <Figure
        label="Accounts, Datanets and models"
        value={showCount(head.nextId)}
        note="each proven to Ethereum"
      />
      <Figure
        label="From accepted to final"
        value={showDuration(toFinalMs)}
        note="median of the last 20 batches"
      />
      <Figure label="Waiting on Ethereum" value={showCount(waiting)} note="deposits and forced operations" />
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
