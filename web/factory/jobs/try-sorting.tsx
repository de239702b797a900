/** Section of a sorting model's page: a text of one's own, and the label that the model gives it, for free. */
import { useState } from "preact/hooks";
import { useAction } from "../../bridge/use-action.ts";
import { Chat } from "../../chat/chat.tsx";
import { Badge } from "../../design/badge.tsx";
import { jobHref } from "../factory-links.ts";
import { useFactory } from "../use-factory.ts";
import type { JobPartProps } from "./job-part.ts";

interface Sorted {
  readonly prompt: string;
  readonly label: string;
}

/** Free questions to the model at the factory; rows that are no texts are asked in the paid chat. */
export function TrySorting({ factorySession, job }: JobPartProps) {
  const { value: dataset } = useFactory(`dataset ${job.datasetId}`, () =>
    factorySession.factory.dataset(job.datasetId),
  );
  const [turns, setTurns] = useState<readonly Sorted[]>([]);
  const [prompt, setPrompt] = useState("");
  const asking = useAction();
  const ask = () =>
    asking.run(async () => {
      const { answers } = await factorySession.factory.compare(job.id, {
        prompts: [prompt],
        answerTokens: 1,
      });
      setTurns((before) => [...before, ...answers.map((one) => ({ prompt: one.prompt, label: one.tuned! }))]);
      setPrompt("");
    });
  if (dataset === undefined) return null;
  if (dataset.rowKind !== "text") {
    return (
      <p>
        Serve the model, then <a href={jobHref(job.id, "chat")}>ask it with a row of your own</a>.
      </p>
    );
  }
  return (
    <section class="stack" aria-label="Try it">
      <h2>Try it</h2>
      <Chat
        turns={turns.map(({ label, prompt: question }, i) => ({
          key: i,
          question,
          answer: (
            <section class="card" aria-label="Answer">
              <Badge tone="good">{label}</Badge>
            </section>
          ),
        }))}
        question={prompt}
        onQuestion={setPrompt}
        label="A text to sort"
        lineCount={4}
        help="Nothing is paid, and no one else sees it."
        asking={asking}
        onAsk={() => void ask()}
        buttonLabel="Sort it"
      />
    </section>
  );
}
