/** One proposal: what it would do by its calls, how it stands, and the step that comes next. */

import type { Proposal, ProposalState, VoteName } from "@openledger/client/governance/governance";
import { describeCall } from "@openledger/client/governance/governed-calls";
import { useAction } from "../bridge/use-action.ts";
import { Badge, type Tone } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { Timeline, type TimelineStep } from "../design/timeline.tsx";
import { RowText } from "../hosted/row-text.tsx";
import { shownWords } from "../hosted/shown-parts.ts";
import type { Live } from "../ledger/live.ts";
import { showCount, showOpen } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import type { Votes } from "./read-votes.ts";
import { onRollupChain } from "./send-vote.ts";

const STATES: Readonly<Record<ProposalState, { tone: Tone; text: string }>> = {
  pending: { tone: "wait", text: "not counted yet" },
  active: { tone: "wait", text: "open for votes" },
  succeeded: { tone: "good", text: "has won" },
  queued: { tone: "wait", text: "time to leave" },
  executed: { tone: "good", text: "carried out" },
  canceled: { tone: "plain", text: "taken back" },
  defeated: { tone: "plain", text: "lost" },
  expired: { tone: "plain", text: "expired" },
};

interface CardProps {
  readonly proposal: Proposal;
  readonly votes: Votes;
  readonly live: Live;
}

export function ProposalCard({ live, proposal, votes }: CardProps) {
  const { tone, text } = STATES[proposal.state];
  const calls = proposal.calls.map((call) => describeCall(call, votes.contracts));
  return (
    <article class="card stack" aria-label={shownWords(proposal.description)}>
      <h3>
        <RowText text={proposal.description} /> <Badge tone={tone}>{text}</Badge>
      </h3>
      <p class="small soft">
        The title is its proposer's, <Identifier value={proposal.proposer} label="the proposer's address" />.
        What it does stands in its calls:
      </p>
      <ol class="stack-s votes-calls">
        {calls.map(({ words }, i) => (
          <li key={i}>{words}.</li>
        ))}
      </ol>
      {calls.some(({ isUnknown }) => isUnknown) && (
        <Notice tone="bad" title="This page does not know what a call does.">
          <p>Do not vote for it before somebody whom you trust has read it.</p>
        </Notice>
      )}
      <Counts proposal={proposal} />
      <Timeline label="How far it is" steps={stepsOf(proposal, votes)} />
      <NextStep proposal={proposal} votes={votes} live={live} />
    </article>
  );
}

function Counts({ proposal: { quorumWei, votes } }: { proposal: Proposal }) {
  const towardsQuorum = votes.for + votes.abstain;
  return (
    <dl class="facts">
      <dt>For</dt>
      <dd>{showOpen(votes.for)} OPEN</dd>
      <dt>Against</dt>
      <dd>{showOpen(votes.against)} OPEN</dd>
      <dt>Abstain</dt>
      <dd>{showOpen(votes.abstain)} OPEN</dd>
      <dt>Quorum</dt>
      <dd>
        {quorumWei === null
          ? "known when votes are counted"
          : `${showOpen(quorumWei)} OPEN, ${towardsQuorum >= quorumWei ? "reached" : "not reached"}`}
      </dd>
    </dl>
  );
}

const showMoment = (seconds: bigint) =>
  new Date(1_000 * Number(seconds)).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** The present step of a proposal that goes on, as an index of `stepsOf`. */
const REACHED: Readonly<Partial<Record<ProposalState, number>>> = {
  pending: 0,
  active: 1,
  succeeded: 2,
  queued: 3,
  executed: 4,
};

function stepsOf(
  { deadlineBlock, executableFrom, snapshotBlock, state }: Proposal,
  { head }: Votes,
): TimelineStep[] {
  const blocks = (until: bigint) =>
    until > head.block ? `in ${showCount(until - head.block)} blocks` : `block ${until}`;
  const reached = REACHED[state] ?? (state === "canceled" ? 0 : 1);
  const isOver = REACHED[state] === undefined;
  const names = [
    ["counted", "Votes counted", blocks(snapshotBlock)],
    ["voted", "Vote ends", blocks(deadlineBlock)],
    ["queued", "Queued", undefined],
    ["left", "Time to leave ends", executableFrom === 0n ? undefined : showMoment(executableFrom)],
  ] as const;
  return names.map(([name, label, note], i) => {
    const state = i < reached ? "done" : i > reached ? "ahead" : isOver ? "failed" : "current";
    return { name, label, state, ...(note === undefined ? {} : { note }) };
  });
}

const CHOICES: readonly { readonly name: VoteName; readonly label: string }[] = [
  { name: "for", label: "Vote for it" },
  { name: "against", label: "Vote against" },
  { name: "abstain", label: "Abstain" },
];

function NextStep({ live, proposal, votes }: CardProps) {
  const action = useAction();
  const { governance, head, mine } = votes;
  const send = (work: () => Promise<unknown>) =>
    action.run(async () => {
      await onRollupChain(votes);
      await work();
      live.ring();
    });
  const hasVoted = mine?.votedIds.includes(proposal.id) === true;
  const isDue = proposal.executableFrom > 0n && head.seconds >= proposal.executableFrom;
  const button = (label: string, work: () => Promise<unknown>, isMain = true) => (
    <Button isMain={isMain} isBusy={action.isBusy} isDisabled={mine === null} onClick={() => void send(work)}>
      {label}
    </Button>
  );
  return (
    <>
      <div class="row">
        {proposal.state === "active" && hasVoted && <span>You have voted.</span>}
        {proposal.state === "active" &&
          !hasVoted &&
          CHOICES.map(({ label, name }) =>
            button(label, () => governance.cast(proposal.id, name), name === "for"),
          )}
        {proposal.state === "succeeded" &&
          button("Begin the time to leave", () => governance.queue(proposal))}
        {proposal.state === "queued" && isDue && button("Carry it out", () => governance.execute(proposal))}
        {proposal.state === "queued" && !isDue && (
          <span>Whoever does not want this can leave until {showMoment(proposal.executableFrom)}.</span>
        )}
        {mine === null && proposal.state === "active" && <span class="soft">Connect a wallet to vote.</span>}
      </div>
      {proposal.state === "active" && mine !== null && !hasVoted && (
        <p class="small soft">
          Counted is what was delegated to you in block {String(proposal.snapshotBlock)}. Each address votes
          once.
        </p>
      )}
      {proposal.state === "queued" && isDue && (
        <p class="small soft">
          Anybody may. The timelock needs OPEN on Ethereum for the queue's fee:{" "}
          <Identifier value={votes.contracts.timelock} label="the timelock's address" />
        </p>
      )}
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </>
  );
}
