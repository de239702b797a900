/**
 * Transfer form of the bridge page: OPEN to another account, named by number, name, address or ENS. Large amounts are shown once
 * more before the key signs.
 */
import { floorAmount } from "@openledger/circuits/ledger/amount-float";
import { useEffect, useState } from "preact/hooks";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { readVisitor } from "../hosts/keys/visitor.ts";
import { whenLive } from "../ledger/ask-again.ts";
import { mainAccount } from "../ledger/holdings.ts";
import { journeys } from "../ledger/journey-store.ts";
import type { Live } from "../ledger/live.ts";
import { session } from "../ledger/session.ts";
import type { Site } from "../ledger/site.ts";
import { useAction } from "../ledger/use-action.ts";
import { showDuration, showOpen } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { Term } from "../words/term.tsx";
import { readAmount } from "./amount.ts";
import { AmountForm } from "./amount-form.tsx";
import { NoLedgerKey } from "./contract-wallet.tsx";
import { type FormProps, feeOf, NoAccountYet } from "./form-parts.tsx";
import { type FoundRecipient, lookUpRecipient, NOBODY } from "./recipient.ts";
import { startTransfer } from "./start.ts";

/** Recipient, amount and fee. Needs an account and its key. */
export function TransferForm({ live, info, owned, fees, site }: FormProps) {
  const [text, setText] = useState("");
  const [recipient, setRecipient] = useState("");
  /** Read once more before it is sent. */
  const [isReviewed, setReviewed] = useState(false);
  const action = useAction();
  const account = mainAccount(owned);
  const found = useRecipient(recipient, { live, ownId: account?.id, site });
  if (account === null) return <NoAccountYet />;
  if (session.value!.isContract) return <NoLedgerKey />;
  const feeWei = feeOf("transfer", fees, info);
  // Ten significant digits: what a transfer's 40 bits hold.
  const maxWei = floorAmount(account.balanceWei - feeWei);
  const amount = readAmount(text, { maxWei, maxWhy: "your balance minus the fee" });
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
          placeholder="name, account number, 0x address or ENS name"
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

/** Amount from which a transfer is shown once more before it is signed. */
const REVIEWED_WEI = 100n * 10n ** 18n;
/** Pause in typing after which the recipient is looked up. */
const TYPING_MS = 250;

/** Looks up the account that a text names, while it is typed. */
function useRecipient(
  text: string,
  { live, ownId, site }: { live: Live; ownId: number | undefined; site: Site },
): FoundRecipient {
  const [found, setFound] = useState(NOBODY);
  const recipientText = text.trim();
  useEffect(() => {
    if (recipientText === "") return setFound(NOBODY);
    let stop = () => {};
    const timer = setTimeout(() => {
      const { client } = session.value!;
      const reader = readVisitor(site, live)?.reader ?? null;
      const search = { client, hostUrls: site.datanetHosts, reader, ownId };
      stop = lookUpRecipient(search, recipientText, setFound, whenLive(live));
    }, TYPING_MS);
    setFound({ ...NOBODY, note: `Looking up ${recipientText} …` });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [recipientText, ownId]);
  return found;
}

function Recipient({ leaf, note }: FoundRecipient) {
  if (leaf === null) return <>{note ?? ""}</>;
  const isKnown = journeys.value.some(({ toLeaf }) => toLeaf === leaf.id);
  return (
    <>
      {leaf.kind === "account" ? "Account" : leaf.kind === "model" ? "Model" : "Datanet"}{" "}
      <LeafLink id={leaf.id} />, owned by {leaf.l1Owner.slice(0, 8)}…{leaf.l1Owner.slice(-6)}
      {isKnown && ", paid before from this browser"}
    </>
  );
}
