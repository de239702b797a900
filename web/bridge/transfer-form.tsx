import { floorAmount } from "@openledger/circuits/ledger/amount-float";
import { clientError } from "@openledger/client/client-errors";
import { findLeaves, getLeaf } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { useEffect, useState } from "preact/hooks";
import { type Address, isAddress } from "viem";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { ensAddressOf, isEnsName } from "../ledger/ens.ts";
import { mainAccount } from "../ledger/holdings.ts";
import { journeys } from "../ledger/journey-store.ts";
import { type Session, session } from "../ledger/session.ts";
import { showDuration, showOpen } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { problemOf } from "../words/problem.tsx";
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
  /** Read once more before it is sent. */
  const [isReviewed, setReviewed] = useState(false);
  const action = useAction();
  const account = mainAccount(owned);
  const found = useRecipient(recipient, account?.id);
  if (account === null) return <NoAccountYet />;
  if (session.value!.isContract) return <NoLedgerKey />;
  const feeWei = feeOf("transfer", fees, info);
  // Ten significant digits: what a transfer's 40 bits hold.
  const maxWei = floorAmount(account.balanceWei - feeWei);
  const amount = readAmount(text, { maxWei, maxWhy: "that is all your account has, after the fee" });
  const needsReview = amount.wei !== null && amount.wei >= REVIEWED_WEI && !isReviewed;
  const change = (set: (value: string) => void) => (value: string) => {
    set(value);
    setReviewed(false);
  };
  const submit = () =>
    action.run(async () => {
      const leaf = found.leaf!;
      const to = { to: leaf.id, expectedOwner: leaf.l1Owner };
      await startTransfer(session.value!, owned, { ...to, amountWei: amount.wei! });
      setText("");
      setReviewed(false);
      live.ring();
    });
  const estimates = live.status.value?.estimates;
  return (
    <AmountForm
      before={
        <Field
          label="To"
          placeholder="account number, 0x address or ENS name"
          value={recipient}
          onInput={change(setRecipient)}
          problem={found.problem}
          help={<Recipient {...found} />}
          isDisabled={action.isBusy}
        />
      }
      text={text}
      onText={change(setText)}
      amount={amount}
      maxWei={maxWei}
      help={`Your account holds ${showOpen(account.balanceWei)} OPEN.`}
      action={action}
      onSubmit={() => (needsReview ? setReviewed(true) : void submit())}
      isReady={amount.wei !== null && amount.problem === null && found.leaf !== null}
      submitLabel={
        needsReview ? "Review" : isReviewed ? `Transfer ${showOpen(amount.wei ?? 0n)} OPEN now` : "Transfer"
      }
      after={
        isReviewed &&
        found.leaf !== null && (
          <Notice tone="wait" title={`You are sending ${showOpen(amount.wei ?? 0n)} OPEN.`}>
            <p>
              To account <LeafLink id={found.leaf.id} />, owned by {found.leaf.l1Owner}. A transfer cannot be
              undone.
            </p>
          </Notice>
        )
      }
      busyLabel="Sending …"
      summary={[
        ["Fee, at most", <Open wei={feeWei} />],
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

/** From here on a transfer is shown once more before it is signed. */
const REVIEWED_WEI = 100n * 10n ** 18n;
const TYPING_MS = 250;

interface FoundRecipient {
  readonly leaf: LedgerLeaf | null;
  readonly problem: string | null;
  readonly isLooking: boolean;
}

const NOBODY: FoundRecipient = { leaf: null, problem: null, isLooking: false };

/** Whose account a text names, looked up while it is typed. */
function useRecipient(text: string, ownId: number | undefined): FoundRecipient {
  const [found, setFound] = useState(NOBODY);
  const wanted = text.trim();
  useEffect(() => {
    if (!isRecipient(wanted)) {
      setFound(
        wanted === ""
          ? NOBODY
          : { ...NOBODY, problem: "Enter an account's number, an address (0x…), or an ENS name." },
      );
      return;
    }
    let isOver = false;
    setFound({ ...NOBODY, isLooking: true });
    const timer = setTimeout(() => {
      findRecipient(session.value!, wanted, ownId).then(
        (leaf) => {
          if (!isOver) setFound({ ...NOBODY, leaf });
        },
        (error: unknown) => {
          if (!isOver) setFound({ ...NOBODY, problem: problemOf(error).message });
        },
      );
    }, TYPING_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [wanted, ownId]);
  return found;
}

function Recipient({ isLooking, leaf }: FoundRecipient) {
  if (leaf === null) return <>{isLooking ? "Looking for the account …" : ""}</>;
  const isKnown = journeys.value.some(({ toLeaf }) => toLeaf === leaf.id);
  return (
    <>
      {leaf.kind === "account" ? "Account" : leaf.kind === "model" ? "Model" : "Datanet"}{" "}
      <LeafLink id={leaf.id} />, owned by {leaf.l1Owner.slice(0, 8)}…{leaf.l1Owner.slice(-6)}
      {isKnown && ", paid before from this browser"}
    </>
  );
}

const isRecipient = (text: string) =>
  /^\d{1,8}$/.test(text) || isAddress(text, { strict: false }) || isEnsName(text);

/** The account that a text names. @throws CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID */
async function findRecipient(
  { client }: Session,
  text: string,
  ownId: number | undefined,
): Promise<LedgerLeaf> {
  if (/^\d+$/.test(text)) return getLeaf(client, Number(text));
  const named = isEnsName(text) ? await ensAddressOf(client.l1, client.chain.id, text.toLowerCase()) : text;
  if (named === null)
    throw clientError("CLI_LEAF_NOT_FOUND", `no one has the name ${text} on ${client.chain.name}`);
  const leaves = await findLeaves(client, { owner: named as Address });
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
