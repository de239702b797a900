/**
 * Conversation as the ask page, adapters and the factory's jobs show it: turns, the answer under way, and the form of the next
 * question. The callers ask and pay.
 */
import { type ComponentChildren, Fragment, type VNode } from "preact";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import type { Action } from "../ledger/use-action.ts";
import { RowText } from "../rows/row-text.tsx";
import { Part } from "../words/part.tsx";
import { ProblemNotice } from "../words/problem.tsx";

/** A question and its answer. */
export interface ChatTurn {
  readonly key: string | number;
  readonly question: string;
  readonly answer: ComponentChildren;
}

/** An answer that still comes. */
export interface PendingTurn {
  readonly question: string;
  /** Words so far, without Markdown. */
  readonly soFar: string;
  /** Why these words are no answer yet. */
  readonly note: string;
}

interface ChatProps {
  /** Oldest first. */
  readonly turns: readonly ChatTurn[];
  readonly pending?: PendingTurn | null;
  /** Shown between the conversation and the next question. */
  readonly afterTurns?: ComponentChildren;
  /** The next question. */
  readonly question: string;
  readonly onQuestion: (question: string) => void;
  readonly label: string;
  readonly placeholder?: string;
  readonly help?: ComponentChildren;
  readonly lineCount: number;
  /** Shown in place of the text field, for questions that are no texts. */
  readonly questionInput?: ComponentChildren;
  /** Shows a question; default: its text. */
  readonly Question?: (props: { text: string }) => VNode;
  readonly asking: Action;
  readonly onAsk: () => void;
  /** Label of the button. */
  readonly buttonLabel: string;
  /** True if a question can be asked now; an empty one never can. */
  readonly isAskable?: boolean;
  /** Shown beside the button. */
  readonly price?: ComponentChildren;
  /** Shown in place of the button: what has to be done before a question can be asked. */
  readonly instead?: ComponentChildren;
  /** Notices above the button. */
  readonly notices?: ComponentChildren;
  /** Shown below the button. */
  readonly children?: ComponentChildren;
}

/** A conversation with a model: questions with their answers, and a form for the next question. */
export function Chat(props: ChatProps) {
  const { afterTurns, asking, buttonLabel, children, instead, isAskable = true, notices, onAsk } = props;
  const { pending = null, price, question, turns } = props;
  const { Question = QuestionText, questionInput } = props;
  const canAsk = isAskable && question.trim() !== "";
  return (
    <>
      {turns.length > 0 && (
        <div class="stack" role="log" aria-label="Conversation">
          {turns.map((turn) => (
            <Fragment key={turn.key}>
              <Part>
                <Question text={turn.question} />
              </Part>
              <Part>{turn.answer}</Part>
            </Fragment>
          ))}
        </div>
      )}
      {turns.length > 0 && afterTurns}
      {pending !== null && (
        <>
          <Part>
            <Question text={pending.question} />
          </Part>
          {pending.soFar !== "" && <SoFar {...pending} />}
        </>
      )}
      <form
        class="card stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (canAsk && instead === undefined) onAsk();
        }}
      >
        {questionInput !== undefined ? (
          <Part>{questionInput}</Part>
        ) : (
          <Field
            label={props.label}
            value={question}
            onInput={props.onQuestion}
            lineCount={props.lineCount}
            help={props.help}
            isDisabled={asking.isBusy}
            {...(props.placeholder !== undefined && { placeholder: props.placeholder })}
          />
        )}
        {notices}
        {instead ?? (
          <div class="row">
            <Button isMain type="submit" isBusy={asking.isBusy} isDisabled={!canAsk}>
              {buttonLabel}
            </Button>
            {price !== undefined && <span class="soft">{price}</span>}
          </div>
        )}
        {asking.problem !== null && <ProblemNotice problem={asking.problem} />}
        {children}
      </form>
    </>
  );
}

function QuestionText({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long question scrolls, by keys too
    <p class="asked" tabIndex={0}>
      <span class="visually-hidden">You asked: </span>
      <RowText text={text} />
    </p>
  );
}

/** Words as they come. Their checks come with the answer. */
function SoFar({ note, soFar }: PendingTurn) {
  return (
    <section class="card stack" aria-label="The answer so far">
      <div class="row">
        <h2>The answer so far</h2>
        <span class="push" />
        <Badge tone="wait">{note}</Badge>
      </div>
      <blockquote class="said-text">{soFar}</blockquote>
    </section>
  );
}

/** An answer that nobody is paid for and nothing is proven of. */
export function FreeAnswer({ text }: { text: string }) {
  return (
    <section class="card stack" aria-label="Answer">
      <div class="row">
        <h2>The answer</h2>
        <span class="push" />
        <Badge tone="plain">free, not attributed</Badge>
      </div>
      <blockquote class="said-text">{text === "" ? "(nothing)" : text}</blockquote>
    </section>
  );
}
