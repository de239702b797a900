/**
 * Button and dialog by which a contributor withdraws a row from a Datanet, and the words about what cannot be undone, which
 * contributors read before they contribute, too.
 */
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { useRef, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import type { Visitor } from "../hosts/keys/visitor.ts";
import { useAction } from "../ledger/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";

/** List of what a withdrawal does not undo. */
export function CannotBeUndone() {
  return (
    <ul>
      <li>Copies that others have made of the row cannot be called back.</li>
      <li>Its hash stays public, as do the roots on Ethereum and your reason.</li>
      <li>Models that were trained on it stay as they are. What the row has earned stays earned.</li>
    </ul>
  );
}

interface WithdrawRowProps {
  readonly visitor: Visitor;
  readonly place: HostedDatanetLocation;
  /** SHA-256 of the row. */
  readonly digest: string;
  readonly onDone: () => void;
}

/** Withdraws a row of the visitor's account, after a dialog; the ledger key is unlocked where it is not yet. */
export function WithdrawRow({ digest, onDone, place, visitor }: WithdrawRowProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [note, setNote] = useState("");
  const { isBusy, problem, run } = useAction();
  const withdraw = () =>
    run(async () => {
      const { withdrawRow } = await import("@openledger/client/datanets/withdrawals");
      const client = visitor.client ?? (await visitor.unlock());
      await withdrawRow(client, { ...place, row: digest, note, from: client.leafId! });
      dialog.current?.close();
      onDone();
    });
  return (
    <>
      <Button isSmall onClick={() => dialog.current?.showModal()}>
        Withdraw
      </Button>
      <dialog ref={dialog} class="dialog" aria-label="Withdraw this row">
        <div class="stack">
          <p class="dialog-title">Withdraw this row?</p>
          <p>
            The host erases its content at once, and the next version of the Datanet leaves it out. You cannot
            take this back.
          </p>
          <CannotBeUndone />
          <Field
            label="Reason (public, may be empty)"
            value={note}
            onInput={setNote}
            lineCount={2}
            isDisabled={isBusy}
          />
          {problem !== null && <ProblemNotice problem={problem} />}
          <div class="row">
            <Button isMain isBusy={isBusy} onClick={() => void withdraw()}>
              Withdraw for good
            </Button>
            <Button isDisabled={isBusy} onClick={() => dialog.current?.close()}>
              Keep the row
            </Button>
          </div>
        </div>
      </dialog>
    </>
  );
}
