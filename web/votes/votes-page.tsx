/**
 * Page "#/votes": a holder of OPEN reads proposals, votes, delegates and proposes. All of it goes to Ethereum, none to the
 * sequencer.
 */
import "./votes.css";
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { OwnVotes } from "./own-votes.tsx";
import { ProposalCard } from "./proposal-card.tsx";
import { ProposeForm } from "./propose-form.tsx";
import { readVotes } from "./read-votes.ts";

export function VotesPage(props: PageProps) {
  const info = props.live.info.value;
  return (
    <>
      <section class="stack">
        <h1>Votes</h1>
        <p class="lead">
          OPEN holders vote on treasury spending and on the next rollup. Votes can never affect balances, keys
          or exits, and everyone has time to leave before a decision takes effect.
        </p>
      </section>
      {props.site.governance === null ? (
        <Notice tone="wait" title="This rollup has no votes.">
          <p>It was deployed without voting contracts. The owner of the treasury decides alone.</p>
        </Notice>
      ) : (
        info !== null && <Governed {...props} info={info} />
      )}
    </>
  );
}

function Governed({ info, live, site }: PageProps & { info: SequencerInfo }) {
  const { problem, value: votes } = useAnswer(live, `votes ${session.value?.address}`, () =>
    readVotes(site, info),
  );
  if (votes === undefined)
    return problem === null ? <p class="soft">Loading …</p> : <ProblemNotice problem={problem} />;
  const days = Number(votes.delaySeconds) / 86_400;
  return (
    <>
      {problem !== null && <ProblemNotice problem={problem} />}
      {votes.isTreasuryTheirs === false && (
        <Notice tone="bad" title="These contracts do not own the treasury.">
          <p>Their decisions about its money have no effect.</p>
        </Notice>
      )}
      <section class="card stack" aria-label="At a glance">
        <dl class="facts">
          <dt>The treasury holds</dt>
          <dd>{votes.treasuryWei === null ? "unknown now" : <Open wei={votes.treasuryWei} />}</dd>
          <dt>Delay before a passed vote takes effect</dt>
          <dd>{days} days</dd>
          <dt>Votes needed to propose</dt>
          <dd>
            <Open wei={votes.thresholdWei} />
          </dd>
        </dl>
        <p class="small soft">
          OPEN in the <Term name="ledger" /> cannot vote. To vote with it, withdraw it to Ethereum and
          delegate it before voting begins.
        </p>
      </section>
      <OwnVotes votes={votes} live={live} />
      <section class="stack" aria-label="Proposals">
        <h2>Proposals</h2>
        {votes.cut !== null && (
          <Notice tone="wait" title="The list is not whole.">
            <p>An Ethereum node with older logs has the rest: {votes.cut}.</p>
          </Notice>
        )}
        {votes.proposals.length === 0 && votes.cut === null && (
          <p class="soft">
            No proposals yet. Anyone with <Open wei={votes.thresholdWei} /> votes can make the first one
            below; everyone can delegate and vote.
          </p>
        )}
        {votes.proposals.map((proposal) => (
          <ProposalCard key={String(proposal.id)} proposal={proposal} votes={votes} live={live} site={site} />
        ))}
      </section>
      <ProposeForm votes={votes} live={live} />
    </>
  );
}
