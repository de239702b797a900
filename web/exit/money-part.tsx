/**
 * Second step of the exit page: lists what the wallet's address owns (in wei, from a ledger rebuilt in the page) and takes it
 * out, by proofs once the rollup is frozen, by forced withdrawals before.
 */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { forceOperations } from "@openledger/client/tasks/force-operations";
import { describeItem, type ExitItem, type LeafItem } from "@openledger/verifier/exits/exit-plan";
import type { LeaveResult } from "@openledger/verifier/exits/leave";
import { checkForced } from "@openledger/verifier/without-operator/forced-check";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { DataTable } from "../design/data-table.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { useAction } from "../ledger/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import type { Access, Account } from "./access.ts";
import { storeSentExit } from "./sent-store.ts";
import type { Money } from "./use-exit.ts";

interface MoneyProps {
  readonly access: Access;
  readonly account: Account;
  readonly money: Money;
  /** Called after each transaction that was sent. */
  readonly onSent: () => void;
}

/** Amounts that the rollup owes the wallet's address, piece by piece, and the buttons that take them out. */
export function MoneyPart({ access, account, money, onSent }: MoneyProps) {
  const { doing, problem, value } = money;
  return (
    <section class="card stack" aria-label="Your money">
      <h2>Your money</h2>
      <p>
        Of <Identifier value={account.address} label="your address" />, from Ethereum's own records. Your
        browser rebuilt the whole ledger, and its root matches the contract.
      </p>
      <p role="status" class="soft">
        {doing === null ? "" : `${doing.charAt(0).toUpperCase()}${doing.slice(1)} …`}
      </p>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value !== null && (
        <Owed access={access} account={account} money={money} value={value} onSent={onSent} />
      )}
      {value === null && doing === null && <Button onClick={() => void money.run(null)}>Refresh</Button>}
    </section>
  );
}

interface Row {
  readonly name: string;
  readonly what: string;
  readonly amountWei: bigint;
  readonly state: "in the rollup" | "finalizable" | "has left";
}

function Owed({ access, account, money, value, onSent }: MoneyProps & { value: LeaveResult }) {
  const { isFrozen, items, pending } = value;
  const finalizing = useAction();
  const rows = rowsOf(value);
  if (rows.length === 0) {
    return (
      <Notice tone="info" title="This address owns nothing in this rollup.">
        <p>
          If your wallet has several accounts, select the one that owns the money and connect again. Recent
          money may not be in a batch on Ethereum yet.
        </p>
      </Notice>
    );
  }
  const isDone = items.every(({ isTaken }) => isTaken) && pending.length === 0;
  const finalizeWithdrawal = () =>
    finalizing.run(async () => {
      await access.rollup.finalizeWithdrawal(account.sender, account.address);
      await money.run(null);
    });
  return (
    <>
      <DataTable caption="What is yours" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} empty="" />
      {isDone && (
        <Notice tone="good" title="Your money has left this rollup.">
          <p>All of it was paid out to your address on Ethereum.</p>
        </Notice>
      )}
      {!isDone && isFrozen && (
        <>
          <p class="soft">
            This page makes the proofs, a few seconds each. Your wallet asks before each transaction, and the
            money goes to the owner in the ledger. If you close the page, open it again to continue.
          </p>
          <div class="row">
            <Button
              isMain
              isBusy={money.doing !== null}
              onClick={() => void money.run(account.sender).then(onSent)}
            >
              Take everything out
            </Button>
          </div>
        </>
      )}
      {!isFrozen && pending.length > 0 && (
        <div class="row">
          <Button isMain isBusy={finalizing.isBusy} onClick={() => void finalizeWithdrawal()}>
            Finalize what is ready
          </Button>
        </div>
      )}
      {finalizing.problem !== null && <ProblemNotice problem={finalizing.problem} />}
      {!isFrozen && items.some(isAccount) && (
        <Forced
          access={access}
          account={account}
          accounts={items.filter(isAccount)}
          money={money}
          onSent={onSent}
        />
      )}
    </>
  );
}

const isAccount = (item: ExitItem): item is LeafItem => item.kind === "leaf" && item.leafKind === "account";

const COLUMNS = [
  { label: "What", cell: ({ what }: Row) => what },
  { label: "OPEN", isNumber: true, cell: ({ amountWei }: Row) => formatOpen(amountWei) },
  {
    label: "Where",
    cell: ({ state }: Row) => <Badge tone={state === "has left" ? "good" : "wait"}>{state}</Badge>,
  },
];

function rowsOf({ items, pending }: LeaveResult): Row[] {
  return [
    ...items.map(
      (item): Row => ({
        name: describeItem(item),
        what: describeItem(item),
        amountWei: item.amountWei,
        state: item.isTaken ? "has left" : "in the rollup",
      }),
    ),
    ...pending.map(
      ({ amountWei }): Row => ({
        name: "pending",
        what: "credited by the contract",
        amountWei,
        state: "finalizable",
      }),
    ),
  ];
}

interface ForcedProps {
  readonly access: Access;
  readonly account: Account;
  readonly accounts: readonly LeafItem[];
  readonly money: Money;
  readonly onSent: () => void;
}

/** Forced withdrawal while the rollup runs. No operator can leave it out, and it starts the clock of a freeze. */
function Forced({ access, account, accounts, money, onSent }: ForcedProps) {
  const forcing = useAction();
  const withdraw = (id: number) =>
    forcing.run(async () => {
      const { chainId, rollup } = access;
      const identity = { chainId, rollupAddress: rollup.address };
      const keep = (hash: `0x${string}`) => storeSentExit(identity, account.address, hash);
      // The items that are shown came with a ledger.
      const ledger = async () => money.restored()!;
      await forceOperations(account.client, {
        operations: [{ type: "withdraw", id, amountWei: "all" }],
        check: (entries, owner) => checkForced(entries, owner, { ledger, isUnchecked: false }),
        onSent: keep,
      });
      onSent();
    });
  return (
    <div class="stack-s">
      <h3>Force a withdrawal</h3>
      <p class="soft">
        A <Term name="forced inclusion">forced operation</Term> goes through Ethereum's queue. It burns a
        small fee of OPEN, which your wallet holds on Ethereum. If no batch takes it in time, anyone can
        freeze the rollup.
      </p>
      {accounts.map(({ leafId }) => (
        <div key={leafId} class="row">
          <Button isBusy={forcing.isBusy} onClick={() => void withdraw(leafId)}>
            Force out all of account {leafId}
          </Button>
        </div>
      ))}
      {forcing.problem !== null && <ProblemNotice problem={forcing.problem} />}
    </div>
  );
}
