import { floorAmount } from "@openledger/circuits/ledger/amount-float";
import { clientError } from "@openledger/client/client-errors";
import { findLeaves, getLeaf } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { useState } from "preact/hooks";
import { isAddress } from "viem";
import { Field } from "../design/field.tsx";
import { mainAccount } from "../ledger/holdings.ts";
import { type Session, session } from "../ledger/session.ts";
import { showDuration, showOpen } from "../words/format.ts";
import { Term } from "../words/term.tsx";
import { readAmount } from "./amount.ts";
import { AmountForm } from "./amount-form.tsx";
import { NoLedgerKey } from "./contract-wallet.tsx";
import { type FormProps, feeOf, NoAccountYet } from "./form-parts.tsx";
import { startTransfer } from "./start.ts";
import { useAction } from "./use-action.ts";

export function TransferForm({ live, info, owned, fees }: FormProps) {
  const [text, setText] = useState("");
  const [recipient, setRecipient] = useState("");
  const action = useAction();
  const account = mainAccount(owned);
  if (account === null) return <NoAccountYet />;
  if (session.value!.isContract) return <NoLedgerKey />;
  const feeWei = feeOf("transfer", fees, info);
  // Ten significant digits: what a transfer's 40 bits hold.
  const maxWei = floorAmount(account.balanceWei - feeWei);
  const amount = readAmount(text, { maxWei, maxWhy: "your account holds no more, the fee counted in" });
  const recipientProblem =
    recipient.trim() === "" || isRecipient(recipient)
      ? null
      : "Write an account's number, or an address (0x…).";
  const submit = () =>
    action.run(async () => {
      const leaf = await findRecipient(session.value!, recipient.trim(), account.id);
      const to = { to: leaf.id, expectedOwner: leaf.l1Owner };
      await startTransfer(session.value!, owned, { ...to, amountWei: amount.wei! });
      setText("");
      live.ring();
    });
  const estimates = live.status.value?.estimates;
  return (
    <AmountForm
      before={
        <Field
          label="To"
          placeholder="account number or 0x address"
          value={recipient}
          onInput={setRecipient}
          problem={recipientProblem}
          isDisabled={action.isBusy}
        />
      }
      text={text}
      onText={setText}
      amount={amount}
      maxWei={maxWei}
      help={`Your account holds ${showOpen(account.balanceWei)} OPEN.`}
      action={action}
      onSubmit={() => void submit()}
      isReady={amount.wei !== null && amount.problem === null && isRecipient(recipient)}
      submitLabel="Transfer"
      busyLabel="Sending …"
      summary={[
        ["Fee, at most", `${showOpen(feeWei)} OPEN`],
        [<Term name="accepted">Accepted</Term>, "at once"],
        [
          <Term name="posted">On Ethereum</Term>,
          estimates === undefined
            ? "–"
            : `in about ${showDuration(estimates.closeMs + estimates.proveMs + estimates.postMs)}`,
        ],
      ]}
    />
  );
}

const isRecipient = (text: string) =>
  /^\d{1,8}$/.test(text.trim()) || isAddress(text.trim(), { strict: false });

/** The account that a text names. @throws CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID */
async function findRecipient({ client }: Session, text: string, ownId: number): Promise<LedgerLeaf> {
  if (/^\d+$/.test(text)) return getLeaf(client, Number(text));
  const leaves = await findLeaves(client, { owner: text as `0x${string}` });
  const accounts = leaves.filter(({ kind, id }) => kind === "account" && id !== ownId);
  const [only] = accounts;
  if (only === undefined) throw clientError("CLI_LEAF_NOT_FOUND", `${text} has no account in the ledger`);
  if (accounts.length > 1) {
    const ids = accounts.map(({ id }) => id).join(", ");
    throw clientError("CLI_INPUT_INVALID", `${text} has the accounts ${ids}`, {
      data: { reason: "leaf-ambiguous" },
    });
  }
  return only;
}
