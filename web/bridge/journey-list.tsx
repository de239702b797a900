/**
 * List "Your transfers" of the bridge page: every transfer of this browser with its milestones, expected times (in milliseconds)
 * and the hashes that prove them. Journeys come from web/ledger/journey-store.ts.
 */
import { Badge, type Tone } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { Timeline, type TimelineStep } from "../design/timeline.tsx";
import { isFinalizable, isOver, type Journey, type Milestone, stepsOf } from "../ledger/journey.ts";
import { forgetJourney, journeys } from "../ledger/journey-store.ts";
import type { Live } from "../ledger/live.ts";
import type { Session } from "../ledger/session.ts";
import { showAge, showDuration, showOpen, showTime } from "../words/format.ts";
import { leafLabel } from "../words/leaf-names.ts";
import { BatchLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { FinalizeButton } from "./finalize-button.tsx";

/** Transfers under way first, then those that ended lately. */
export function JourneyList({ live, session }: { live: Live; session: Session }) {
  const all = journeys.value;
  const sorted = [...all.filter((journey) => !isOver(journey)), ...all.filter(isOver)];
  return (
    <section class="stack" aria-label="Your transfers">
      <h2>Your transfers</h2>
      {sorted.length === 0 && (
        <p class="soft">None yet. Transfers appear here and continue if you close the page.</p>
      )}
      {sorted.map((journey) => (
        <JourneyCard key={journey.id} journey={journey} live={live} session={session} />
      ))}
    </section>
  );
}

const TITLES = {
  deposit: "Deposit",
  transfer: "Transfer",
  withdraw: "Withdrawal",
  forcedWithdraw: "Forced withdrawal",
  answer: "Payment for an answer",
} as const;

const LABELS: Readonly<Record<Milestone, { text: string; term?: string }>> = {
  signed: { text: "Signed" },
  sent: { text: "Sent to Ethereum" },
  queued: { text: "In the queue", term: "queue entry" },
  accepted: { text: "Accepted", term: "accepted" },
  closed: { text: "In a batch", term: "in a batch" },
  proven: { text: "Proven", term: "proven" },
  posted: { text: "On Ethereum", term: "posted" },
  final: { text: "Final", term: "final" },
  paidOut: { text: "Paid out", term: "withdrawal finalization" },
};

function JourneyCard({ journey, live, session }: { journey: Journey; live: Live; session: Session }) {
  const nowMs = live.nowMs.value;
  const { tone, text } = stateOf(journey);
  const steps = stepsOf(journey).map(({ milestone, state }): TimelineStep => {
    const { text: label, term } = LABELS[milestone];
    const isDeposit = journey.kind === "deposit" && milestone === "accepted";
    return {
      name: milestone,
      state,
      label: term === undefined ? label : <Term name={term}>{isDeposit ? "In your account" : label}</Term>,
      note: noteOf(journey, milestone, nowMs),
    };
  });
  const head = (
    <>
      <h3>
        {TITLES[journey.kind]} of <Open wei={journey.amountWei} />
        {journey.toLeaf !== undefined &&
          ` to ${leafLabel(journey.toLeaf, journey.kind === "answer" ? "model" : "account")}`}
      </h3>
      <Badge tone={tone}>{text}</Badge>
      {isFinalizable(journey) && !isPaidOutUnseen(journey) && (
        <FinalizeButton live={live} session={session} />
      )}
      <span class="push soft small">{showAge(journey.startedAtMs, nowMs)}</span>
    </>
  );
  const body = (
    <>
      <Timeline label="Progress" steps={steps} />
      {journey.l1Verdict === "differs" && <Contradiction journey={journey} />}
      {journey.problem !== undefined && <ProblemNotice problem={journey.problem} />}
      {journey.lookProblem !== undefined && <ProblemNotice problem={journey.lookProblem} />}
      {!isOver(journey) && journey.searched?.isCut && <OlderBlocks journey={journey} />}
      <Traces journey={journey} onForget={() => forgetJourney(session, journey.id)} />
    </>
  );
  return (
    <article class="card" aria-label={`${TITLES[journey.kind]} of ${showOpen(journey.amountWei)} OPEN`}>
      {isOver(journey) && journey.problem === undefined && journey.l1Verdict !== "differs" ? (
        <details>
          <summary class="row">{head}</summary>
          <div class="stack folded">{body}</div>
        </details>
      ) : (
        <div class="stack">
          <div class="row">{head}</div>
          {body}
        </div>
      )}
    </article>
  );
}

function stateOf(journey: Journey): { tone: Tone; text: string } {
  const { problem, kind, reachedAtMs, l1Verdict } = journey;
  if (problem !== undefined) return { tone: "bad", text: "failed" };
  if (l1Verdict === "differs") return { tone: "bad", text: "contradicted by Ethereum" };
  if (isFinalizable(journey))
    return { tone: "info", text: isPaidOutUnseen(journey) ? "nothing is owed" : "ready to finalize" };
  if (reachedAtMs.paidOut !== undefined) return { tone: "good", text: "in your wallet" };
  if (reachedAtMs.final !== undefined) return { tone: "good", text: "final" };
  if (reachedAtMs.posted !== undefined) return { tone: "info", text: "on Ethereum" };
  if (journey.proposal !== undefined) return { tone: "wait", text: "waiting for your wallet's owners" };
  if (kind === "deposit" && reachedAtMs.accepted !== undefined)
    return { tone: "info", text: "in your account" };
  return { tone: "wait", text: "in progress" };
}

function noteOf(journey: Journey, milestone: Milestone, nowMs: number) {
  const atMs = journey.reachedAtMs[milestone];
  if (atMs !== undefined) return showTime(atMs);
  if (journey.problem !== undefined) return undefined;
  if (milestone === "paidOut") return isFinalizable(journey) ? "when you like" : undefined;
  const expectedMs = journey.expectedAtMs[milestone];
  if (expectedMs === undefined) return undefined;
  return expectedMs - nowMs < 1_000 ? "any moment" : `in about ${showDuration(expectedMs - nowMs)}`;
}

/** L1 owes nothing any more, and the node does not show the payout. */
const isPaidOutUnseen = (journey: Journey) => isFinalizable(journey) && journey.searched?.isCut === true;

function OlderBlocks({ journey }: { journey: Journey }) {
  const { fromBlock } = journey.searched!;
  return (
    <Notice tone="info" title={`This Ethereum node does not show blocks before ${fromBlock}.`}>
      <p>
        {isPaidOutUnseen(journey)
          ? "Ethereum owes you nothing any more, so the payout is in one of them: a block explorer shows it."
          : "Your wallet may have executed the transaction in one of them: look it up there before you propose it again."}{" "}
        A node that keeps older blocks shows it here, too.
      </p>
    </Notice>
  );
}

function Contradiction({ journey }: { journey: Journey }) {
  return (
    <Notice tone="bad" title="Ethereum contradicts the operator.">
      <p>
        The transaction that the operator names for batch {journey.batchNumber} does not contain this
        operation. Keep your preconfirmation and compare with another full node.
      </p>
    </Notice>
  );
}

/** Hashes that prove each step; anybody can look them up. */
function Traces({ journey, onForget }: { journey: Journey; onForget: () => void }) {
  const { queuedHash, hash, postedHash, payoutHash, batchNumber, l1Verdict } = journey;
  const traces: [string, string | undefined][] = [
    ["transaction into the queue", queuedHash],
    ["operation", hash],
    ["batch's transaction", postedHash],
    ["payout transaction", payoutHash],
  ];
  return (
    <div class="row small soft">
      {batchNumber !== undefined && (
        <span>
          batch <BatchLink number={batchNumber} />
        </span>
      )}
      {traces.flatMap(([label, value]) =>
        value === undefined
          ? []
          : [
              <span key={label}>
                {label} <Identifier value={value} label={label} />
              </span>,
            ],
      )}
      {l1Verdict === "agrees" && <Badge tone="good">checked on Ethereum</Badge>}
      {(isOver(journey) || journey.proposal !== undefined) && (
        <span class="push">
          <Button isSmall onClick={onForget}>
            Remove from the list
          </Button>
        </span>
      )}
    </div>
  );
}
