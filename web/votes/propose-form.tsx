/**
 * Form "Propose a payment" of the votes page: a holder with enough votes proposes to pay OPEN of the treasury to a leaf or an
 * Ethereum address.
 */

import type { GovernedCall } from "@openledger/client/governance/governance";
import {
  describeCall,
  payFromTreasury,
  withdrawFromTreasury,
} from "@openledger/client/governance/governed-calls";
import { rollupContract } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { useState } from "preact/hooks";
import { getAddress, isAddress } from "viem";
import { readAmount } from "../bridge/amount.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import type { Live } from "../ledger/live.ts";
import { useAction } from "../ledger/use-action.ts";
import { useLatest } from "../ledger/use-latest.ts";
import { showOpen } from "../words/format.ts";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import type { Votes } from "./read-votes.ts";
import { onRollupChain } from "./send-vote.ts";

type Where = "leaf" | "l1";

/** A forced operation asks eight base fees at most, in a queue that others have filled. */
const HIGHEST_QUEUE_FACTOR = 8n;

export function ProposeForm({ live, votes }: { votes: Votes; live: Live }) {
  const [where, setWhere] = useState<Where>("leaf");
  const [to, setTo] = useState("");
  const [amountText, setAmountText] = useState("");
  const [title, setTitle] = useState("");
  const [words, setWords] = useState("");
  /** Draft of the proposal, to be read before it is sent. */
  const [draft, setDraft] = useState<readonly GovernedCall[] | null>(null);
  const action = useAction();
  const begin = useLatest();
  const { client, contracts, governance, mine, thresholdWei, treasuryWei } = votes;
  if (mine === null) return null;
  const amount = readAmount(amountText, {
    maxWei: treasuryWei ?? 2n ** 96n,
    maxWhy: "the balance of the treasury",
  });
  const isTarget = where === "leaf" ? /^\d{1,8}$/.test(to) : isAddress(to);
  const isReady = isTarget && amount.wei !== null && amount.problem === null && title.trim() !== "";
  const change = (set: (text: string) => void) => (text: string) => {
    set(text);
    setDraft(null);
  };
  const prepare = () =>
    action.run(async () => {
      const isLatest = begin();
      const call = { ...rollupContract(client), functionName: "queueBaseFeeWei" } as const;
      const maxFeeWei = HIGHEST_QUEUE_FACTOR * (await client.l1.readContract(call));
      const amountWei = amount.wei!;
      let calls: readonly GovernedCall[];
      if (where === "l1")
        calls = withdrawFromTreasury(contracts, { recipient: getAddress(to), amountWei, maxFeeWei });
      else {
        const { id, l1Owner } = await getLeaf(client, Number(to));
        calls = payFromTreasury(contracts, { to: id, expectedOwner: l1Owner, amountWei, maxFeeWei });
      }
      // What is shown is what the fields say now.
      if (isLatest()) setDraft(calls);
    });
  const propose = () =>
    action.run(async () => {
      await onRollupChain(votes);
      await governance.propose(draft!, `${title.trim()}\n\n${words.trim()}`.trim());
      setTo("");
      setAmountText("");
      setTitle("");
      setWords("");
      setDraft(null);
      live.ring();
    });
  return (
    <section class="card stack" aria-label="Propose a payment">
      <h2>Propose a payment</h2>
      {mine.votesWei < thresholdWei && (
        <Notice tone="wait" title={`You need ${showOpen(thresholdWei)} votes to propose.`}>
          <p>
            You have <Open wei={mine.votesWei} isBare />.
          </p>
        </Notice>
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void (draft === null ? prepare() : propose());
        }}
      >
        <Choice<Where>
          label="To"
          value={where}
          onChoose={(name) => {
            begin();
            setWhere(name);
            setDraft(null);
          }}
          options={[
            { name: "leaf", label: "an account in the ledger" },
            { name: "l1", label: "an address on Ethereum" },
          ]}
        />
        <Field
          label={where === "leaf" ? "The account's number" : "The address"}
          value={to}
          onInput={change(setTo)}
          isDisabled={action.isBusy}
          problem={
            to === "" || isTarget
              ? null
              : where === "leaf"
                ? "Enter a number."
                : "Enter 0x and 40 hexadecimal digits."
          }
        />
        <Field
          label="Amount"
          value={amountText}
          inputMode="decimal"
          onInput={change(setAmountText)}
          isDisabled={action.isBusy}
          after="OPEN"
          problem={amount.problem}
        />
        <Field label="Title" value={title} onInput={change(setTitle)} isDisabled={action.isBusy} />
        <Field
          label="What it is for"
          value={words}
          onInput={change(setWords)}
          isDisabled={action.isBusy}
          lineCount={4}
          help="Public and permanent on Ethereum."
        />
        {draft !== null && (
          <Notice tone="wait" title="You would propose:">
            <ol class="votes-calls">
              {draft.map((call, i) => (
                <li key={i}>{describeCall(call, contracts).words}.</li>
              ))}
            </ol>
          </Notice>
        )}
        <div class="row">
          <Button type="submit" isMain={draft !== null} isBusy={action.isBusy} isDisabled={!isReady}>
            {draft === null ? "Show what it does" : "Propose it"}
          </Button>
        </div>
      </form>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </section>
  );
}
