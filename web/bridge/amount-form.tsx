/**
 * Form of an amount of OPEN, as the deposit, transfer and withdrawal forms of the bridge page fill it. Amounts are typed in OPEN
 * and passed in wei.
 */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { ComponentChildren } from "preact";
import { Button } from "../design/button.tsx";
import { FactList } from "../design/fact-list.tsx";
import { Field } from "../design/field.tsx";
import type { Action } from "../ledger/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";
import type { TypedAmount } from "./amount.ts";

interface AmountFormProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly amount: TypedAmount;
  /** Maximum that can be moved; "Max" fills it in. */
  readonly maxWei: bigint;
  readonly help: ComponentChildren;
  readonly action: Action;
  readonly onSubmit: () => void;
  readonly isReady: boolean;
  readonly submitLabel: string;
  readonly busyLabel: string;
  /** Fields before the amount. */
  readonly before?: ComponentChildren;
  /** Choices below the amount. */
  readonly after?: ComponentChildren;
  /** Costs, and the amount that arrives: pairs of label and value. */
  readonly summary: readonly (readonly [ComponentChildren, ComponentChildren])[];
}

/** Common part of the three forms: an amount, its summary, and a button. */
export function AmountForm(props: AmountFormProps) {
  const { text, onText, amount, maxWei, help, action, onSubmit, isReady, before, summary } = props;
  const submit = (event: Event) => {
    event.preventDefault();
    if (isReady && !action.isBusy) onSubmit();
  };
  return (
    <form class="stack" onSubmit={submit} noValidate>
      {before}
      <Field
        isLarge
        label="Amount"
        inputMode="decimal"
        placeholder="0.0"
        value={text}
        onInput={onText}
        problem={amount.problem}
        help={help}
        isDisabled={action.isBusy}
        after={
          <>
            <span class="soft">OPEN</span>
            <Button
              isSmall
              isDisabled={action.isBusy || maxWei <= 0n}
              onClick={() => onText(formatOpen(maxWei))}
            >
              Max
            </Button>
          </>
        }
      />
      {props.after}
      <FactList isSmall facts={summary} />
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
      <Button type="submit" isMain isWide isBusy={action.isBusy} isDisabled={!isReady}>
        {action.isBusy ? props.busyLabel : props.submitLabel}
      </Button>
    </form>
  );
}
