/**
 * Part "Compare" of a job's page: base and tuned model answer the same prompts, the builder's own or those of held-out rows,
 * with losses in nats a token.
 */
import { compareJob, type JobComparison } from "@openledger/models/factory/job-words";
import { useEffect, useState } from "preact/hooks";
import { useAction } from "../../ledger/use-action.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { AnswerPair } from "./answer-pair.tsx";
import type { JobPartProps } from "./job-part.ts";
import { OtherJobs } from "./other-jobs.tsx";
import { TryModel } from "./try-model.tsx";

/** A model beside its base, where it has one, and beside the account's other models of the same rows. */
export function ComparePart(props: JobPartProps) {
  return (
    <>
      <TryModel {...props} />
      {props.job.form.use === "write" && <HeldOut {...props} />}
      <OtherJobs {...props} />
    </>
  );
}

/** The base and the tuned model side by side on held-out rows. */
function HeldOut({ factorySession, job }: JobPartProps) {
  const [found, setFound] = useState<JobComparison | null>(null);
  const looking = useAction();
  useEffect(() => {
    void looking.run(async () =>
      setFound(await compareJob(factorySession.factory, job.id, { prompts: null })),
    );
  }, [job.id]);
  return (
    <section class="card stack" aria-label="On held-out rows">
      <h2>Held-out rows</h2>
      {looking.problem !== null && <ProblemNotice problem={looking.problem} />}
      {found === null ? (
        looking.problem === null && <p class="soft">Both models are answering …</p>
      ) : found.answers.length === 0 ? (
        <p class="soft">No rows were held out, so there is nothing to compare. Try your own prompts.</p>
      ) : (
        <>
          {found.verdict !== null && <p>{found.verdict}</p>}
          {found.answers.some(({ citedRows }) => citedRows.length > 0) && (
            <p class="soft small">
              The tuned model was not trained on these rows, but it finds and cites them like all others. What
              training has taught shows in the loss.
            </p>
          )}
          {found.answers.map((answer) => (
            <article key={answer.prompt} class="pair stack-s">
              <p>
                <strong>{answer.prompt}</strong>
              </p>
              <AnswerPair {...answer} />
            </article>
          ))}
        </>
      )}
    </section>
  );
}
