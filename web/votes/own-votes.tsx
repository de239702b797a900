/** Section "Your votes" of the votes page: what the wallet holds (wei of OPEN), its voting power, and the form to delegate it. */
import { useState } from "preact/hooks";
import { type Address, getAddress, isAddress } from "viem";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Identifier } from "../design/identifier.tsx";
import type { Live } from "../ledger/live.ts";
import { useAction } from "../ledger/use-action.ts";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import type { Votes } from "./read-votes.ts";
import { onRollupChain } from "./send-vote.ts";

export function OwnVotes({ live, votes }: { votes: Votes; live: Live }) {
  const [text, setText] = useState("");
  const action = useAction();
  const { governance, mine } = votes;
  if (mine === null)
    return (
      <section class="card stack" aria-label="Your votes">
        <h2>Your votes</h2>
        <p>Connect a wallet to vote, or to let someone vote for you.</p>
      </section>
    );
  const isOwn = mine.delegate === mine.address;
  const delegate = (to: Address) =>
    action.run(async () => {
      await onRollupChain(votes);
      await governance.delegate(to);
      setText("");
      live.ring();
    });
  const isWrong = text !== "" && !isAddress(text);
  return (
    <section class="card stack" aria-label="Your votes">
      <h2>Your votes</h2>
      <dl class="facts">
        <dt>You hold on Ethereum</dt>
        <dd>
          <Open wei={mine.tokenWei} />
        </dd>
        <dt>Who votes with it</dt>
        <dd>
          {mine.delegate === null ? (
            "no one yet"
          ) : isOwn ? (
            "you"
          ) : (
            <Identifier value={mine.delegate} label="your delegate" />
          )}
        </dd>
        <dt>Your voting power, with delegated votes</dt>
        <dd>
          <Open wei={mine.votesWei} />
        </dd>
      </dl>
      {!isOwn && (
        <div class="row">
          <Button isMain isBusy={action.isBusy} onClick={() => void delegate(mine.address)}>
            Vote with my own OPEN
          </Button>
          <span class="soft">One transaction. Your OPEN stays in your wallet.</span>
        </div>
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (isAddress(text)) void delegate(getAddress(text));
        }}
      >
        <Field
          label="Delegate to someone else"
          placeholder="0x…"
          value={text}
          onInput={setText}
          isDisabled={action.isBusy}
          problem={isWrong ? "Enter an Ethereum address: 0x and 40 hexadecimal digits." : null}
        />
        <div class="row">
          <Button type="submit" isBusy={action.isBusy} isDisabled={!isAddress(text)}>
            Delegate
          </Button>
        </div>
      </form>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </section>
  );
}
