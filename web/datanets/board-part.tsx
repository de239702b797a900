/**
 * Section "Earnings board" of a Datanet's models tab: what settled epochs have paid to accounts that agree to be named, as bars, and
 * the sum of the others. An account agrees, or takes it back, by a signed record.
 */
import {
  type EarningsBoard,
  readEarningsBoard,
  showEarnings,
} from "@openledger/client/datanets/earnings-board";
import { Button } from "../design/button.tsx";
import type { TabProps } from "../hosts/tab-props.ts";
import { DroppedNotice } from "../hosts/unsigned-records.tsx";
import { useLoad } from "../hosts/use-load.ts";
import { useAction } from "../ledger/use-action.ts";
import { showCounted } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";

/** Accounts that are shown. */
const SHOWN = 20;

export function BoardPart({ facts, live, place, visitor }: TabProps) {
  const board = useLoad(`board ${facts.id}/${facts.here.recordCount}`, () =>
    readEarningsBoard(visitor.reader, place),
  );
  const action = useAction();
  const own = visitor.account?.id ?? null;
  const isShown = own !== null && board.value?.agreedIds.includes(own) === true;
  const choose = () =>
    action.run(async () => {
      const client = visitor.client ?? (await visitor.unlock());
      await showEarnings(client, { ...place, isShown: !isShown });
      board.reload();
      live.ring();
    });
  return (
    <section class="card stack" aria-label="Earnings board">
      <h2>Earnings board</h2>
      <p class="soft small">
        Earned from models of this Datanet alone, in <Term name="settlement">settled</Term> epochs. Accounts
        are named if they have signed that they agree. What the ledger paid to whom is public in any case.
      </p>
      {board.problem !== null && <ProblemNotice problem={board.problem} />}
      {board.value === undefined && board.problem === null && <p class="soft">Loading …</p>}
      {board.value !== undefined && <Bars board={board.value} />}
      {board.value !== undefined && <DroppedNotice dropped={board.value.dropped} />}
      {own !== null && (
        <div class="row">
          <Button isSmall isBusy={action.isBusy} onClick={() => void choose()}>
            {isShown ? "Do not show my earnings" : "Show my earnings"}
          </Button>
          <span class="soft small">your ledger key signs it, for this Datanet</span>
        </div>
      )}
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </section>
  );
}

function Bars({ board: { earnedWei, entries, hiddenCount, hiddenWei } }: { board: EarningsBoard }) {
  if (earnedWei === 0n) return <p class="soft">No epoch has paid anybody yet.</p>;
  return (
    <>
      <figure class="bars">
        <ul>
          {entries.slice(0, SHOWN).map(({ earnedWei: wei, leafId }) => (
            <li key={leafId}>
              <span class="bar-name">
                <LeafLink id={leafId} />
              </span>
              <span class="bar-box" aria-hidden="true">
                <span
                  class="bar bar-info"
                  style={{ width: `${Number((wei * 10_000n) / earnedWei) / 100}%` }}
                />
              </span>
              <span class="bar-value">
                <Open wei={wei} />
              </span>
            </li>
          ))}
        </ul>
      </figure>
      {entries.length > SHOWN && (
        <p class="soft small">and {showCounted(entries.length - SHOWN, "more account")}</p>
      )}
      <p class="row">
        <span>
          {hiddenCount === 0 ? "Nobody is hidden." : `${showCounted(hiddenCount, "account")} not named`}
        </span>
        <span class="push" />
        {hiddenCount > 0 && <Open wei={hiddenWei} />}
      </p>
      <p class="row">
        <strong>All</strong>
        <span class="push" />
        <strong>
          <Open wei={earnedWei} />
        </strong>
      </p>
    </>
  );
}
