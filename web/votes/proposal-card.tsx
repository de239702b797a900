/**
 * Card of one proposal on the votes page: what its calls do, its state and votes (wei of OPEN), and the button of the next step.
 */

import type { Proposal, ProposalState, VoteName } from "@openledger/client/governance/governance";
import { describeCall } from "@openledger/client/governance/governed-calls";
import { useState } from "preact/hooks";
import { Badge, type Tone } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { DataTable } from "../design/data-table.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { Timeline, type TimelineStep } from "../design/timeline.tsx";
import { PassTime } from "../hosts/pass-time.tsx";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";
import { useAction } from "../ledger/use-action.ts";
import { RowText } from "../rows/row-text.tsx";
import { shownWords } from "../rows/shown-parts.ts";
import { showDuration, showOpen } from "../words/format.ts";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import type { Votes } from "./read-votes.ts";
import { onRollupChain } from "./send-vote.ts";

const STATES: Readonly<Record<ProposalState, { tone: Tone; text: string }>> = {
  pending: { tone: "wait", text: "voting has not begun" },
  active: { tone: "wait", text: "open for votes" },
  succeeded: { tone: "good", text: "passed" },
  queued: { tone: "wait", text: "delay before it takes effect" },
  executed: { tone: "good", text: "executed" },
  canceled: { tone: "plain", text: "withdrawn" },
  defeated: { tone: "plain", text: "rejected" },
  expired: { tone: "plain", text: "expired" },
};

interface CardProps {
  readonly proposal: Proposal;
  readonly votes: Votes;
  readonly live: Live;
  readonly site: Site;
}

export function ProposalCard({ live, proposal, site, votes }: CardProps) {
  const { tone, text } = STATES[proposal.state];
  const calls = proposal.calls.map((call) => describeCall(call, votes.contracts));
  const [title = "", ...lines] = proposal.description.split("\n");
  const body = lines.join("\n").trim();
  return (
    <article class="card stack" aria-label={shownWords(title)}>
      <h3>
        <RowText text={title} /> <Badge tone={tone}>{text}</Badge>
      </h3>
      {body !== "" && (
        <p class="votes-body">
          <RowText text={body} />
        </p>
      )}
      <p class="small soft">
        Proposed by <Identifier value={proposal.proposer} label="the proposer's address" />, in these words.
        If it passes, exactly this happens:
      </p>
      <ol class="stack-s votes-calls">
        {calls.map(({ words }, i) => (
          <li key={i}>{words}.</li>
        ))}
      </ol>
      {calls.some(({ isUnknown }) => isUnknown) && (
        <Notice tone="bad" title="This page does not know what a call does.">
          <p>Do not vote for it until someone you trust has reviewed it.</p>
        </Notice>
      )}
      <Counts proposal={proposal} votes={votes} />
      <Timeline label="Progress" steps={stepsOf(proposal, votes)} />
      <NextStep proposal={proposal} votes={votes} live={live} site={site} />
    </article>
  );
}

function Counts({ proposal, votes }: Pick<CardProps, "proposal" | "votes">) {
  const { quorumWei, votes: counted } = proposal;
  const towardsQuorum = counted.for + counted.abstain;
  const percent = quorumWei === null || quorumWei === 0n ? 0 : Number((100n * towardsQuorum) / quorumWei);
  return (
    <>
      <dl class="facts">
        <dt>For</dt>
        <dd>
          <Open wei={counted.for} />
        </dd>
        <dt>Against</dt>
        <dd>
          <Open wei={counted.against} />
        </dd>
        <dt>Abstain</dt>
        <dd>
          <Open wei={counted.abstain} />
        </dd>
        <dt>Quorum, of for and abstain</dt>
        <dd>
          {quorumWei === null
            ? "known when votes are counted"
            : `${showOpen(quorumWei)} OPEN, ${towardsQuorum >= quorumWei ? "reached" : `${percent} % reached`}`}
        </dd>
      </dl>
      {quorumWei !== null && (
        <progress class="votes-quorum" value={Math.min(percent, 100)} max={100} aria-label="Of the quorum" />
      )}
      {counted.for + counted.against + counted.abstain > 0n && <Voters proposal={proposal} votes={votes} />}
    </>
  );
}

/** List of voters, read when somebody opens it: it takes events of the whole vote. */
function Voters({ proposal, votes: { governance } }: Pick<CardProps, "proposal" | "votes">) {
  const [cast, setCast] = useState<Awaited<ReturnType<typeof governance.votesCast>> | null>(null);
  const reading = useAction();
  const read = () =>
    reading.run(async () => {
      setCast(await governance.votesCast(proposal));
    });
  return (
    <details onToggle={({ currentTarget }) => currentTarget.open && void read()}>
      <summary class="row small">Who has voted</summary>
      <div class="folded">
        {reading.problem !== null && <ProblemNotice problem={reading.problem} />}
        {cast === null ? (
          reading.problem === null && <p class="soft">Loading …</p>
        ) : (
          <DataTable
            caption="Votes cast"
            columns={[
              {
                label: "Voter",
                cell: ({ voter }) => <Identifier value={voter} label="the voter's address" />,
              },
              { label: "Vote", cell: ({ vote }) => vote },
              { label: "OPEN", isNumber: true, cell: ({ votesWei }) => <Open wei={votesWei} isBare /> },
            ]}
            rows={cast}
            keyOf={({ voter }) => voter}
            empty="No votes yet."
          />
        )}
      </div>
    </details>
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
  const moment = (block: bigint) =>
    block > head.block ? `in about ${showDuration(head.msPerBlock * Number(block - head.block))}` : "over";
  const reached = REACHED[state] ?? (state === "canceled" ? 0 : 1);
  const isOver = REACHED[state] === undefined;
  const names = [
    ["counted", "Voting power fixed", moment(snapshotBlock)],
    ["voted", "Voting ends", moment(deadlineBlock)],
    ["queued", "Passed and queued", undefined],
    ["left", "Takes effect", executableFrom === 0n ? undefined : showMoment(executableFrom)],
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

function NextStep({ live, proposal, site, votes }: CardProps) {
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
        {proposal.state === "succeeded" && button("Start the delay", () => governance.queue(proposal))}
        {proposal.state === "queued" && isDue && button("Execute", () => governance.execute(proposal))}
        {proposal.state === "queued" && !isDue && (
          <span>If you disagree, you can leave until {showMoment(proposal.executableFrom)}.</span>
        )}
        {mine === null && proposal.state === "active" && <span class="soft">Connect a wallet to vote.</span>}
      </div>
      {proposal.state === "queued" && (
        <PassTime
          leftMs={isDue ? 0 : 1_000 * Number(proposal.executableFrom - head.seconds)}
          isOfLedger={false}
          live={live}
          site={site}
        />
      )}
      {proposal.state === "active" && mine !== null && !hasVoted && (
        <p class="small soft">
          Your voting power is what was delegated to you when voting began. Each address votes once.
        </p>
      )}
      {proposal.state === "queued" && isDue && (
        <p class="small soft">
          Anyone can execute it. The timelock needs OPEN on Ethereum for the queue's fee:{" "}
          <Identifier value={votes.contracts.timelock} label="the timelock's address" />
        </p>
      )}
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </>
  );
}
