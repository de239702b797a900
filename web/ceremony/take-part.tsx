/** From a name to a receipt: the place in the list, the computation in a worker, the upload. */

import { type CeremonyEntry, contributorName } from "@openledger/prover/ceremony/ceremony-api";
import type { Stage } from "@openledger/prover/ceremony/ceremony-client";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import type { Ceremony } from "./ceremony.ts";
import { HandEntropy, WANTED_EVENTS } from "./entropy.ts";
import { runInWorker } from "./run-worker.ts";

/** The place in the list, for a page that is reloaded. It is no secret of the contribution. */
const TICKET_KEY = "ceremony-ticket";

/** Before the coordinator has answered there is no place: a page that is reloaded then has no ticket. */
type Shown = Stage | { readonly name: "asking" };

export function TakePart({ ceremony }: { ceremony: Ceremony }) {
  const [name, setName] = useState("");
  const [stage, setStage] = useState<Shown | null>(null);
  const [entry, setEntry] = useState<CeremonyEntry | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [hands, setHands] = useState(() => new HandEntropy(window));
  const { client, info } = ceremony;
  const run = (ticket: string | null) => {
    setProblem(null);
    setStage({ name: "asking" });
    client
      .takePart({
        name,
        entropy: new Uint8Array(),
        onStage: setStage,
        ...(ticket === null ? {} : { ticket }),
        onTicket: (given) => sessionStorage.setItem(TICKET_KEY, given),
        compute: async (work, onProgress) => {
          const task = { kind: "contribute", work: { ...work, entropy: hands.take() } } as const;
          const made = await runInWorker(task, onProgress);
          if (made.kind !== "contributed") throw new TypeError("the worker did something else");
          return made;
        },
      })
      .then(setEntry, (error: unknown) => {
        setProblem(problemOf(error));
        // A place that was lost is asked for again.
        setHands(new HandEntropy(window));
      })
      .finally(() => {
        sessionStorage.removeItem(TICKET_KEY);
        setStage(null);
      });
  };
  useEffect(() => {
    const ticket = sessionStorage.getItem(TICKET_KEY);
    if (ticket !== null) run(ticket);
  }, []);
  useWarning(stage !== null);

  if (entry !== null) return <Receipt entry={entry} />;
  const nameProblem = contributorName.safeParse(name).error?.issues[0]?.message ?? null;
  return (
    <section class="card stack" aria-label="Take part">
      <h2>Take part</h2>
      {problem !== null && <ProblemNotice problem={problem} />}
      {stage !== null ? (
        <Progress stage={stage} />
      ) : info.state !== "open" ? (
        <p>The ceremony takes no more contributions. All of them are listed below.</p>
      ) : (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (nameProblem === null) run(null);
          }}
        >
          <Field
            label="Name in the public transcript"
            help="A name, a handle or an address; it may stay empty"
            value={name}
            onInput={setName}
            problem={nameProblem}
          />
          <Hands hands={hands} />
          <p class="small soft">
            Your secret is drawn in this browser, used once in its memory, and never stored or sent. Keep this
            page open until it shows your receipt.
          </p>
          <p>
            <Button type="submit" isMain isDisabled={nameProblem !== null}>
              Join the ceremony
            </Button>
          </p>
        </form>
      )}
      {stage?.name === "waiting" && <Hands hands={hands} />}
    </section>
  );
}

function Hands({ hands }: { hands: HandEntropy }) {
  const count = Math.min(hands.count.value, WANTED_EVENTS);
  return (
    <div class="stack-s">
      <label for="hands">Move the pointer or press keys: your hands add to the system's randomness</label>
      <progress id="hands" class="ceremony-progress" max={WANTED_EVENTS} value={count} />
    </div>
  );
}

const SAID = {
  download: "Fetching the key as it is now",
  compute: "Adding your secret: please leave this page open",
  upload: "Sending your contribution",
} as const;

function Progress({ stage }: { stage: Shown }) {
  if (stage.name === "asking") return <p role="status">Asking for your place in the list …</p>;
  if (stage.name === "waiting")
    return (
      <p role="status">
        {stage.place === 0 ? "It is almost your turn." : `In the list: ${stage.place} before you.`} Leave this
        page open.
      </p>
    );
  if (stage.name === "check") return <p role="status">The coordinator checks your contribution …</p>;
  const percent = Math.floor((100 * stage.done) / Math.max(1, stage.total));
  return (
    <div class="stack-s" role="status">
      <label for="progress">
        {SAID[stage.name]}: {percent} %
      </label>
      <progress id="progress" class="ceremony-progress" max={100} value={percent} />
    </div>
  );
}

function Receipt({ entry }: { entry: CeremonyEntry }) {
  return (
    <section class="card stack" aria-label="Your receipt">
      <Notice tone="good" title={`Contribution ${entry.index} is yours. Your secret is gone.`}>
        <p>
          Publish this hash where people know you, then compare it with the transcript once the key is
          finished.
        </p>
      </Notice>
      <p class="ceremony-receipt">{entry.hash}</p>
      <p>
        <Button onClick={() => void navigator.clipboard.writeText(entry.hash)}>Copy the hash</Button>
      </p>
    </section>
  );
}

/** Closing the page in the middle gives the turn away. */
function useWarning(isBusy: boolean): void {
  useEffect(() => {
    if (!isBusy) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isBusy]);
}
