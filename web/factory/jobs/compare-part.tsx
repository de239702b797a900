import type { FactoryComparison } from "@openledger/models/factory/factory-api";
import { useEffect, useState } from "preact/hooks";
import { type Action, useAction } from "../../bridge/use-action.ts";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { Field } from "../../design/field.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import type { FactorySession } from "../factory-session.ts";
import type { JobPartProps } from "./job-part.ts";

type Answers = FactoryComparison["answers"];

const ANSWER_TOKENS = 48;

/** @param prompts null: those of held-out rows */
async function compare(
  factorySession: FactorySession,
  jobId: string,
  prompts: string[] | null,
): Promise<Answers> {
  return (await factorySession.factory.compare(jobId, { prompts, answerTokens: ANSWER_TOKENS })).answers;
}

/** The base and the tuned model side by side. */
export function ComparePart({ factorySession, job }: JobPartProps) {
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
      setOwn((before) => [...answers, ...before]);
      setPrompt("");
    });
  return (
    <>
      <section class="card stack" aria-label="Try it">
        <h2>Try it</h2>
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (prompt.trim() !== "") void attempt();
          }}
        >
          <Field
            label="Your prompt"
            value={prompt}
            onInput={setPrompt}
            lineCount={2}
            help="Both models get it. Nothing is paid, and no one else sees it."
          />
          <div class="row">
            <Button isMain type="submit" isBusy={trying.isBusy} isDisabled={prompt.trim() === ""}>
              Ask both
            </Button>
          </div>
          {trying.problem !== null && <ProblemNotice problem={trying.problem} />}
        </form>
        {own.map((answer, i) => (
          <Pair key={own.length - i} {...answer} />
        ))}
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
      <h2>On rows that it has never seen</h2>
      {looking.problem !== null && <ProblemNotice problem={looking.problem} />}
      {answers === null ? (
        looking.problem === null && <p class="soft">Both models answer …</p>
      ) : answers.length === 0 ? (
        <p class="soft">No rows were held out, so there is nothing to measure on. Try prompts of your own.</p>
      ) : (
        <>
          {measured.length > 0 && (
            <p>
              The tuned model beats its base on <strong>{better}</strong> of {measured.length} unseen rows.
            </p>
          )}
          {answers.map((answer) => (
            <Pair key={answer.prompt} {...answer} />
          ))}
        </>
      )}
    </section>
  );
}

function Pair({ base, baseLoss, expected, prompt, tuned, tunedLoss }: Answers[number]) {
  const isBetter = baseLoss !== null && tunedLoss !== null && tunedLoss < baseLoss;
  return (
    <article class="pair stack-s">
      <p>
        <strong>{prompt}</strong>
      </p>
      {expected !== null && (
        <p class="small soft">
          In the row: <span class="pair-expected">{expected}</span>
        </p>
      )}
      <div class="columns">
        <Side name="Base" text={base} loss={baseLoss} />
        <Side name="Tuned" text={tuned} loss={tunedLoss} isBetter={isBetter} />
      </div>
    </article>
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
        {loss !== null && <Badge tone={isBetter ? "good" : "plain"}>{loss.toFixed(3)} nats a token</Badge>}
      </figcaption>
      <blockquote class="run-said">{text === "" ? "(nothing)" : text}</blockquote>
    </figure>
  );
}
