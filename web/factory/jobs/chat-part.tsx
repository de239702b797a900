/**
 * Part "Chat" of a job's page: paid questions to the registered model through its answer server, and free ones to the job at the
 * factory.
 */
import { useEffect, useState } from "preact/hooks";
import { ModelQuestion } from "../../ask/ask-page.tsx";
import { findRegistered } from "../../ask/listed-adapters.ts";
import { findServedModels, type ServedModel } from "../../ask/served-models.ts";
import { Chat, FreeAnswer } from "../../chat/chat.tsx";
import { Notice } from "../../design/notice.tsx";
import { rollupKey, rollupOf } from "../../ledger/rollup-storage.ts";
import type { Site } from "../../ledger/site.ts";
import { useAction } from "../../ledger/use-action.ts";
import { useAnswer } from "../../ledger/use-answer.ts";
import { jobHref } from "../factory-links.ts";
import { NO_ROW_ANSWERS } from "./compare-part.tsx";
import type { JobPartProps } from "./job-part.ts";

/** Chat with the model: paid if it is registered and served, else for free at the factory. */
export function ChatPart(props: JobPartProps) {
  const { job, live, site } = props;
  const { value: served } = useAnswer(live, "served models", async () =>
    job.modelId === null ? null : servedModel(site, job.modelId),
  );
  return (
    <>
      {served !== undefined && served !== null ? (
        <>
          <p class="soft">
            You pay the model's price and see which rows the answer pays. This page checks the answer before
            you pay.
          </p>
          <ModelQuestion {...props} model={served} />
        </>
      ) : (
        served === null && <NotServed job={job} />
      )}
      {job.form.use === "write" && <FreeChat {...props} />}
    </>
  );
}

/** Finds a model behind a server of its own, or as one of many adapters; null if nobody has it. */
async function servedModel(site: Site, modelId: number): Promise<ServedModel | null> {
  const { models } = await findServedModels(site);
  return models.find((model) => model.modelId === modelId) ?? findRegistered(site, modelId);
}

function NotServed({ job }: Pick<JobPartProps, "job">) {
  return (
    <Notice tone="info" title="Answers that pay rows come from an answer server.">
      <p>
        {job.modelId === null ? (
          <>
            <a href={jobHref(job.id, "register")}>Register the model</a> first.
          </>
        ) : (
          <>
            No server answers for model {job.modelId} yet.{" "}
            <a href={jobHref(job.id, "register")}>Serve it at this factory</a>.
          </>
        )}
      </p>
    </Notice>
  );
}

interface Turn {
  readonly prompt: string;
  readonly text: string;
}

/** Maximum tokens of a free answer. */
const ANSWER_TOKENS = 64;
/** Maximum characters that the base reads without losing the question, whatever its tokens are. */
const MAX_CHARACTERS = 400;

/** Chat with the tuned model at the factory: nothing is paid, and no row earns. */
function FreeChat({ factorySession, job }: JobPartProps) {
  const key = `${rollupKey("chat", rollupOf(factorySession.client))} ${job.id}`;
  const [turns, setTurns] = useState<readonly Turn[]>(
    () => JSON.parse(sessionStorage.getItem(key) ?? "[]") as Turn[],
  );
  useEffect(() => sessionStorage.setItem(key, JSON.stringify(turns)), [key, turns]);
  const [prompt, setPrompt] = useState("");
  const asking = useAction();
  const ask = () =>
    asking.run(async () => {
      const prompts = [prompt.trim().slice(-MAX_CHARACTERS)];
      const { answers } = await factorySession.factory.compare(job.id, {
        prompts,
        answerTokens: ANSWER_TOKENS,
      });
      const turn = { prompt: prompt.trim(), text: answers[0]!.tuned ?? NO_ROW_ANSWERS };
      setTurns((now) => [...now, turn]);
      setPrompt("");
    });
  return (
    <section class="stack" aria-label="Free chat">
      <h2>Try it for free</h2>
      <p class="soft small">The factory answers. Nothing is paid or stored, and no row earns.</p>
      <Chat
        turns={turns.map((turn, i) => ({
          key: i,
          question: turn.prompt,
          answer: <FreeAnswer text={turn.text} />,
        }))}
        question={prompt}
        onQuestion={setPrompt}
        label="Your message"
        lineCount={2}
        asking={asking}
        onAsk={() => void ask()}
        buttonLabel="Send"
      />
    </section>
  );
}
