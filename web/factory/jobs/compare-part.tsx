/**
 * Part "Compare" of a job's page: base and tuned model answer the same prompts, the builder's own or those of held-out rows,
 * with losses in nats a token.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import type { FactoryComparison } from "@openledger/models/factory/factory-api";
import { useEffect, useState } from "preact/hooks";
import { Chat } from "../../chat/chat.tsx";
import { Badge } from "../../design/badge.tsx";
import { type Action, useAction } from "../../ledger/use-action.ts";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import type { FactorySession } from "../factory-session.ts";
import type { JobPartProps } from "./job-part.ts";
import { OtherJobs } from "./other-jobs.tsx";
import { TrySorting } from "./try-sorting.tsx";

type Answers = FactoryComparison["answers"];

/** Text where a model that says rows' answers has none. */
export const NO_ROW_ANSWERS =
  "No row answers this question, so the model gives no answer and nothing is paid.";

/** Maximum tokens of an answer. */
const ANSWER_TOKENS = 48;

/** @param prompts null: those of held-out rows */
async function compare(
  factorySession: FactorySession,
  jobId: string,
  prompts: string[] | null,
): Promise<Answers> {
  return (await factorySession.factory.compare(jobId, { prompts, answerTokens: ANSWER_TOKENS })).answers;
}

/** A model beside its base, where it has one, and beside the account's other models of the same rows. */
export function ComparePart(props: JobPartProps) {
  return (
    <>
      {props.job.form.use === "write" ? <WithBase {...props} /> : <TrySorting {...props} />}
      <OtherJobs {...props} />
    </>
  );
}

/** The base and the tuned model side by side. */
function WithBase({ factorySession, job }: JobPartProps) {
  const [heldOut, setHeldOut] = useState<Answers | null>(null);
  const [own, setOwn] = useState<Answers>([]);
  const [prompt, setPrompt] = useState("");
  const looking = useAction();
  const trying = useAction();
  useEffect(() => {
    void looking.run(async () => setHeldOut(await compare(factorySession, job.id, null)));
  }, [job.id]);
  const attempt = () =>
    trying.run(async () => {
      const answers = await compare(factorySession, job.id, [prompt.trim()]);
      setOwn((before) => [...before, ...answers]);
      setPrompt("");
    });
  return (
    <>
      <section class="stack" aria-label="Try it">
        <h2>Try it</h2>
        <Chat
          turns={own.map((answer, i) => ({
            key: i,
            question: answer.prompt,
            answer: (
              <section class="card stack-s" aria-label="Answers">
                <Pair {...answer} />
              </section>
            ),
          }))}
          question={prompt}
          onQuestion={setPrompt}
          label="Your prompt"
          lineCount={2}
          help="Both models answer it. Nothing is paid, and no one else sees it."
          asking={trying}
          onAsk={() => void attempt()}
          buttonLabel="Ask both"
        />
      </section>
      <HeldOut answers={heldOut} looking={looking} />
    </>
  );
}

function HeldOut({ answers, looking }: { answers: Answers | null; looking: Action }) {
  const measured = (answers ?? []).filter(
    ({ baseLoss, tunedLoss }) => baseLoss !== null && tunedLoss !== null,
  );
  const better = measured.filter(({ baseLoss, tunedLoss }) => tunedLoss! < baseLoss!).length;
  return (
    <section class="card stack" aria-label="On held-out rows">
      <h2>Held-out rows</h2>
      {looking.problem !== null && <ProblemNotice problem={looking.problem} />}
      {answers === null ? (
        looking.problem === null && <p class="soft">Both models are answering …</p>
      ) : answers.length === 0 ? (
        <p class="soft">No rows were held out, so there is nothing to compare. Try your own prompts.</p>
      ) : (
        <>
          {measured.length > 0 && (
            <p>
              The tuned model beats its base model on <strong>{better}</strong> of {measured.length} unseen
              rows.
            </p>
          )}
          {answers.some(({ citedRows }) => citedRows.length > 0) && (
            <p class="soft small">
              The tuned model was not trained on these rows, but it finds and cites them like all others. What
              training has taught shows in the loss.
            </p>
          )}
          {answers.map((answer) => (
            <article key={answer.prompt} class="pair stack-s">
              <p>
                <strong>{answer.prompt}</strong>
              </p>
              <Pair {...answer} />
            </article>
          ))}
        </>
      )}
    </section>
  );
}

function Pair({ base, baseLoss, citedRows, expected, tuned, tunedLoss }: Answers[number]) {
  const isBetter = baseLoss !== null && tunedLoss !== null && tunedLoss < baseLoss;
  return (
    <>
      {expected !== null && (
        <p class="small soft">
          In the row: <span class="pair-expected">{expected}</span>
        </p>
      )}
      <div class="columns">
        <Side name="Base" text={base ?? ""} loss={baseLoss} />
        <Side name="Tuned" text={tuned ?? NO_ROW_ANSWERS} loss={tunedLoss} isBetter={isBetter} />
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
