/** Answers of a job's model and of its base to one prompt, with losses in nats a token where the row's continuation is known. */
import { rowNumber } from "@openledger/foundation/row-number";
import type { ComparedAnswer } from "@openledger/models/factory/job-words";
import { Badge } from "../../design/badge.tsx";
import { showCount } from "../../words/format.ts";

/** Base and tuned model side by side; a model without a base alone. */
export function AnswerPair({
  base,
  baseLoss,
  citedRows,
  expected,
  isBetter,
  tuned,
  tunedLoss,
}: ComparedAnswer) {
  if (base === null) return <Badge tone="good">{tuned}</Badge>;
  return (
    <>
      {expected !== null && (
        <p class="small soft">
          In the row: <span class="pair-expected">{expected}</span>
        </p>
      )}
      <div class="columns">
        <Side name="Base" text={base} loss={baseLoss} />
        <Side name="Tuned" text={tuned} loss={tunedLoss} isBetter={isBetter} />
      </div>
      {citedRows.length > 0 && (
        <p class="small soft">
          The tuned model cites row {citedRows.map((row) => showCount(rowNumber(row))).join(" and row ")}.
        </p>
      )}
    </>
  );
}

interface SideProps {
  readonly name: string;
  readonly text: string;
  readonly loss: number | null;
  readonly isBetter?: boolean;
}

function Side({ isBetter = false, loss, name, text }: SideProps) {
  return (
    <figure class="stack-s">
      <figcaption class="row small soft">
        {name}
        {loss !== null && <Badge tone={isBetter ? "good" : "plain"}>loss {loss.toFixed(2)}</Badge>}
      </figcaption>
      <blockquote class="run-said">{text === "" ? "(nothing)" : text}</blockquote>
    </figure>
  );
}
